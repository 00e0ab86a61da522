"""A comparison says one thing, whoever asks: one interval, one sign, and no more than it can."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fercore.files import write_json
from fercore.groups.group import group_of
from fercore.groups.verdict import compares_architectures, paper_in_words, subject, title_of
from fercore.runs.artifacts import Run, find_run
from fercore.runs.ensemble import make_ensemble
from fercore.scoring.evaluation import class_differences, compare
from tests.test_cli import run
from tests.test_pages import copy_of, open_page, said


def test_b_against_a_is_a_against_b_with_the_other_sign(two_runs):
    a, b = (run.predictions() for run in two_runs)
    one, other = compare(a, b), compare(b, a)
    assert other.difference == -one.difference
    assert other.interval == (-one.interval.high, -one.interval.low)
    ours, theirs = class_differences(a, b), class_differences(b, a)
    for metric in ("recall", "precision", "f1", "auc"):
        np.testing.assert_allclose(ours[metric], -theirs[metric])
        np.testing.assert_allclose(ours[f"{metric}_low"], -theirs[f"{metric}_high"], atol=1e-12)


def test_card_page_and_command_say_the_same(two_runs):
    today = {"created": datetime.now(UTC).isoformat()}
    write_json(two_runs[0].folder / "run.json", two_runs[0].info | today)
    app = open_page("overview", a="second", b="second")
    app.button("compare-first").click().run()
    told = re.findall(r"[+−][\d.]+ points \[[^]]*\]", said(app))
    assert f"A − B: {told[0]}, exact" in run("compare", "first", "second")
    card = next(line for line in said(open_page("overview")).splitlines() if "Against" in line)
    assert f"Against second: {told[0]}, p" in card


@pytest.fixture
def relatives(two_runs) -> dict[str, Run]:
    """Runs of one architecture, by what tells them from 'first'."""
    first = two_runs[0]
    seed = copy_of(first, seed=1)
    tuned = first.folder.with_name("tuned")
    shutil.copytree(first.folder, tuned)
    started = {"run_id": "tuned", "start_from": {"run_id": "first", "dataset": "synthetic"}}
    write_json(tuned / "run.json", first.info | started)
    return {
        "seed": seed,
        "mean": make_ensemble("mean", [first, seed]),
        "tuned": find_run("tuned"),
        "recipe": replace(seed, recipe=replace(first.recipe, name="other")),
    }


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("seed", "two seeds"),
        ("mean", "B is the mean of 2 seeds, A one of them"),
        ("tuned", "B began with A's weights"),
        ("recipe", "how they were trained"),
    ],
)
def test_runs_of_one_architecture_claim_nothing_about_architectures(relatives, other, words):
    first, second = find_run("first"), relatives[other]
    pair = group_of(first), group_of(second)
    assert words in subject(*pair)
    assert "architectures" not in subject(*pair)
    assert not compares_architectures(*pair)
    assert not paper_in_words(*pair)


def test_the_overview_links_to_the_study_where_architectures_are_compared(two_runs):
    copy_of(two_runs[0], seed=1)
    for b, compared in (("second", True), ("first-1", False)):
        app = open_page("overview", a="first", b=b)
        links = [link.proto.label for link in app.get("page_link")]
        assert ("Does the LSTM lose? Over all seeds" in links) == compared
        assert ("claim about their architectures" in said(app)) == compared


def test_the_title_tells_two_runs_of_one_model_apart(two_runs):
    other = copy_of(two_runs[0], seed=1)
    title = title_of({"A": group_of(two_runs[0]), "B": group_of(other)})
    assert title == "CNN on drawn faces: quick, seed 0 against quick, seed 1"


def test_the_weakest_class_and_its_figure_are_of_one_metric(two_runs):
    app = open_page("overview", a="first", b="second")
    link = next(link.proto for link in app.get("page_link") if "A finds" in link.proto.label)
    name = link.label.split(":")[0]
    classes = find_run("first").metrics()["private"]["per_class"]
    shares = {row["class"]: row["recall"] for row in classes}
    assert shares[name] == min(shares.values())
    assert f"finds {100 * shares[name]:.1f}\u00a0%" in link.label
    assert "metric=recall" in link.query_string
