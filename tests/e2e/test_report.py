"""A report and a card are opened from the disk, without a network: nothing is asked for, everything
drawn, and what they say is what the tables of Python have, with an interval and the n.
"""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Locator, Page

from fercore.groups.finding import find_group
from fercore.groups.group import Group, group_of
from fercore.groups.tables import compare
from fercore.report.card import card
from fercore.report.page import report_html
from fercore.scoring.grouped.evaluation import class_table, evaluate
from fercore.scoring.predictions import PARTS
from fercore.wording import in_points, points_interval, with_interval
from tests.e2e.conftest import new_page
from tests.seeds import two_groups

SHARE = re.compile(r"^\d+\.\d( \[\d+\.\d, \d+\.\d\])?$")


@pytest.fixture
def offline(browser: Browser):
    yield from new_page(browser, offline=True)


def test_a_report_opens_from_disk_without_a_network(two_runs, offline: Page, tmp_path):
    a, b = map(group_of, two_runs)
    (tmp_path / "report.html").write_text(report_html(a, b), encoding="utf-8")
    asked, said = [], []
    offline.on("request", lambda request: asked.append(request.url))
    offline.on("console", lambda message: said.append(message.text))
    offline.on("pageerror", lambda error: said.append(str(error)))
    offline.goto((tmp_path / "report.html").as_uri())
    offline.wait_for_function(
        "[...document.querySelectorAll('.plot')].every(one => one.querySelector('.main-svg'))"
    )
    assert offline.locator(".plot:has(.main-svg)").count() == 8
    offline.get_by_text("Recall of each expression").click()
    assert offline.get_by_text("A Recall %").is_visible()
    offline.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert offline.locator("details:not([open])").count() == 0
    assert len(offline.pdf(prefer_css_page_size=True)) > 50_000
    assert [url.rpartition("/")[2] for url in asked] == ["report.html"]
    assert said == []


def rows(table: Locator) -> list[dict[str, str]]:
    """A table's lines by its columns."""
    lines = table.locator("tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    )
    lines = [[spaced(cell) for cell in line] for line in lines]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def spaced(text: str) -> str:
    """With spaces that may break."""
    return re.sub(r"\s+", " ", text).strip()


def table_of(page: Page, *columns: str) -> list[dict[str, str]]:
    """The first table with these columns."""
    for table in page.locator("table").all():
        if table.locator("tr").count() > 1 and (found := rows(table)) and {*columns} <= {*found[0]}:
            return found
    raise AssertionError(f"no table has {columns}")


def share(value: float, bounds: tuple[float, float]) -> str:
    return spaced(with_interval(value, bounds))


def every_share_has_its_interval_and_its_n(tables: Locator) -> int:
    """How many shares the tables have."""
    found = 0
    for table in tables.all():
        for line in rows(table):
            shares = {name: of for name, of in line.items() if SHARE.match(of)}
            shares.pop("a calibrated model's", None)  # is computed, not estimated
            shares.pop("plain ECE", None)  # the debiased one beside it has the interval
            assert all("[" in of for of in shares.values()), line
            assert not shares or line.get("n", "").replace(" ", "").isdigit(), line
            found += len(shares)
    return found


def opened(page: Page, path: Path) -> None:
    page.context.set_offline(True)
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")


def of_class(line: dict) -> list[str]:
    """A class's line of the card."""
    metrics = ("recall", "precision", "f1")
    told = (share(line[m], (line[f"{m}_low"], line[f"{m}_high"])) for m in metrics)
    return [line["class"], str(line["support"]), *told]


@pytest.mark.parametrize("name", ["first", "cnn@quick"])
def test_a_cards_numbers_are_those_of_the_tables_with_n_and_interval(
    name, two_runs, run_folders, offline: Page, tmp_path
):
    if "@" in name:
        two_groups(run_folders)
    model: Group = find_group(name)
    _, _, text = card(model).split("---\n", 2)
    drawn = MarkdownIt("commonmark").enable("table").render(text)  # as a hub shows it
    (tmp_path / "card.html").write_text(f"<meta charset='utf-8'>{drawn}", encoding="utf-8")
    opened(offline, tmp_path / "card.html")
    over = "means over 3 seeds" if "@" in name else "this run alone"
    assert offline.get_by_text(over).is_visible()
    for line in table_of(offline, "images", "labels", "accuracy %"):
        part = next(part for part, title in PARTS.items() if title == line["images"])
        scores = evaluate(model.predictions(part))
        assert line["n"] == str(scores["n"])
        for metric, title in (("accuracy", "accuracy %"), ("macro_f1", "macro F1 %")):
            assert line[title] == share(scores[metric], scores[f"{metric}_interval"])
    classes = class_table(model.predictions("private")).to_dict("records")
    told = table_of(offline, "expression", "recall %")
    assert [list(line.values()) for line in told] == list(map(of_class, classes))
    assert every_share_has_its_interval_and_its_n(offline.locator("table")) > 25


def test_a_reports_numbers_are_those_of_the_tables_with_n_and_interval(
    two_runs, run_folders, offline: Page, tmp_path
):
    two_groups(run_folders)
    a, b = find_group("cnn@quick"), find_group("cnn_lstm@quick")
    (tmp_path / "report.html").write_text(report_html(a, b), encoding="utf-8")
    opened(offline, tmp_path / "report.html")
    for line, model in zip(table_of(offline, "model", "accuracy %"), (a, b), strict=True):
        scores = evaluate(model.predictions("private"))
        assert line["n"] == str(scores["n"])
        for metric, title in (("accuracy", "accuracy %"), ("macro_f1", "macro F1 %")):
            assert line[title] == share(scores[metric], scores[f"{metric}_interval"])
    lines = compare(a, b).to_dict("records")
    told = table_of(offline, "class", "A F1 %")
    by_f1 = [line for line in lines if line["metric"] == "f1" and line["class"] != "all"]
    assert len(told) == len(by_f1) == 7
    for shown, known in zip(told, by_f1, strict=True):
        assert (shown["class"], shown["n"]) == (known["class"], str(known["support"]))
        for key in "ab":
            bounds = known[f"{key}_low"], known[f"{key}_high"]
            assert shown[f"{key.upper()} F1 %"] == share(known[key], bounds)
        assert shown["A − B, points"] == difference(known)
    page = spaced(offline.locator("body").inner_text())
    assert f"(A − B {difference(lines[0], ' points')}" in page
    estimates = offline.locator("section:not(#protocol) table")  # there lie the recipes' settings
    assert every_share_has_its_interval_and_its_n(estimates) > 60


def difference(line: dict, unit: str = "") -> str:
    bounds = points_interval((line["difference_low"], line["difference_high"]))
    return spaced(f"{in_points(line['difference'])}{unit} {bounds}")
