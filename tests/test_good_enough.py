"""Thresholds agree with scikit-learn and with counting; `fercore check` says what is met."""

import json
import math

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import precision_recall_curve
from typer.testing import CliRunner

from fercore.cli import app
from fercore.errors import ConfigError, RunError
from fercore.groups import costs
from fercore.groups.checking import check
from fercore.groups.costs import Cost, measured_cost, median_interval
from fercore.groups.finding import find_group
from fercore.groups.requirements import Requirement, read_requirement
from fercore.labels import CLASSES
from fercore.scoring import calibration
from fercore.scoring.ece import debiased_ece
from fercore.scoring.evaluation import class_table, evaluate
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.grouped.thresholds import (
    Wish,
    choose_thresholds,
    threshold_for,
    withhold,
)
from fercore.scoring.statistics import Interval, wilson_interval
from tests.seeds import two_groups
from tests.test_calibration import drawn, table


def small(answers: list[tuple[int, int, float]]):
    """A table of (label, answer, confidence) each; what is left is spread over the others."""
    probs = np.array([[(1 - p) / 6] * 7 for _, _, p in answers])
    for line, (_, said, p) in zip(probs, answers):
        line[said] = p
    return table([label for label, _, _ in answers], probs)


# Answers 'fear' (2), surest first: right, right, wrong, right, wrong; and one 'sad' (4), wrong.
BY_HAND = small([(2, 2, 0.9), (2, 2, 0.8), (0, 2, 0.7), (2, 2, 0.6), (0, 2, 0.5), (2, 4, 0.4)])


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (Wish(2, "precision", 1.0), 0.8),
        (Wish(2, "precision", 0.75), 0.6),
        (Wish(2, "precision", 0.6), 0.0),  # of all five: nothing needs to be withheld
        (Wish(2, "precision", 0.0), 0.0),
        (Wish(4, "precision", 0.1), math.inf),  # its one answer is wrong
        (Wish(0, "precision", 0.1), math.inf),  # never said: nothing shows that it would be right
        (Wish(2, "false_alarms", 0.0), 0.8),
        (Wish(2, "false_alarms", 0.5), 0.6),  # one of the two images of other classes
        (Wish(2, "false_alarms", 1.0), 0.0),
        (Wish(4, "false_alarms", 0.1), math.inf),  # a sixth, wherever the threshold lies
        (Wish(0, "false_alarms", 0.0), 0.0),
    ],
)
def test_the_lowest_threshold_by_hand(wish, expected):
    assert threshold_for(BY_HAND, wish) == pytest.approx(expected)


@pytest.mark.parametrize(("metric", "wanted"), [("precision", 0.6), ("false_alarms", 0.1)])
def test_surely_asks_the_end_of_the_interval(metric, wanted):
    public = drawn(2000, seed=5)
    lowest = math.inf
    others = int((public.labels != 2).sum())
    for at in public.confidence[public.predicted == 2]:
        said = (public.predicted == 2) & (public.confidence >= at)
        hits, n = int(public.correct[said].sum()), int(said.sum())
        low, _ = wilson_interval(hits, n)
        _, high = wilson_interval(n - hits, others)
        if low >= wanted if metric == "precision" else high <= wanted:
            lowest = min(lowest, at)
    least = public.confidence[public.predicted == 2].min()
    expected = 0.0 if lowest == least else float(lowest)
    found = threshold_for(public, Wish(2, metric, wanted, sure=True))
    assert found == pytest.approx(expected)
    assert found >= threshold_for(public, Wish(2, metric, wanted))


def test_several_wishes_for_a_class_hold_together():
    """A precision does not rise steadily with the threshold: at the higher of two it may fail."""
    answers = [(0, 2, 0.9), (2, 2, 0.8), (2, 2, 0.7), (0, 2, 0.6), (0, 2, 0.5)]
    public = small([*answers, (0, 0, 0.9)])
    precise, quiet = Wish(2, "precision", 0.6), Wish(2, "false_alarms", 0.0)
    assert threshold_for(public, precise) == pytest.approx(0.7)
    assert threshold_for(public, precise, quiet) == math.inf
    some = Wish(2, "false_alarms", 0.5)
    chosen = next(iter(choose_thresholds(grouped([public]), [some, precise]).values()))
    assert chosen[2] == pytest.approx(0.7)
    said = (public.predicted == 2) & (public.confidence >= chosen[2])
    assert public.correct[said].mean() >= 0.6


