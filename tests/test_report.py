"""The report and the model card: the numbers of the tables, each with its interval and its n."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import streamlit as st
import yaml
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from fercore.cli import app
from fercore.errors import RunError
from fercore.groups import tables
from fercore.groups.finding import find_group, is_the_papers, list_groups
from fercore.groups.group import group_of
from fercore.labels import CLASSES, NOT_FOR
from fercore.report.card import card
from fercore.report.page import report_html
from fercore.runs.changes import annotate_run
from fercore.runs.listing import find_run
from fercore.runs.parts import keep_part
from fercore.scoring.grouped.evaluation import evaluate
from fercore.wording import n_equals
from tests.seeds import two_groups
from tests.test_pages import open_page, said

WITH_INTERVAL = re.compile(r"–|\d+\.\d\s\[\d+\.\d,\s\d+\.\d\]")
ATTACK = "<script>alert(1)</script>"


class Tables(HTMLParser):
    """The tables of a page, each a list of rows of texts, its head first."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[list[list[str]]] = []
        self.inside = False
        self.feed(text.partition("</main>")[0])

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.found.append([])
        elif tag == "tr":
            self.found[-1].append([])
        elif tag in ("td", "th"):
            self.found[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside &= tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.found[-1][-1][-1] += data


def table_with(found, *columns) -> tuple[list[str], list[list[str]]]:
    (table,) = [each for each in found if set(columns) <= set(each[0])]
    return table[0], table[1:]


def numbers(cell: str) -> list[float]:
    return [float(one) for one in re.findall(r"-?\d+\.\d", cell.replace("−", "-"))]


@pytest.fixture
def groups(run_folders, tmp_path):
    (tmp_path / "artifacts").mkdir()
    two_groups(run_folders, 2)
    return find_group("cnn@quick"), find_group("cnn_lstm@quick")


@pytest.fixture
def runs(two_runs):
    return tuple(map(group_of, two_runs))


@pytest.mark.parametrize("kind", ["runs", "groups"])
def test_the_reports_numbers_are_those_of_the_tables(kind, request):
    a, b = request.getfixturevalue(kind)
    found = Tables(report_html(a, b, "clean")).found
    lines = tables.compare(a, b, "clean").to_dict("records")
    compared = {(line["metric"], line["class"]): line for line in lines}
    for metric, title in {
        "f1": "F1",
        "recall": "Recall",
        "precision": "Precision",
        "auc": "AUC",
    }.items():
        _, rows = table_with(found, f"A {title} %", "A − B, points")
        assert [row[0] for row in rows] == list(CLASSES)
        for row in rows:
            line = compared[metric, row[0]]
            assert int(row[1]) == line["support"]
            for cell, name in zip(row[2:5], ("a", "b", "difference"), strict=True):
                expected = [100 * line[f"{name}{end}"] for end in ("", "_low", "_high")]
                np.testing.assert_allclose(numbers(cell), expected, atol=0.0501)
    _, (of_a, of_b) = table_with(found, "accuracy %", "macro F1 %")
    for row, group in ((of_a, a), (of_b, b)):
        scores = evaluate(group.predictions("clean"))
        assert (int(row[1]), int(row[2])) == (group.count, scores["n"])
        for cell, name in zip(row[3:], ("accuracy", "macro_f1"), strict=True):
            expected = [scores[name], *scores[f"{name}_interval"]]
            np.testing.assert_allclose(numbers(cell), 100 * np.array(expected), atol=0.0501)


@pytest.mark.parametrize("kind", ["runs", "groups"])
def test_every_share_of_a_report_has_its_interval_and_its_n(kind, request):
    html = report_html(*request.getfixturevalue(kind))
    shares = 0
    for head, *rows in Tables(html).found:
        for place, name in enumerate(head):
            if name.endswith("%") and "votes" not in name:
                assert {"n", "answered"} & set(head), head
                shares += len(rows)
                for row in rows:
                    assert WITH_INTERVAL.fullmatch(row[place]), (name, row)
    assert shares > 100
    claim = re.search(r"<strong>(.*)</strong> (\(A − B .*)</p>", html)
    assert re.search(r"points \[.*\], .* p [=<] 0\.\d{3}, n\s=\s\d+\)\.", claim[2])
    assert NOT_FOR.split(":")[0] in html


def test_a_report_of_two_that_were_not_scored_alike_is_refused(two_runs):
    first = two_runs[0]
    cut = replace(first)
    cut.__dict__["stored_frame"] = first.stored_frame.iloc[5:]
    with pytest.raises(RunError, match="not scored on the same images"):
        report_html(group_of(first), group_of(cut), "public")


def test_another_test_set_is_told_of(two_runs, faces):
    tested = faces.part("PrivateTest")
    for seed, run in enumerate(two_runs):
        probs = np.random.default_rng(seed).dirichlet(np.ones(7), len(tested))
        keep_part(run, faces, probs.astype(np.float32), "drawn")
    a, b = (group_of(run).on("drawn") for run in two_runs)
    html = report_html(a, b, "drawn")
    assert f"drawn, {n_equals(len(tested))}" in html
    assert two_runs[0].info["dataset"]["fingerprint"] in html  # what the two learned from
    (line,) = re.findall(r"\| drawn \| .*", card(two_runs[0]))
    assert f"| {len(tested)} |" in line


def test_what_people_wrote_is_text(two_runs):
    first = two_runs[0]
    named = replace(first, info=first.info | {"dataset": {**first.info["dataset"], "name": ATTACK}})
    html = report_html(group_of(named), group_of(two_runs[1]))
    assert ATTACK not in html
    assert "&lt;script&gt;alert(1)" in html
    annotate_run(first, f"{ATTACK} **bold** [link](https://example.org) | cell")
    tokens = MarkdownIt("commonmark").enable("table").parse(card(find_run("first")))
    inside = [inner for token in tokens for inner in token.children or []]
    assert not [token for token in inside if token.type in ("html_inline", "link_open")]
    assert not [token for token in tokens if token.type == "html_block"]
    assert any(f"{ATTACK} **bold**" in token.content for token in inside)


def test_faces_are_shown_only_where_they_are_asked_for(runs):
    assert "<img" not in report_html(*runs)
    html = report_html(*runs, with_faces=True)
    assert html.count('<img src="data:image/png;base64,') > 20


def test_the_size_of_a_report_is_below_eight_megabytes(runs, tmp_path):
    path = tmp_path / "new" / "report.html"
    result = CliRunner().invoke(app, ["report", "first", "second", "--output", str(path)])
    assert result.exit_code == 0, result.output
    assert 4_000_000 < path.stat().st_size < 8_000_000
    html = path.read_text(encoding="utf-8")
    assert "default-src 'none'" in html
    assert not re.search(r'(?:src|href)="(?!data:|#)', html[: html.index("/**")])


def test_the_study_is_told_of_the_papers_pair_alone(groups, monkeypatch):
    assert not is_the_papers(*groups)
    from tests.conftest import ROOT

    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    assert is_the_papers(*list_groups()[:2])


def test_a_cards_numbers_are_those_of_the_tables(two_runs):
    first = two_runs[0]
    text = card(first)
    front = yaml.safe_load(text.split("---\n")[1])
    (results,) = [model["results"] for model in front["model-index"]]
    stored = first.metrics()
    assert len(results) == len(stored) == 3
    for told, scores in zip(results, stored.values(), strict=True):
        for metric, name in zip(told["metrics"], ("accuracy", "macro_f1"), strict=True):
            assert metric["value"] == pytest.approx(scores[name], abs=5e-5)
            assert f"n = {scores['n']}" in metric["name"]
            low, high = scores[f"{name}_interval"]
            assert numbers(metric["name"].split(":")[1])[1:] == pytest.approx(
                [100 * low, 100 * high], abs=0.0501
            )
    assert json.dumps(front)
    shares = [
        cell.strip()
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| ---")
        for cell in line.strip("| ").split(" | ")
        if re.fullmatch(r"\d+\.\d( \[.*)?", cell.strip())
    ]
    without = [cell for cell in shares if not WITH_INTERVAL.fullmatch(cell)]
    assert len(shares) > 25
    assert len(without) == 4  # the plain ECE, and what even a calibrated model's is
    assert NOT_FOR in text
    assert "Not measured (`fercore analyse first`)" in text


def test_the_pages_give_both(two_runs, monkeypatch):
    given = {}

    def keep(label, data, file_name, **options):
        given[label] = file_name, data

    monkeypatch.setattr(st, "download_button", keep)
    open_page("overview")
    name, html = given["Report to send"]
    assert name == "report_second_first_private.html"
    assert "<h1>CNN-LSTM against CNN on synthetic faces</h1>" in html().decode()
    app = open_page("runs")
    name, text = given["Download the card"]
    assert (name, text().decode()) == ("second.md", card(two_runs[1]))
    assert "Out of scope" not in said(app)
    app.toggle(key="card-shown").set_value(True).run()
    assert "Out of scope" in said(app)
    assert "library_name" not in said(app)
