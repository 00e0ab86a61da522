"""What eyes and screen readers get: nothing covered, no number broken, names in words, contrast."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dashboard.base.navigation import PAGES
from tests.e2e.conftest import new_page, settle, unfold
from tests.test_figures import wcag_contrast

MEASURE, COLOURS = (
    Path(__file__).with_name(name).read_text() for name in ("measure.js", "colours.js")
)
MARKUP = re.compile(r":material/|\*\*|:[a-z]+\[|\\|</?[a-z]+[ >]|&[a-z]+;|_{2}|`")


def opened(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    settle(page)
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stPlotlyChart]')]"
        ".every(chart => chart.querySelector('.main-svg'))"
    )


def names(page: Page) -> list[str]:
    """What a screen reader calls what can be used or is a picture."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    texts = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in ROLES:
            texts += [node.get(part, {}).get("value", "") for part in ("name", "description")]
    return [text for text in texts if text]


ROLES = {
    "button", "link", "combobox", "textbox", "image", "figure", "slider", "checkbox", "switch",
    "radio", "radiogroup", "tab", "spinbutton", "group", "region", "heading", "searchbox",
}  # fmt: skip


def test_on_a_telephone_nothing_covers_anything_and_names_are_words(browser, shipped_address):
    for page in new_page(browser):
        page.set_viewport_size({"width": 390, "height": 844})
        for name in PAGES:
            opened(page, shipped_address, name)
            seen = page.evaluate(MEASURE)
            assert seen == {"sideways": 0, "overlaps": [], "cut": [], "broken": []}, name
            said = names(page)
            assert said, name
            assert not [text for text in said if MARKUP.search(text)], name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_chosen_is_read_and_named_in_both_themes(browser, shipped_address, theme):
    for page in new_page(browser, color_scheme=theme):
        opened(page, shipped_address, "misclassified")
        unfold(page, "Retrain")
        said = names(page)
        assert {"Model A", "Model B"} <= set(said)
        assert not [text for text in said if MARKUP.search(text)]
        found = page.evaluate(COLOURS)
        assert len(found) >= 4
        for text, (front, back) in found:
            assert wcag_contrast(front, back) >= 4.5, (text, front, back)