def test_answers_of_one_confidence_go_together():
    tied = small([(2, 2, 0.9), (2, 2, 0.7), (0, 2, 0.7), (0, 2, 0.6)])
    assert threshold_for(tied, Wish(2, "precision", 0.9)) == pytest.approx(0.9)


@pytest.mark.parametrize("k", range(7))
@pytest.mark.parametrize("wanted", [0.5, 0.7, 0.9, 0.99])
def test_the_threshold_is_scikit_learns(k, wanted):
    public = drawn(3000, sharpened=1.4, seed=k)
    said = public.predicted == k
    precision, _, at = precision_recall_curve(public.labels[said] == k, public.probs[said, k])
    lowest = at[precision[:-1] >= wanted].min(initial=math.inf)
    expected = 0.0 if lowest == at.min() else lowest
    assert threshold_for(public, Wish(k, "precision", wanted)) == pytest.approx(expected)


def test_what_is_left_is_counted_on_the_other_images():
    public, private = grouped([drawn(2000, seed=1)]), grouped([drawn(1500, seed=2)])
    wishes = [Wish(k, "precision", 0.8) for k in range(7)]
    chosen = choose_thresholds(public, wishes)
    (own,) = chosen.values()
    left = withhold(private, chosen)
    hits = said = true = answered = 0
    for label, probs in zip(private.labels, private.probs[0]):
        answer = int(probs.argmax())
        given = probs[answer] >= own[answer]
        answered += given
        said += given and answer == 2
        hits += given and answer == 2 and label == 2
        true += label == 2
    assert left.coverage()[:2] == (answered / 1500, wilson_interval(answered, 1500))
    assert left.precision(2)[:2] == (hits / said, wilson_interval(hits, said))
    assert left.recall(2)[:2] == (hits / true, wilson_interval(hits, true))
    alarms = said - hits
    assert left.false_alarms(2)[:2] == (
        alarms / (1500 - true), wilson_interval(alarms, 1500 - true)
    )  # fmt: skip
    on_public = withhold(public, chosen)
    assert all(on_public.precision(k).value >= 0.8 for k in range(7))


def test_a_wish_that_cannot_be_met_is_answered_by_silence():
    chosen = choose_thresholds(grouped([BY_HAND]), [Wish(4, "precision", 0.5)])
    left = withhold(grouped([BY_HAND]), chosen)
    assert (left.silent(4), left.silent(2)) == (1, 0)
    assert math.isnan(left.precision(4).value)
    assert left.coverage().value == 5 / 6


def test_a_group_is_the_mean_of_its_seeds_that_answer():
    rng = np.random.default_rng(0)
    first = drawn(900, seed=3)
    others = [table(first.labels, softened(first.probs, rng)) for _ in range(2)]
    group = grouped([first, *others])
    wishes = [Wish(2, "precision", 0.7)]
    left = withhold(group, choose_thresholds(group, wishes))
    alone = [
        withhold(grouped([own]), choose_thresholds(grouped([own]), wishes)) for own in group.tables
    ]
    for figure in ("precision", "recall", "false_alarms"):
        value, interval, _ = getattr(left, figure)(2)
        assert value == pytest.approx(np.mean([getattr(own, figure)(2).value for own in alone]))
        assert interval.low < value < interval.high
    assert left.coverage().value == pytest.approx(np.mean([own.coverage().value for own in alone]))


def softened(probs, rng):
    noisy = probs * np.exp(rng.normal(size=probs.shape) / 3)
    return noisy / noisy.sum(1, keepdims=True)


