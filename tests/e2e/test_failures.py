"""In a browser: what fails while a dialog or a panel is drawn anew is a sentence, until it works.

Both are drawn without the page around them, which the tests without a browser cannot do.
"""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PATIENCE, served, settle, unfold
from tests.e2e.test_workbench import TILE

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def home(tmp_path, run_folders) -> Path:
    shutil.copytree(run_folders, tmp_path / "artifacts" / "runs")
    return tmp_path


def test_a_dialog_and_a_panel_survive_an_error_and_work_again(page: Page, home):
    weights = home / "artifacts" / "runs" / "first" / "weights.safetensors"
    verdicts = home / "reviews" / "reviews.sqlite"
    with served(home, environment={"FERCORE_DATA": "synthetic"}) as address:
        page.goto(f"{address}/misclassified?a=first&b=none")
        settle(page)
        tiles = page.get_by_role("button", name=TILE)
        shown = tiles.count()
        tiles.first.click()
        dialog = page.get_by_role("dialog")
        looks, raters = (
            dialog.get_by_role("tab", name=name) for name in ("What they look at", "Other raters")
        )
        whole = weights.read_bytes()
        weights.write_bytes(b"no weights")
        looks.click()
        expect(dialog.get_by_text(re.compile(r"first: .*weights\.safetensors"))).to_be_visible()
        settle(page)
        assert (tiles.count(), page.get_by_test_id("stException").count()) == (shown, 0)
        weights.write_bytes(whole)
        raters.click()
        expect(dialog.get_by_text("FER+'s votes are about FER2013's images only.")).to_be_visible()
        settle(page)
        looks.click()
        expect(dialog.get_by_text("A: Grad-CAM")).to_be_visible()
        expect(dialog.get_by_text(re.compile(r"weights\.safetensors"))).to_have_count(0)
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).to_have_count(0)

        unfold(page, "Retrain")
        panel = page.get_by_test_id("stSidebar")
        start = panel.get_by_role("button", name="Start training")
        seed = panel.get_by_test_id("stNumberInput").filter(has_text="Seed")
        more = seed.get_by_test_id("stNumberInputStepUp")
        expect(start).to_be_visible()
        verdicts.parent.mkdir(exist_ok=True)
        verdicts.write_bytes(b"no database" * 100)
        more.click()
        expect(panel.get_by_text(re.compile(r"reviews\.sqlite"))).to_be_visible()
        expect(start).to_have_count(0)
        settle(page)
        assert (tiles.count(), page.get_by_test_id("stException").count()) == (shown, 0)
        verdicts.unlink()
        more.click()
        expect(start).to_be_visible()
        expect(seed.locator("input")).to_have_value("2")
        expect(panel.get_by_text(re.compile(r"reviews\.sqlite"))).to_have_count(0)
