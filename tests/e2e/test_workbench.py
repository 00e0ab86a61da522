"""From a number to the faces behind it, and back to the number: by mouse, by link, by keyboard."""

import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, TimeoutError, expect

from dashboard.faces.verdict_form import CLASS_KEYS, KEYS
from fercore.labels import CLASSES
from fercore.runs.listing import read_run
from fercore.scoring.metrics import confusion_matrix
from tests.e2e.conftest import PATIENCE, follow, go_to, menu_of, narrowing, opened_anew, settle
from tests.e2e.test_browser import click_cell

TILE = re.compile(r"^\w+ → \w+ 0\.\d\d$")


def scores_of_a(page: Page) -> list[str]:
    """The line of model A in the Review page's table of scores."""
    settle(page)
    line = page.get_by_test_id("stMain").locator("tr", has_text=re.compile("^A")).first
    return line.locator("td").all_inner_texts()


def test_from_the_overview_to_a_verdict_that_changes_the_score(page, address):
    page.goto(f"{address}/?a=first&b=second")
    settle(page)
    go_to(page, "Confusion")
    expect(page.get_by_role("heading", name="Confusion", exact=True)).to_be_visible()
    click_cell(page, "fear", "happy")
    expect(
        page.get_by_text(re.compile("says happy where the label says fear")).first
    ).to_be_visible()
    page.get_by_role("link", name="See the faces").click()
    expect(page.get_by_role("heading", name="Misclassified")).to_be_visible()
    tiles = page.get_by_role("button", name=re.compile(r"^fear → happy 0\.\d\d$"))
    expect(tiles.first).to_be_visible()
    face = page.get_by_role("img", name=re.compile("^The face of row")).first
    face.click(force=True)  # by its picture: the words' button lies over it
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^happy")).click()
    expect(dialog.get_by_text("Saved.")).to_be_visible()

    link = page.url
    assert "true=fear" in link
    opened_anew(page, link)
    expect(
        page.get_by_text(re.compile("Selected: A says happy where the label says fear"))
    ).to_be_visible()
    expect(page.get_by_role("button", name=TILE).first).to_be_visible()

    page.goto(f"{address}/review?a=first&b=second")
    accuracy, macro_f1, reviewed, reviewed_f1, relabelled, left_out, _ = scores_of_a(page)
    assert (relabelled, left_out) == ("1", "0")
    assert float(reviewed.split()[0]) > float(accuracy.split()[0])  # what A said is now right
    assert reviewed_f1 != macro_f1


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press the key until the element has the focus, as someone without a mouse does."""
    target.wait_for()
    for _ in range(250):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    pytest.fail(f"{target} cannot be reached with {key}")


def choose_by_keys(page: Page, choice: str, in_url: str) -> None:
    """Type and choose in the list that has the focus, again where a late redraw closed it."""
    for _ in range(PATIENCE // 3000):
        with suppress(TimeoutError, AssertionError):
            settle(page)
            page.keyboard.press("ControlOrMeta+a")
            page.keyboard.type(choice)
            page.get_by_role("option", name=choice).first.wait_for(timeout=2000)
            page.keyboard.press("Enter")
            expect(page).to_have_url(re.compile(in_url), timeout=2000)
            return settle(page)
    pytest.fail(f"{choice} could not be chosen by keys")


def test_the_same_way_by_keyboard_alone(page, address):
    page.goto(f"{address}/?a=first&b=second")
    settle(page)
    tab_to(page, narrowing(page))
    page.keyboard.press("Enter")
    for label, choice, in_url in (("Label", "sad", "true"), ("A says", "angry", "predicted")):
        tab_to(page, page.get_by_role("combobox", name=re.compile(rf"{label}\b")).first)
        choose_by_keys(page, choice, f"{in_url}={choice}")
    expect(
        page.get_by_text(re.compile("Selected: A says angry where the label says sad"))
    ).to_be_visible()
    tab_to(page, page.get_by_role("link", name="See the faces"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Misclassified")).to_be_visible()
    settle(page)
    tab_to(page, page.get_by_role("button", name=re.compile(r"^sad → angry 0\.\d\d")).first)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    tab_to(page, dialog.get_by_role("tab", name="Other raters"))
    settle(page)  # keys pressed while the dialog is drawn are lost
    tab_to(page, dialog.get_by_role("tab", name="Your verdict"), "ArrowRight")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("Note")).to_be_visible()
    tab_to(page, dialog.get_by_role("button", name=re.compile("^Ambiguous")))  # it is left out
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Saved.")).to_be_visible()
    settle(page)  # what is still being drawn would open the dialog again
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)

    tab_to(page, page.get_by_test_id("stTopNav").get_by_role("link", name="Overview"))
    tab_to(page, menu_of(page, "Review"), "ArrowRight")
    page.keyboard.press("Enter")
    review = page.get_by_role("menuitem", name="Review", exact=True)
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(review).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible()
    accuracy, _, reviewed, _, _, left_out, images = scores_of_a(page)
    assert (left_out, images) == ("1", "349")
    assert float(reviewed.split()[0]) > float(accuracy.split()[0])  # one mistake fewer


def test_what_a_model_looks_at(page, address):
    page.goto(f"{address}/misclassified?a=first&b=second&true=happy")
    settle(page)
    page.get_by_role("button", name=TILE).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="What they look at").click()
    expect(dialog.get_by_text("Grad-CAM").first).to_be_visible()
    expect(dialog.get_by_text("what each step of the LSTM adds")).to_be_visible()
    dialog.get_by_role("tab", name="Alike").click()
    expect(dialog.get_by_text(re.compile("The nearest Training images"))).to_be_visible()


def saved(page: Page, menu: Locator, item: str) -> tuple[str, bytes]:
    """Name and content of what a figure's menu saves."""
    menu.click()
    with page.expect_download() as download:
        page.get_by_role("button", name=item).click()
    expect(page.locator(".figure-menu :popover-open")).to_have_count(0)
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_figure_is_saved_by_its_menu_and_the_page_linked_to(page, address, run_folders):
    page.goto(f"{address}/confusion?a=first&b=second")
    settle(page)
    menus = page.get_by_role("button", name=re.compile("^Save this figure: "))
    expect(menus).to_have_count(4)
    name, content = saved(page, menus.first, "Numbers as CSV")
    assert re.fullmatch(r"A-[\w.-]+\.csv", name)
    shown = pd.read_csv(BytesIO(content)).pivot(index="label", columns="predicted")
    table = read_run(run_folders / "first").predictions()
    counts = confusion_matrix(table.labels, table.predicted)
    order = list(CLASSES)
    np.testing.assert_allclose(
        shown["% of the row"].loc[order, order], 100 * counts / counts.sum(1, keepdims=True)
    )
    np.testing.assert_array_equal(shown["images"].loc[order, order], counts)

    name, content = saved(page, menus.first, "Picture as PNG")
    assert name.endswith(".png")
    with Image.open(BytesIO(content)) as picture:
        background, (width, height) = picture.convert("RGB").getpixel((1, 1)), picture.size
    assert background == (255, 255, 255)
    drawn = page.locator(".js-plotly-plot").first.bounding_box()
    assert (width, height) > (2 * drawn["width"] - 2, 2 * drawn["height"])

    page.evaluate("""() =>
      addEventListener("copy", () => { window.taken = document.activeElement.value })
    """)
    menus.nth(1).press("Enter")
    expect(page.get_by_role("button", name="Numbers as CSV")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    link = page.evaluate("window.taken")
    assert link == page.url
    assert "a=first&b=second" in link
    page.keyboard.press("Escape")
    expect(menus.nth(1)).to_be_focused()
    menus.nth(1).press("Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".figure-menu :popover-open")).to_have_count(0)

    follow(page, "Overview")
    name, content = saved(page, menus, "Numbers as CSV")
    assert name == "Accuracy-with-95-interval.csv"
    shown = pd.read_csv(BytesIO(content)).set_index("trace")
    assert shown.loc["A", "accuracy, %"] == pytest.approx(100 * table.correct.mean())
    name, content = saved(page, menus, "Picture as PNG")
    with Image.open(BytesIO(content)) as picture:
        assert len(picture.convert("RGB").getcolors(10**6)) > 20


def test_a_threshold_moves_the_decisions(page, address):
    page.goto(f"{address}/roc_and_pr?a=first&threshold=0.9")
    settle(page)
    sentence = page.get_by_text(re.compile(r"A at 0\.90: precision"))
    expect(sentence).to_be_visible()
    page.get_by_role("slider", name=re.compile("Threshold")).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(re.compile(r"A at 0\.89: precision"))).to_be_visible()


def test_a_lasso_shows_the_faces_inside(page, address):
    page.goto(f"{address}/embedding?a=first&b=none")
    settle(page)
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.wait_for()
    box = plot.bounding_box()
    corners = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.1, 0.11)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    inside = page.get_by_text(re.compile(r"On the map: \d+ faces"))
    expect(inside).to_be_visible()
    expect(page.get_by_role("button", name=TILE).first).to_be_visible()
    as_many = inside.inner_text()

    page.get_by_text("right or wrong", exact=True).click()
    settle(page)
    expect(page.get_by_text(as_many)).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text(re.compile(r"All: \d+ faces"))).to_be_visible()