def test_seeds_without_publictest_are_left_out():
    group = grouped([drawn(50), drawn(50)], names=["one", "two"])
    left = withhold(group, {"two": np.zeros(7)})
    assert left.group.names == ("two",)
    with pytest.raises(RunError, match="PublicTest"):
        withhold(group, {"three": np.zeros(7)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy", "FIGURE=NUMBER"),
        ("accuracy=much", "FIGURE=NUMBER"),
        ("accuracy=nan", "FIGURE=NUMBER"),
        ("accuracy=70", "0.70 for 70 %"),
        ("beauty=0.7", "accuracy, macro_f1"),
        ("recall=0.7", "recall[fear]"),
        ("accuracy[fear]=0.7", "'accuracy'"),
        ("recall[joyful]=0.7", "seven expressions"),
        ("latency_ms=-1", "0 upwards"),
    ],
)
def test_a_malformed_requirement_is_told_how_to_write_it(text, said):
    with pytest.raises(ConfigError) as told:
        read_requirement(text, "min")
    assert said in str(told.value)


def test_a_requirement_is_read_and_written():
    wanted = read_requirement(" recall[ Fearful ] = 0.45", "min")
    assert wanted == Requirement("min", "recall", CLASSES.index("fear"), 0.45)
    assert wanted.option() == "--min 'recall[fear]=0.45'"


def run(*arguments: str):
    return CliRunner().invoke(app, ["check", *arguments])


def test_the_figures_are_those_of_the_other_commands(two_runs):
    table = two_runs[0].predictions()
    names = ("accuracy", "macro_f1", "macro_auc", "ece", "brier", "log_loss", "recall[fear]",
             "precision[sad]", "f1[happy]", "auc[fear]")  # fmt: skip
    required = [read_requirement(f"{name}=0.5", "min") for name in names]
    found = dict(zip(names, check(find_group("first"), required)))
    scores, classes = evaluate(table), class_table(table).set_index("class")
    for name in ("accuracy", "macro_f1"):
        assert found[name].value == pytest.approx(scores[name])
        assert found[name].interval == pytest.approx(tuple(scores[f"{name}_interval"]))
    assert found["macro_auc"].value == pytest.approx(scores["macro_auc"])
    assert found["recall[fear]"].value == pytest.approx(classes["recall"]["fear"])
    assert found["auc[fear]"].interval.low == pytest.approx(classes["auc_low"]["fear"])
    assert (found["ece"].value, found["ece"].interval) == debiased_ece(table)
    assert found["brier"].value == pytest.approx(calibration.brier_score(table))
    expected = calibration.negative_log_likelihood(table)
    assert found["log_loss"].value == pytest.approx(expected, rel=1e-5)


def test_the_exit_code_says_whether_all_are_met(two_runs):
    accuracy = two_runs[0].metrics()["private"]["accuracy"]
    met = run("first", "--min", f"accuracy={accuracy - 0.01:.3f}")
    assert (met.exit_code, "all are met" in met.stdout) == (0, True)
    sure = run("first", "--min", f"accuracy={accuracy - 0.01:.3f}", "--sure")
    assert (sure.exit_code, "Not good enough: accuracy" in sure.stdout) == (1, True)
    assert run("first", "--max", "accuracy=0.01").exit_code == 1


def test_a_file_of_lines_is_added_to_what_is_asked(two_runs, tmp_path):
    file = tmp_path / "wanted.txt"
    file.write_text("# of the product\n\n--min accuracy=0.01  # little\n--max 'recall[fear]=1'\n")
    found = run("first", "--from", str(file), "--min", "f1[sad]=0", "--json")
    assert found.exit_code == 0
    figures = json.loads(found.stdout)["figures"]
    assert [each["figure"] for each in figures] == ["accuracy", "recall[fear]", "f1[sad]"]
    assert all(each["low"] <= each["value"] <= each["high"] for each in figures)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("--min accuracy=0.5\naccuracy=0.5\n", "line 2"),
        ("--min 'accuracy=0.5", "line 1"),
        ("--min beauty=1", "There is no figure 'beauty'"),
        ("# nothing", "requires nothing"),
    ],
)
def test_a_malformed_file_is_told_by_its_line(two_runs, tmp_path, content, said):
    (tmp_path / "wanted.txt").write_text(content)
    told = run("first", "--from", str(tmp_path / "wanted.txt"))
    assert (told.exit_code, said in told.stderr) == (2, True), told.stderr


