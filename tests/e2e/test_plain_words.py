"""In a browser: hostile names and notes are read as they stand, and nothing is fetched."""

import shutil

import pytest
from playwright.sync_api import Page, Request, expect

from fercore.files import read_json, write_json
from fercore.runs.artifacts import NOTE
from tests.e2e.conftest import PATIENCE, served

HOSTILE = "![x](http://a.example/i.png) <img src=http://a.example/j.png> :red[x] $x$ www.a.example"


@pytest.fixture(scope="module")
def hostile_address(tmp_path_factory, run_folders):
    home = tmp_path_factory.mktemp("hostile")
    shutil.copytree(run_folders, home / "artifacts" / "runs")
    for folder in (home / "artifacts" / "runs").iterdir():
        (folder / NOTE).write_text(HOSTILE)
        info = read_json(folder / "run.json")
        info["dataset"]["name"] = info["recipe"]["name"] = HOSTILE
        write_json(folder / "run.json", info)
    with served(home) as where:
        yield where


@pytest.mark.parametrize("name", ["", "training", "runs"])
def test_what_people_wrote_is_read_and_fetches_nothing(page: Page, hostile_address, name):
    asked = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.goto(f"{hostile_address}/{name}")
    words = page.get_by_test_id("stSidebar").get_by_text("![x](").first
    expect(words).to_be_attached(timeout=PATIENCE)
    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=PATIENCE)
    assert HOSTILE in " ".join(words.text_content().replace("\u2060", "").split())
    assert page.locator("[href*='a.example'], [src*='a.example'], .katex").count() == 0
    page.remove_listener("request", note)
    assert asked
    assert [url for url in asked if "a.example" in url] == []
