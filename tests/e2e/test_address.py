"""The URL and the browser's history: one choice one step, *Back* to what was chosen, links."""

import re
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page, expect

from dashboard.base.navigation import PAGES
from tests.e2e.conftest import PATIENCE, choose, go_to, opened_anew, settle, unfold
from tests.e2e.test_browser import click_cell
from tests.e2e.test_workbench import TILE

expect.set_options(timeout=PATIENCE)


def named(page: Page) -> dict[str, str]:
    """The URL's parameters; none stands twice."""
    pairs = parse_qsl(urlsplit(page.url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), page.url
    return dict(pairs)


def steps(page: Page) -> int:
    settle(page)
    return page.evaluate("history.length")


def to(page: Page, name: str) -> None:
    go_to(page, name)
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_one_choice_is_one_step_and_back_shows_what_was_chosen(page, address):
    page.goto(f"{address}/confusion?a=first&b=second")
    first = steps(page)
    click_cell(page, "sad", "neutral")  # two parameters
    expect(page).to_have_url(re.compile("true=sad&predicted=neutral"))
    assert steps(page) == first + 1
    page.get_by_text("share of the prediction", exact=True).click()
    expect(page).to_have_url(re.compile("normalise=column"))
    assert steps(page) == first + 2
    to(page, "Misclassified")
    expect(page).to_have_url(re.compile("/misclassified.*true=sad"))
    assert steps(page) == first + 3
    page.get_by_text("highest loss", exact=True).click()
    expect(page).to_have_url(re.compile("order=loss"))
    assert steps(page) == first + 4
    unfold(page, "Narrow down")
    choose(page.get_by_role("combobox", name=re.compile(r"Label\b")), "happy")
    expect(page).to_have_url(re.compile("true=happy"))
    assert steps(page) == first + 5
    assert named(page)["order"] == "loss"

    page.go_back()
    expect(page.get_by_text("A says neutral where the label says sad").first).to_be_visible()
    assert named(page)["order"] == "loss"
    page.go_back()
    expect(page).not_to_have_url(re.compile("order="))
    settle(page)
    expect(page.get_by_role("radio", name="most confident")).to_be_checked()
    page.go_back()
    expect(page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible()
    assert named(page)["normalise"] == "column"
    page.go_back()
    expect(page).not_to_have_url(re.compile("normalise"))
    page.go_back()
    expect(page.get_by_text("No cell is chosen")).to_be_visible()
    assert named(page) == {"a": "first", "b": "second"}
    page.go_forward()
    expect(page.get_by_text("A says neutral where the label says sad").first).to_be_visible()
    assert steps(page) == first + 5


def test_a_link_opens_a_face_and_a_note_half_written_is_kept(page, address):
    page.goto(f"{address}/misclassified?a=first&b=second")
    settle(page)
    before = steps(page)
    page.get_by_role("button", name=TILE).first.click()
    expect(page).to_have_url(re.compile("face="))
    assert steps(page) == before + 1
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Your verdict").click()
    dialog.get_by_label("Note").fill("hair over the")
    link = page.url
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    expect(page).not_to_have_url(re.compile("face="))
    page.go_back()
    dialog.get_by_role("tab", name="Your verdict").click()
    expect(dialog.get_by_label("Note")).to_have_value("hair over the")
    dialog.get_by_label("Note").fill("hair over the eyes")
    dialog.get_by_label("Note").press("Escape")
    expect(dialog).to_have_count(0)
    expect(page).not_to_have_url(re.compile("face="))
    page.go_back()
    dialog.get_by_role("tab", name="Your verdict").click()
    expect(dialog.get_by_label("Note")).to_have_value("hair over the eyes")
    opened_anew(page, link)
    expect(dialog.get_by_text("Label: ")).to_be_visible()


def test_the_first_page_opens_by_its_name_too(page, address):
    for path in ("", "/", "/overview", "/overview?a=second&b=none"):
        page.goto(f"{address}{path}")
        settle(page)
        words = "CNN-LSTM on synth" if "second" in path else re.compile("against .* on synth")
        expect(page.get_by_role("heading", level=1)).to_contain_text(words)
        expect(page.get_by_role("dialog")).to_have_count(0)  # that the page was not found
    links = page.get_by_test_id("stTopNav").get_by_text("Overview", exact=True)
    expect(links).to_have_count(1)


def test_a_page_opens_by_the_name_that_it_had_before(page, address):
    (entry,) = (entry for entry in PAGES.values() if entry.former)
    page.goto(f"{address}/{entry.former}")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(entry.title)
    expect(page.get_by_role("dialog")).to_have_count(0)
    links = page.get_by_test_id("stTopNav").get_by_text(entry.title, exact=True)
    expect(links).to_have_count(1)