THRESHOLDS = ("first", "--thresholds", "--min", "precision[sad]=0.1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody", "--min", "accuracy=0.1"], "no complete run"),
        (["first"], "Nothing is required"),
        (["first", "--from", "nowhere.txt"], "cannot be read"),
        (["first", "--min", "accuracy=0.1", "--part", "all"], "no part"),
        (
            ["first", "--min", "precision[sad]=0.1", "--thresholds", "--part", "public"],
            "PublicTest",
        ),
        (
            ["first", "--min", "precision[sad]=0.1", "--min", "ece=0", "--thresholds"],
            "leave it out",
        ),
    ],
)
def test_a_mistake_is_not_taken_for_an_answer(two_runs, arguments, said):
    told = run(*arguments)
    assert (told.exit_code, told.stdout) == (2, "")
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_group_is_checked_with_intervals_of_seeds_and_images(run_folders):
    two_groups(run_folders)
    found = run(
        "cnn@quick", "--min", "recall[fear]=0.1", "--max", "ece=1", "--json", "--part", "clean"
    )
    told = json.loads(found.stdout)
    assert (told["model"], told["part"]) == ("cnn@quick", "clean")
    assert told["figures"][0]["low"] < told["figures"][0]["value"]


def test_with_thresholds_the_wish_holds_of_what_is_answered(two_runs):
    asked = ["--thresholds", "--min", "precision[sad]=0.7", "--min", "coverage=0", "--json"]
    precision, coverage = json.loads(run("first", *asked).stdout)["figures"]
    chosen = choose_thresholds(
        find_group("first").predictions("public"), [Wish(CLASSES.index("sad"), "precision", 0.7)]
    )
    left = withhold(find_group("first").predictions("private"), chosen)
    assert precision["value"] == left.precision(CLASSES.index("sad")).value
    assert coverage["value"] == left.coverage().value < 1


def test_the_cost_is_measured_in_a_process_of_its_own(two_runs):
    found = measured_cost(find_group("first"))
    assert 0 < found.interval.low <= found.milliseconds <= found.interval.high
    assert found.size == (two_runs[0].folder / "weights.safetensors").stat().st_size
    assert found.memory is None or found.memory > 10**8


def test_the_interval_of_a_median_is_between_two_of_the_values():
    low, high = median_interval([float(n) for n in range(1, 61)])
    below = binom.cdf([low - 1, high - 1], 60, 0.5)  # as many lie below the true median
    assert below == pytest.approx([0.025, 0.975], abs=0.015)


def test_latency_is_judged_by_the_median_and_surely_by_its_upper_end(two_runs, monkeypatch):
    cost = Cost(4.0, Interval(3.0, 6.0), 10**6, None)
    monkeypatch.setattr("fercore.groups.checking.measured_cost", lambda group: cost)
    assert run("first", "--max", "latency_ms=5").exit_code == 0
    assert run("first", "--max", "latency_ms=5", "--sure").exit_code == 1
    assert "not known" in run("first", "--max", "memory_mb=5").stderr


def test_what_has_no_weights_is_not_measured(two_runs):
    from fercore.runs.ensemble import make_ensemble
    from tests.test_pages import copy_of

    make_ensemble("both", [two_runs[0], copy_of(two_runs[0], seed=1)])
    told = run("both", "--max", "latency_ms=5")
    assert told.exit_code == 2
    assert "Choose a run that was trained here" in told.stderr


def test_a_machine_that_is_too_busy_is_said(two_runs, monkeypatch):
    monkeypatch.setattr(costs, "_SECONDS", 0.01)
    with pytest.raises(RunError, match="too busy"):
        measured_cost(find_group("first"))
