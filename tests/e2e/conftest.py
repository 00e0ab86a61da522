"""A real server and a real browser. Skipped, with the reason, where no Chromium is installed."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect, sync_playwright

from dashboard.base.navigation import PAGES
from fercore.analysis.from_weights import EMBEDDING
from fercore.runs.artifacts import Run
from fercore.runs.listing import read_run
from tests.conftest import FER2013, ROOT

PATIENCE = 180_000  # milliseconds for something to appear on a busy machine
SECTIONS = {entry.title: entry.section for entry in PAGES.values()}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
    None,
)


@pytest.fixture(scope="session")
def address(tmp_path_factory, run_folders):
    """Where the dashboard is served, with two runs and the synthetic set."""
    home = tmp_path_factory.mktemp("server")
    shutil.copytree(run_folders, home / "artifacts" / "runs")
    place_at_random(read_run(home / "artifacts" / "runs" / "first"))
    with served(home) as where:
        yield where


@pytest.fixture(scope="session")
def shipped_address(tmp_path_factory, fer2013_cache):
    """Where the dashboard is served as a clone has it, and with FER2013 and FER+ where they are."""
    home = tmp_path_factory.mktemp("shipped")
    (home / "artifacts").mkdir()
    for name in ("shipped", "studies"):
        (home / "artifacts" / name).symlink_to(ROOT / "artifacts" / name)
    here = {"FERCORE_DATA": str(FER2013)} if FER2013.exists() else {}
    with served(home, environment={"FERCORE_CACHE": str(fer2013_cache)} | here) as where:
        yield where


def menu_of(page: Page, title: str) -> Locator:
    """The menu that a page is in."""
    return page.get_by_test_id("stTopNav").get_by_role("button", name=SECTIONS[title], exact=True)


def go_to(page: Page, title: str) -> None:
    """To another page by the menus, as a visitor goes."""
    if SECTIONS[title]:
        menu_of(page, title).click()
        page.get_by_role("menuitem", name=title, exact=True).click()
    else:
        page.get_by_test_id("stTopNav").get_by_role("link", name=title, exact=True).click()
    settle(page)


def narrowing(page: Page) -> Locator:
    """What opens the panel in which a label, a prediction, a slice are chosen."""
    return page.locator("summary", has_text="Narrow down")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def served(
    home: Path,
    *more: str,
    port: int | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
):
    """The dashboard on a port of its own, with its folders in `home`, killed at the end.

    It is started from there: the app's settings hold wherever one starts from.

    `more` are options of `streamlit run`; `environment` comes on top.
    """
    port = port or free_port()
    variables = os.environ | {
        "FERCORE_ARTIFACTS": str(home / "artifacts"),
        "FERCORE_CACHE": str(home / "cache"),
        "FERCORE_CONFIG": str(home / "config"),
        "FERCORE_REVIEWS": str(home / "reviews"),
        "FERCORE_FACES": str(home / "faces"),
        "PYTHONPATH": str(ROOT),
    }
    variables.pop("FERCORE_DATA", None)
    variables |= environment
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")]
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            command + options + list(more), cwd=home, env=variables, stdout=log, stderr=log
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server, home / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait(30)


def place_at_random(run: Run) -> None:
    """An embedding for the run: what is tested is the lasso, not the map."""
    table = run.prediction_frame[["usage", "row", "pixels", "label"]].copy()
    places = np.random.default_rng(0).normal(size=(len(table), 2))
    table[["x", "y"]] = places.astype(np.float32)
    table.to_parquet(run.folder / EMBEDDING)


def wait_until_healthy(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def camera_film(tmp_path_factory) -> Path:
    """A film of a real face for the fake camera: raw 4:2:0 frames of scikit-image's astronaut."""
    from PIL import Image
    from skimage.data import astronaut

    picture = Image.new("RGB", (640, 480), "grey")
    picture.paste(Image.fromarray(astronaut()).crop((64, 0, 448, 384)), (128, 48))
    luma, blue, red = picture.convert("YCbCr").split()
    frame = np.asarray(luma).tobytes()
    for plane in (blue, red):
        frame += np.asarray(plane.resize((320, 240))).tobytes()
    film = tmp_path_factory.mktemp("camera") / "face.y4m"
    header = b"YUV4MPEG2 W640 H480 F15:1 Ip A1:1 C420jpeg\n"
    film.write_bytes(header + (b"FRAME\n" + frame) * 30)
    return film


