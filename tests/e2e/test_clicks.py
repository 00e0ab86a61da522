"""A click on a figure, or on a row of a table, selects what it stands for."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import PATIENCE, choose, click_point, opened_anew, settle, unfold
from tests.e2e.test_workbench import TILE

expect.set_options(timeout=PATIENCE)


def open_page(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}?a=first&b=second")
    settle(page)


def click_row(page: Page, row: int) -> None:
    """Tick the box at the start of a row, from 1, of the page's first table: it is a canvas."""
    table = page.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    canvas = table.locator("canvas").first
    canvas.wait_for()
    canvas.locator("tr").nth(row).wait_for(state="attached")
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 17, box["y"] + 35 * row + 17)


def test_a_point_of_a_class_selects_its_label_and_leads_to_the_faces(page, address):
    open_page(page, address, "per_class")
    click_point(page, 4)
    expect(page.get_by_text("Selected: the label says sad")).to_be_visible()
    expect(page).to_have_url(re.compile("true=sad"))
    page.get_by_role("link", name="See the faces").click()
    expect(page.get_by_role("heading", name="Misclassified")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^sad → \w+ 0\.\d\d"))).not_to_have_count(0)
    expect(page.get_by_role("button", name=re.compile(r"^happy → "))).to_have_count(0)


def test_a_second_click_takes_back_unless_the_selection_was_changed_elsewhere(page, address):
    open_page(page, address, "per_class")
    click_point(page, 4)
    expect(page.get_by_text("Selected: the label says sad")).to_be_visible()
    settle(page)
    click_point(page, 4)
    expect(page.get_by_text("Selected: ")).to_have_count(0)
    settle(page)
    click_point(page, 4)
    expect(page.get_by_text("Selected: the label says sad")).to_be_visible()
    unfold(page, "Narrow down")
    choose(page.get_by_role("combobox", name=re.compile(r"Label\b")), "happy")
    expect(page.get_by_text("Selected: the label says happy")).to_be_visible()
    settle(page)
    click_point(page, 4)
    expect(page.get_by_text("Selected: the label says sad")).to_be_visible()


def test_a_row_selects_and_clearing_takes_the_mark_away(page, address):
    open_page(page, address, "per_class")
    click_row(page, 4)
    expect(page.get_by_text("Selected: the label says happy")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Label: ")).click()
    expect(page.get_by_text("Selected: ")).to_have_count(0)
    settle(page)
    click_row(page, 4)  # it is not marked any more, so this does not take it back
    expect(page.get_by_text("Selected: the label says happy")).to_be_visible()


def test_a_row_of_the_slices_opens_its_faces_and_a_link_leads_there(page, address):
    open_page(page, address, "slices")
    click_row(page, 1)
    line = page.get_by_text(re.compile(r"Selected: slice \w+: "))
    expect(line).to_be_visible()
    expect(page.get_by_role("button", name=TILE).first).to_be_visible()
    expect(page).to_have_url(re.compile("slice="))
    said = line.inner_text()
    opened_anew(page, page.url)
    expect(page.get_by_text(said)).to_be_visible()
