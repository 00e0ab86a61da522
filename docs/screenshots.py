"""The pictures in the docs, taken from the running app in Chromium, in its light and dark theme.

    python docs/screenshots.py [NAME …]

The server runs in a folder of its own, with the shipped runs and without FER2013, and only the
pages listed here are visited: they show no face, or a drawn one, and say so. Wants `playwright` and
a Chromium.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES_FOLDER = ROOT / "docs" / "pictures"
PATIENCE = 120_000  # milliseconds
SETTINGS = {"FERCORE_DATA": "synthetic", "PYTHONPATH": str(ROOT)}  # never a photo of anyone
DESK, TELEPHONE = (1440, 900), (390, 844)
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


class Picture(NamedTuple):
    """One view of the app, scrolled to the text that begins with `at`."""

    name: str
    address: str
    size: tuple[int, int] = DESK
    at: str = ""


PAIR = "a=cnn@paper&b=cnn_lstm@paper"
DRAWN = "a=cnn-synthetic&b=cnn_lstm-synthetic"  # trained on drawn faces, like the one they look at
PICTURES = (
    Picture("overview", ""),
    Picture("overview-telephone", "", TELEPHONE),
    Picture("confusion", f"confusion?{PAIR}&true=fear&predicted=sad", at="Selected:"),
    Picture("per-class", f"per_class?{PAIR}"),
    Picture("roc", f"roc_and_pr?{PAIR}"),
    Picture("calibration", f"calibration?{PAIR}"),
    Picture("study", "does_the_lstm_lose"),
    Picture("predict", f"predict?{DRAWN}&sample=drawn-face", at="drawn face:"),
)


@contextmanager
def served(home: Path) -> Iterator[str]:
    """The app's address, with its folders in `home`, as a clone has it and without FER2013."""
    (home / "artifacts").mkdir()
    for name in ("shipped", "studies"):
        (home / "artifacts" / name).symlink_to(ROOT / "artifacts" / name)
    folders = {"ARTIFACTS": "artifacts", "CACHE": "cache", "CONFIG": "config"}
    folders |= {"REVIEWS": "reviews", "FACES": "faces"}
    variables = {f"FERCORE_{name}": str(home / folder) for name, folder in folders.items()}
    variables |= SETTINGS
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")]
    with socket.socket() as free:  # another app's port could show anyone's faces
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = f"http://127.0.0.1:{port}"
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    server = subprocess.Popen(command + options, cwd=home, env=os.environ | variables)
    try:
        _wait_until_healthy(server, where)
        yield where
    finally:
        server.kill()
        server.wait()


def _wait_until_healthy(server: subprocess.Popen[bytes], where: str) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{where}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit("The app did not start.")


def settle(page: Page) -> None:
    """Wait until the script has run, nothing waits for its data, and every figure is drawn."""
    page.wait_for_selector("h1")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_selector('[data-testid="stSkeleton"]', state="detached")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stPlotlyChart]')]"
        ".every(chart => chart.querySelector('.main-svg'))"
    )
    page.wait_for_function("document.getAnimations().every(one => one.playState !== 'running')")


def take(browser: Browser, where: str, picture: Picture, theme: Theme) -> Path:
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{where}/{picture.address}")
    settle(page)
    if picture.at:
        place = page.get_by_test_id("stMain").get_by_text(re.compile(f"^{picture.at}")).first
        place.evaluate("it => { it.style.scrollMarginTop = '5rem'; it.scrollIntoView() }")
        settle(page)
    path = PICTURES_FOLDER / f"{picture.name}-{theme}.webp"
    with Image.open(BytesIO(page.screenshot())) as shot:
        shot.convert("RGB").save(path, lossless=True, method=6)
    context.close()
    return path


def main(names: list[str]) -> None:
    chosen = [one for one in PICTURES if not names or one.name in names]
    browser_path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    PICTURES_FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        served(Path(home)) as where,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for picture in chosen:
            for theme in THEMES:
                path = take(browser, where, picture, theme)
                print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
