"""How long a person waits: from starting the app to its first drawn figure, and between pages.

Starts `streamlit run dashboard/app.py`, opens it in headless Chromium, then clicks through the
analysis pages twice; the second round is the warm one. With --while-training a training runs beside
it, as the sidebar starts one: with low priority and one thread fewer than the machine has.

    python benchmarks/dashboard.py [--while-training]
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from fercore import jobs
from fercore.jobs.request import Request
from fercore.training.recipes import find_recipe

ROOT = Path(__file__).parents[1]
# What shows that a page has drawn what it is about.
DRAWN = {
    "Confusion": ".js-plotly-plot .heatmaplayer",
    "Per class": ".js-plotly-plot .errorbars",
    "ROC and PR": ".js-plotly-plot .scatterlayer",
    "Calibration": ".js-plotly-plot .scatterlayer",
    "Training": ".js-plotly-plot .scatterlayer",
    "Misclassified": '[data-testid="stPagination"], [data-testid="stDataFrame"]',
    "Slices": ".js-plotly-plot .scatterlayer",
    "Robustness": ".js-plotly-plot .scatterlayer",
    "Embedding": ".js-plotly-plot",
    "Data audit": '[data-testid="stHeading"] h3',
    "Does the LSTM lose?": ".js-plotly-plot .scatterlayer",
    "Overview": '[data-testid="stImage"] img',
}
HEADINGS = {"Overview": "against", "Training": "Training curves"}
HEADINGS = {title: HEADINGS.get(title, title) for title in DRAWN}

# Clicks a page's link and waits, frame by frame, for its own heading and figure; what is left
# of the page before is marked stale. Returns milliseconds, measured in the browser.
_SWITCH = """(link, [heading, drawn]) => new Promise(done => {
    const started = performance.now();
    const fresh = element => !element.closest('[data-stale="true"]');
    const look = () => {
        const headings = [...document.querySelectorAll('h1')].filter(fresh);
        const shown = headings.some(h => h.innerText.includes(heading))
            && [...document.querySelectorAll(drawn)].some(fresh);
        shown ? done(performance.now() - started) : requestAnimationFrame(look);
    };
    link.click();
    look();
})"""
REST = 1.0  # seconds a person looks at a page before the next click


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def first_figure(page: Page, port: int, started: float) -> dict[str, float]:
    health = f"http://127.0.0.1:{port}/_stcore/health"
    while True:
        try:
            urllib.request.urlopen(health, timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    healthy = time.perf_counter()
    page.goto(f"http://127.0.0.1:{port}")
    page.wait_for_selector(DRAWN["Overview"], state="attached")
    return {
        "server_ready_s": round(healthy - started, 3),
        "start_to_first_figure_s": round(time.perf_counter() - started, 3),
    }


def switch(page: Page, title: str) -> float:
    time.sleep(REST)
    spent = link_to(page, title).evaluate(_SWITCH, [HEADINGS[title], DRAWN[title]])
    return round(spent / 1000, 3)


def link_to(page: Page, title: str) -> Locator:
    """A page's link: in the bar, or in the menu that has it, which is opened."""
    bar = page.get_by_test_id("stTopNav")
    if (link := bar.get_by_role("link", name=title, exact=True)).count():
        return link
    item = page.get_by_role("menuitem", name=title, exact=True)
    for menu in bar.get_by_role("button").all():
        menu.click()
        page.get_by_role("menuitem").first.wait_for()
        if item.count():
            return item
        page.keyboard.press("Escape")
        page.get_by_role("menuitem").first.wait_for(state="detached")
    raise LookupError(f"No menu leads to {title}.")


@contextmanager
def training_beside():
    """A training in folders of its own, cancelled at the end."""
    request = Request(
        "beside",
        "cnn_lstm",
        replace(find_recipe("paper"), epochs=10_000),  # until it is cancelled
        data="synthetic",
        threads=jobs.spare_threads(),
        low_priority=True,
    )
    given = os.environ.get("FERCORE_ARTIFACTS")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["FERCORE_ARTIFACTS"] = folder
        jobs.start(request)
        while not jobs.find_job("beside").progress:
            time.sleep(0.1)
        os.environ.pop("FERCORE_ARTIFACTS")
        if given:
            os.environ["FERCORE_ARTIFACTS"] = given
        try:
            yield
        finally:
            os.environ["FERCORE_ARTIFACTS"] = folder
            jobs.cancel("beside")
            while jobs.find_job("beside").alive:
                time.sleep(0.1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--while-training", action="store_true")
    beside = training_beside() if arguments.parse_args().while_training else nullcontext()
    with beside:
        result = measure()
    print(json.dumps(result, indent=2))


def measure() -> dict:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    options = ["--server.headless=true", f"--server.port={port}"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        started = time.perf_counter()
        server = subprocess.Popen(
            command + options, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            result = first_figure(page, port, started)
            page.wait_for_selector('[data-testid="stStatusWidget"]', state="detached")
            cold = {title: switch(page, title) for title in DRAWN}
            warm = [{title: switch(page, title) for title in DRAWN} for _ in range(3)]
        finally:
            server.terminate()
            chromium.close()
    median = {title: statistics.median(times[title] for times in warm) for title in DRAWN}
    return {**result, "page_cold_s": cold, "page_warm_median_s": median}


if __name__ == "__main__":
    main()