@pytest.fixture(scope="session")
def browser(camera_film):
    if CHROMIUM is None:
        pytest.skip("no Chromium was found: install chromium to run the browser tests")
    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera_film}",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def tab(browser: Browser):
    yield from new_page(browser)


@pytest.fixture
def page(tab: Page):
    """The one page of the tests that bring no listeners and settings of their own.

    What the browser compiled of the app stays with it: that is most of a first visit's time.
    """
    yield tab
    leave(tab)
    tab.emulate_media(color_scheme="light")
    session = tab.context.new_cdp_session(tab)
    session.send("Page.resetNavigationHistory")
    session.detach()


def new_page(browser: Browser, **options):
    """A page in a context of its own. Without animations, which cost a quarter of a visit."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 1000},
        permissions=["camera"],
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def leave(page: Page) -> None:
    page.evaluate("localStorage.clear(), sessionStorage.clear()")
    page.context.clear_cookies()
    page.goto("about:blank")


def opened_anew(page: Page, link: str) -> None:
    """Open a link as someone does to whom it was sent: nothing of the visit before is left."""
    leave(page)
    page.goto(link)


def settle(page: Page) -> None:
    """Wait until the script has run and nothing is waiting for its data."""
    page.wait_for_selector("h1")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.wait_for_selector('[data-testid="stSkeleton"]', state="detached")


def follow(page: Page, title: str) -> None:
    """To another page by the menus, until its own heading stands there."""
    before = page.locator("h1").first.inner_text()
    go_to(page, title)
    page.wait_for_function(
        "before => document.querySelector('h1')?.innerText !== before",
        arg=before,
        polling=50,
    )
    settle(page)


def open_list(box: Locator) -> None:
    """Open the list of a select box. What is drawn late may close it: the key is pressed again."""
    options = box.page.get_by_role("option")
    for _ in range(PATIENCE // 1000):
        box.press("ArrowDown")
        with suppress(TimeoutError):
            return options.first.wait_for(timeout=1000)
    pytest.fail(f"no list opened at {box}")


def choose(box: Locator, option: str) -> None:
    """Pick an option of a select box, again where what moves meanwhile closes its list.

    A box that one leaves shows what is chosen, not what was typed.
    """
    listed = box.page.get_by_role("option").filter(has_text=option).first
    for _ in range(PATIENCE // 3000):
        with suppress(TimeoutError, AssertionError):
            settle(box.page)
            box.fill("")
            box.fill(option)
            label = listed.inner_text(timeout=2000)
            listed.click(timeout=2000)
            box.blur()
            settle(box.page)
            return expect(box).to_have_value(label, timeout=1000)
    pytest.fail(f"{option} could not be chosen at {box}")


def click_point(page: Page, index: int) -> None:
    """Click a point of the page's first figure once that knows of the mouse, and wait for the
    figure that takes its place.
    """
    settle(page)
    figure = page.locator(".js-plotly-plot").first
    point, told = figure.locator("path.point").nth(index), figure.locator(".hovertext")
    point.scroll_into_view_if_needed()
    for _ in range(PATIENCE // 2000):
        with suppress(AssertionError):
            page.mouse.move(0, 0)
            expect(told).to_have_count(0, timeout=1000)
            box = point.bounding_box()
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            expect(told).not_to_have_count(0, timeout=1000)
            break
    else:
        pytest.fail(f"nothing is told of point {index}")
    drawn = figure.element_handle()
    page.mouse.down()
    page.mouse.up()
    drawn.wait_for_element_state("hidden")


def unfold(page: Page, label: str) -> None:
    """Open an expander, and wait until it is: a click on something that still moves can be lost.

    Only its own opening is waited for: what fades inside other, closed ones may never be drawn.
    """
    name = page.get_by_text(label, exact=True)
    name.click()
    page.wait_for_function(
        "name => !name.closest('details').getAnimations().length",
        arg=name.element_handle(),
        polling=100,
    )
