"""A comparison says one thing, whoever asks: one interval, one sign, and no more than it can."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fercore.files import write_json
from fercore.groups.finding import find_group
from fercore.groups.group import group_of
from fercore.groups.verdict import (
    compares_architectures,
    paper_in_words,
    power_in_words,
    subject,
    title_of,
    verdict,
)
from fercore.importing.table_run import Named
from fercore.report.page import report_html
from fercore.runs.artifacts import Run
from fercore.runs.changes import annotate_run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run
from fercore.scoring.evaluation import class_differences, compare
from fercore.scoring.grouped.comparison import (
    BOOTSTRAP,
    STUDENT,
    CrossedDifference,
    GroupComparison,
)
from fercore.scoring.statistics import Interval
from tests.seeds import two_groups
from tests.test_cli import run
from tests.test_labels_alone import imported
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


def compared(low, high, p) -> GroupComparison:
    value, interval = (low + high) / 2, Interval(low, high)
    found = CrossedDifference(
        value, interval, interval, interval, interval, p, 1.0, 0.0096, (0.3, 0.5, 0.2), (20, 20), 9
    )
    return GroupComparison(
        3276, 20, 20, 0.6, interval, 0.6, interval, value, interval, p, STUDENT, crossed=found
    )


def test_the_test_that_gave_the_p_is_named():
    result = compared(0.002, 0.03, 0.03)
    assert "Student's t over seeds and images" in verdict(result).evidence
    wider = replace(result.crossed, student=Interval(0.004, 0.028))
    assert wider.by_bootstrap
    found = replace(result, crossed=wider, test=BOOTSTRAP)
    assert "bootstrap of seeds and images" in verdict(found).evidence


@pytest.mark.parametrize(
    ("result", "claim", "margin"),
    [
        (compared(-0.01, 0.02, 0.5), "No difference beyond chance", "is open"),
        (compared(0.002, 0.03, 0.03), "A is right", "is open"),
        (compared(0.012, 0.03, 0.001), "A is right", "It is larger than ±1 point"),
        (compared(-0.009, -0.001, 0.02), "B is right", "It is within ±1 point"),
        (compared(-0.005, 0.006, 0.8), "No difference", "It is within ±1 point"),
    ],
)
def test_no_difference_is_not_called_equality(result, claim, margin):
    assert claim in verdict(result).claim
    words = power_in_words(result).replace("\u00a0", " ")
    assert margin in words
    assert "20 seeds each could have shown a true difference of 1.0 points or more" in words
    assert "30 % comes from the seeds, 50 % from the images, and 20 % is the rest" in words
    alone = power_in_words(replace(result, seeds_b=1))
    assert "20 seeds against one run could" in alone


def test_a_group_and_one_of_its_seeds_are_told_apart(run_folders):
    two_groups(run_folders)
    group, alone = find_group("cnn@quick"), group_of(find_run("cnn-1"))
    assert "A and B are the same group" in subject(group, group)
    assert "B is one of the seeds of A" in subject(group, alone)
    assert "A is a single run" in subject(group_of(find_run("lstm-0")), group)
    assert "two groups" in subject(group, find_group("cnn_lstm@quick"))
    title = title_of({"A": group, "B": alone})
    assert title == "CNN on synthetic faces: quick, 3 seeds against quick, seed 1"


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
    assert title == "CNN on synthetic faces: quick, seed 0 against quick, seed 1"
    other = copy_of(two_runs[0], seed=0)
    title = title_of({"A": group_of(two_runs[0]), "B": group_of(other)})
    assert title == "CNN on synthetic faces: first against first-0"


def test_the_weakest_class_and_its_figure_are_of_one_metric(two_runs):
    app = open_page("overview", a="first", b="second")
    link = next(link.proto for link in app.get("page_link") if "A finds" in link.proto.label)
    name = link.label.split(":")[0]
    classes = find_run("first").metrics()["private"]["per_class"]
    shares = {row["class"]: row["recall"] for row in classes}
    assert shares[name] == min(shares.values())
    assert f"finds {100 * shares[name]:.1f}\u00a0%" in link.label
    assert "metric=recall" in link.query_string


def test_what_speaks_against_a_figure_stands_on_the_page_and_in_the_report(two_runs):
    elsewhere = imported(two_runs[1], Named("theirs"), probabilities=True)
    annotate_run(elsewhere, "Chosen on PrivateTest, *they say*.")
    app = open_page("overview", a="first", b="theirs")
    assert any("Chosen on PrivateTest, \\*they say\\*" in one.value for one in app.warning)
    assert not any("PublicTest chose" in one.value for one in app.warning)
    app = open_page("overview", a="first", b="second", part="public")
    assert any("PublicTest chose the epochs" in one.value for one in app.warning)
    assert "faces that they had not seen" not in said(app)
    pair = group_of(two_runs[0]), group_of(find_run("theirs"))
    assert "Chosen on PrivateTest" in report_html(*pair)
    assert "PublicTest chose the epochs" in report_html(*pair, "public")
    assert "PublicTest chose the epochs" not in report_html(*pair)


def test_two_single_runs_are_said_to_be_that_before_anything_is_opened(two_runs):
    app = open_page("overview", a="first", b="second")
    assert any("two models trained once each" in one.value for one in app.caption)


def test_a_model_against_itself_is_no_comparison(run_folders):
    two_groups(run_folders)
    words = said(open_page("overview", a="cnn@quick", b="cnn@quick"))
    assert "**A and B are the same group.**" in words
    assert "beyond chance" not in words.partition("the same group")[2].partition("Probability")[0]


def test_where_a_cannot_be_asked_b_can_take_its_place(two_runs):
    imported(two_runs[1], Named("theirs"), probabilities=True)
    app = open_page("predict", a="theirs", b="first")
    assert "no weights" in said(app)
    app.button("swap").click().run()
    assert (app.session_state["a"], app.session_state["b"]) == ("first", "theirs")
    assert app.get("file_uploader")


def test_a_title_names_what_was_changed_of_a_recipe(two_runs):
    run = replace(two_runs[0], recipe=replace(two_runs[0].recipe, learning_rate=0.5))
    assert " · quick,learning_rate=0.5 · seed 0" in group_of(run).title
