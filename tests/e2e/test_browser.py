"""From a figure to its faces, and what a link holds."""

import re

from playwright.sync_api import Page, expect

from dashboard.faces.face_grid import FIRST
from fercore.labels import CLASSES
from tests.e2e.conftest import PATIENCE, choose, click_point, opened_anew, settle, unfold

expect.set_options(timeout=PATIENCE)


def click_cell(page: Page, true: str, predicted: str) -> None:
    """Click a cell of the first confusion matrix."""
    click_point(page, CLASSES.index(true) * len(CLASSES) + CLASSES.index(predicted))


def test_from_a_confusion_cell_to_its_faces_and_back_by_link(page, address):
    page.goto(f"{address}/confusion")
    click_cell(page, "sad", "neutral")
    sentence = page.get_by_text(re.compile(r"says neutral where the label says sad: \d+ of"))
    expect(sentence.first).to_be_visible()
    count = re.search(r": (\d+) of", sentence.first.inner_text())[1]
    page.get_by_role("link", name="See the faces").click()
    expect(page.get_by_role("heading", name="Misclassified")).to_be_visible()
    expect(page.get_by_text(f"{count} faces")).to_be_visible()
    tiles = page.get_by_role("button", name=re.compile(r"^sad → neutral 0\.\d\d$"))
    expect(tiles).to_have_count(min(int(count), FIRST))

    tiles.first.click()
    expect(page.get_by_role("dialog").get_by_text("Label: sad")).to_be_visible()

    link = page.url
    assert "true=sad" in link
    assert "predicted=neutral" in link
    opened_anew(page, link)
    expect(page.get_by_text(f"{count} faces")).to_be_visible()


def test_from_the_overview_to_the_faces_in_one_click(page, address):
    page.goto(address)
    settle(page)
    link = page.get_by_test_id("stMain").get_by_role("link", name=re.compile(r"\w+ → \w+: A \d+"))
    true, predicted, count = re.search(r"(\w+) → (\w+): A (\d+)", link.first.inner_text()).groups()
    link.first.click()
    words = f"A says {predicted} where the label says {true}: {count} faces"
    expect(page.get_by_text(words)).to_be_visible()


def test_the_same_by_the_two_boxes(page, address):
    page.goto(f"{address}/confusion")
    settle(page)
    unfold(page, "Narrow down")
    for box, choice in (("Label", "happy"), ("A says", "sad")):
        choose(page.get_by_role("combobox", name=re.compile(rf"{box}\b")), choice)
    expect(
        page.get_by_text(re.compile("says sad where the label says happy")).first
    ).to_be_visible()


def test_models_are_chosen_in_the_url(page, address):
    page.goto(f"{address}/?a=second&b=none")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("CNN-LSTM on synthetic faces")
