"""What copies do to a score: how much is knowing them, and how much that they are easy."""

from dataclasses import replace

import numpy as np
import pytest

from fercore.analysis.copies import copies_effect, training_accuracies, unlearned_run
from fercore.groups.finding import find_group
from fercore.groups.group import group_of
from fercore.runs.listing import find_run, list_runs
from fercore.scoring.grouped.predictions import GroupPredictions, grouped
from fercore.scoring.predictions import Predictions
from tests.conftest import ROOT
from tests.test_pages import open_page, said


def answers(right) -> GroupPredictions:
    probs = np.where(right[:, None], np.eye(7)[0], np.eye(7)[1]).astype(np.float32)
    rows = np.arange(len(right))
    return grouped([Predictions(rows, rows, np.zeros(len(right), np.int64), probs)])


def test_what_knowing_copies_adds_is_found_and_covered():
    """Copies are easier by a tenth for both; one of the two knows a tenth more of them."""
    rng, covered, copies = np.random.default_rng(0), [], np.arange(2000) < 300
    for _ in range(400):
        ease = rng.uniform(size=2000) - 0.1 * copies
        known = ease - 0.1 * copies + rng.normal(0, 0.1, 2000) < 0.6
        effect = copies_effect(
            answers(known), answers(ease + rng.normal(0, 0.1, 2000) < 0.6), copies
        )
        covered.append(effect.interval.low <= 0.1 <= effect.interval.high)
        assert effect.more == pytest.approx(effect.gap - effect.easy)
    assert 0.93 <= np.mean(covered) <= 0.97
    with pytest.raises(ValueError, match="two copies"):
        copies_effect(answers(known), answers(known), copies & False)


def test_a_model_that_knows_nothing_by_heart_is_no_better_on_training(two_runs):
    run = two_runs[0]
    assert training_accuracies(run) == pytest.approx((0.4, 0.38))
    assert unlearned_run(two_runs, run) is None  # two points better on Training
    assert training_accuracies(replace(run, info={**run.info, "best_epoch": 9})) is None


def test_the_audit_says_how_much_of_it_is_that_copies_are_easy(monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    known = unlearned_run(list_runs(), find_run("cnn-s0"))
    table = known.prediction_frame
    copied = table.loc[table["usage"] == "PrivateTest", "copy"].to_numpy()
    group, reference = find_group("cnn@paper").predictions(), group_of(known).predictions()
    effect = copies_effect(group, reference, copied)
    words = said(open_page("data_audit", a="cnn@paper", b="cnn_lstm-s0"))
    assert f"is right on {100 * group.correct.mean():.1f} % of all images" in words
    assert "Part of that is that copies are easy." in words
    right = known.predictions().correct
    assert f"{100 * right[copied].mean():.1f} % of the copies" in words
    assert f"what knowing them may add is +{100 * effect.more:.1f} points" in words
