"""What three readers come for, and how many clicks it takes them: the browser counts."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import FER2013
from tests.e2e.conftest import follow, leave, new_page, settle
from tests.e2e.test_browser import click_cell
from tests.e2e.test_workbench import at

# Presses of the mouse and of a key, as the browser hears them: whatever this file does, it counts.
COUNTING = """
window.presses = 0
for (const kind of ["pointerdown", "keydown"])
  addEventListener(kind, event => { window.presses += event.isTrusted && !event.repeat }, true)
"""


DRAWN = "?a=cnn-synthetic&b=cnn_lstm-synthetic"


@pytest.fixture(scope="module")
def counting_tab(browser: Browser):
    for page in new_page(browser):
        page.add_init_script(COUNTING)
        yield page


@pytest.fixture
def visitor(counting_tab: Page):
    yield counting_tab
    leave(counting_tab)


@pytest.fixture
def first_page(visitor: Page, shipped_address):
    """Overview of what a clone has; where FER2013 is not, of the models of drawn faces."""
    visitor.goto(f"{shipped_address}/{'' if FER2013.exists() else DRAWN}")
    settle(visitor)
    return visitor


def presses(page: Page) -> int:
    """Since the first page: going from page to page, nothing is loaded anew."""
    return page.evaluate("window.presses")


def test_a_teacher_explains_a_row_in_three_clicks(first_page: Page):
    first_page.get_by_role("link", name="What does a confusion matrix say?").click()
    expect(first_page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible()
    row = first_page.get_by_text(re.compile(r"^Row \w+: [\d.]+ images have this label\."))
    expect(row).to_have_count(2)  # of A, and of B
    click_cell(first_page, "fear", "sad")
    expect(row.first).to_contain_text("Row fear")
    assert presses(first_page) <= 3


def test_a_researcher_judges_three_faces_of_fear_that_are_never_right_in_eight_clicks(
    first_page: Page,
):
    follow(first_page, "Expression")
    expect(first_page.get_by_role("heading", level=1)).to_contain_text("fear")
    never = first_page.get_by_text(re.compile("^Never right, the surest mistakes first"))
    expect(never).to_be_visible()
    first_page.get_by_role("button", name=re.compile("^fear → ")).first.click()
    dialog = first_page.get_by_role("dialog")
    rows = set()
    for number in (1, 2, 3):
        at(dialog, number)
        rows.add(dialog.get_by_text(re.compile("^Label: fear")).inner_text())
        dialog.get_by_role("button", name=re.compile("^Ambiguous")).click()
        expect(dialog.get_by_text(re.compile(r"Saved\. Row \d+: Ambiguous"))).to_be_visible()
    at(dialog, 4)
    assert len(rows) == 3
    assert presses(first_page) <= 8


def test_an_engineer_finds_a_threshold_and_takes_a_report_in_six_clicks(
    visitor: Page, shipped_address
):
    visitor.goto(f"{shipped_address}/{DRAWN}")  # a report on twenty seeds takes its time
    settle(visitor)
    visitor.get_by_role("link", name="Is it good enough?").click()
    expect(visitor.get_by_role("heading", name="Good enough?")).to_be_visible()
    settle(visitor)
    table = visitor.get_by_test_id("stDataFrame").first
    fear = table.locator("tr", has_text=re.compile("^fearA")).locator("td")
    expect(fear.nth(3)).to_have_text("80.0 %")  # is wanted without a click
    visitor.get_by_label("fear, %").click()
    visitor.keyboard.press("ArrowUp")
    expect(fear.nth(3)).to_have_text("85.0 %")
    expect(fear.nth(2)).to_have_text(re.compile(r"^[\d.]+\s%$|^never said$"))  # the threshold
    settle(visitor)
    with visitor.expect_download() as download:
        visitor.get_by_role("button", name="Report to send").click()
    assert "What is taken for what" in Path(download.value.path()).read_text(encoding="utf-8")
    assert presses(visitor) <= 6