def at(dialog: Locator, number: int) -> None:
    expect(dialog.get_by_text(re.compile(rf"^{number} of \d+$")).first).to_be_visible()
    settle(dialog.page)


def row_and_label(dialog: Locator) -> tuple[int, str]:
    words = dialog.get_by_text(re.compile("^Label: ")).inner_text()
    found = re.search(r"Label: (\w+)\s+Row (\d+)", words)
    return int(found[2]), found[1]


def verdicts(page: Page) -> pd.DataFrame:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all verdicts as CSV").click()
    content = BytesIO(Path(download.value.path()).read_bytes())
    return pd.read_csv(content, keep_default_na=False).set_index("row")


def test_faces_are_reviewed_by_keys_alone(page: Page, address):
    page.goto(f"{address}/misclassified?a=second&b=first&order=loss")
    settle(page)
    page.get_by_role("button", name=TILE).first.click()
    dialog = page.get_by_role("dialog")
    at(dialog, 1)
    given = {}
    for number, (verdict, key) in enumerate(KEYS.items(), 2):
        given[row_and_label(dialog)[0]] = (verdict, "")
        page.keyboard.press(key)
        at(dialog, number)
    row, label = row_and_label(dialog)
    should_be = next(name for name in ("sad", "happy") if name != label)
    given[row] = ("wrong", should_be)
    page.keyboard.press(CLASS_KEYS[should_be].lower())
    at(dialog, 5)

    dialog.get_by_role("tab", name="Your verdict").click()
    dialog.get_by_label("Note").click()
    page.keyboard.type("1 2 3, a sad one; just kept")  # no key is a verdict while one writes
    expect(dialog.get_by_label("Note")).to_have_value("1 2 3, a sad one; just kept")
    at(dialog, 5)
    dialog.get_by_role("tab", name="Your verdict").click()
    page.keyboard.press("k")
    at(dialog, 4)
    filled = dialog.locator("button[kind=primary]:visible")
    expect(filled).to_have_count(1)
    expect(filled).to_contain_text(should_be)
    expect(dialog.get_by_text("Your verdict: Label wrong")).to_be_visible()  # the tab stays
    page.keyboard.press("k")
    at(dialog, 3)

    dialog.get_by_role("button", name="Link").click()
    shown = row_and_label(dialog)
    opened_anew(page, page.get_by_test_id("stCode").inner_text().strip())
    at(dialog, 3)
    assert row_and_label(dialog) == shown

    page.goto(f"{address}/review?a=second&b=first")
    settle(page)
    kept = verdicts(page)
    assert {row: tuple(kept.loc[row, ["verdict", "should_be"]]) for row in given} == given
