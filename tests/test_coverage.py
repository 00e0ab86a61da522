"""95 % intervals hold the truth in 95 of 100 draws, and tests at 0.05 err in 5 of 100.

`benchmarks/coverage.py` says it more exactly, and for more numbers of images. That of the ECE is
tested in test_calibration.py, those of groups of seeds in test_groups.py and test_influence.py.
"""

from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from benchmarks import coverage
from fercore.labels import CLASSES
from fercore.scoring import metrics, ratios, statistics


@cache
def everything():
    """Two shipped runs' counts (7, 7, 7), which stand for all images there are."""
    a, b = coverage.population()
    return np.bincount((a.labels * 7 + a.predicted) * 7 + b.predicted, minlength=343)


def drawn(images, rng):
    return rng.multinomial(images, everything() / everything().sum()).reshape(7, 7, 7)


@pytest.mark.parametrize("images", [250, 700])
def test_intervals_of_ratios_and_their_differences_hold_the_truth(images):
    rng, whole = np.random.default_rng(1), everything().reshape(7, 7, 7)
    true, held, macro = ratios.ratio_differences(whole), defaultdict(list), []
    scores = metrics.class_scores(whole.sum(2))
    for _ in range(300):
        joint = drawn(images, rng)
        for name, (low, high) in ratios.ratio_intervals(joint.sum(2)).items():
            value = getattr(scores, name)
            held[name].append((low <= value) & (value <= high))
        for name, gaps in ratios.ratio_differences(joint).items():
            inside = (gaps.low <= true[name].value) & (true[name].value <= gaps.high)
            held[f"A − B, {name}"].append(inside)
        bounds = ratios.macro_f1_interval(joint.sum(2))
        macro.append(bounds.low <= scores.f1.mean() <= bounds.high)
    assert 0.93 <= np.mean(macro) <= 0.97
    for draws in held.values():
        assert 0.93 <= np.mean(draws) <= 0.97
        assert np.min(np.mean(draws, 0)) >= 0.91, "of disgust too, which has four images in 250"


def test_tests_of_ratios_call_one_in_twenty_where_there_is_no_difference():
    rng, called = np.random.default_rng(2), []
    for _ in range(300):
        joint = drawn(700, rng)
        kept = rng.binomial(joint, 0.5)  # the others change places
        gaps = ratios.ratio_differences(kept + (joint - kept).swapaxes(1, 2))
        p_values = np.array([gaps[name].p_value for name in ratios.RATIOS])
        corrected = np.array([statistics.holm(line) for line in p_values])
        called.append([(p_values < 0.05).mean(1), (corrected < 0.05).any(1)])
    alone, families = np.mean(called, axis=0)
    assert ((alone >= 0.03) & (alone <= 0.07)).all()
    assert (families <= 0.07).all()


def test_the_other_intervals_and_tests_in_a_few_draws():
    """So few that they show a gross error; `benchmarks/coverage.py` has many."""
    held = coverage.coverage(images=300, trials=60, seed=1)
    of_all = held.loc[["accuracy", "accuracy of the surest", "A − B, accuracy"], "all"]
    assert of_all.min() >= 0.86
    for figure in ("auc", "A − B, auc"):
        assert 0.90 <= held.loc[figure, list(CLASSES)].mean() <= 0.99
    called = coverage.false_alarms(images=300, trials=60, seed=2)
    assert called["all"]["accuracy"] <= 0.12
    assert 0.01 <= called.loc["auc", list(CLASSES)].mean() <= 0.09
    assert called["family"]["cells"] <= 0.1


def test_the_widest_gap_between_groups_holds_the_truth_of_the_two_that_were_chosen():
    """So few draws that the mean over the classes tells; `benchmarks/coverage.py` has more."""
    cases = (2, 0.0), (5, 0.0), (5, 0.3)
    held = coverage.gaps_coverage(images=1500, trials=40, seed=3, cases=cases)
    of_case = held.mean(axis=1).groupby(lambda name: name.rpartition(",")[0]).mean()
    assert len(of_case) == len(cases)
    assert of_case.between(0.91, 0.98).all(), of_case
    assert 0.93 <= of_case.mean() <= 0.97


def joint(rng, images):
    """Counts (7, 7, 7) of two models of some classes, many or few."""
    labels = rng.integers(7, size=images)
    both = np.where(rng.random(images) < 0.5, labels, rng.integers(7, size=images))
    a, b = (np.where(rng.random(images) < 0.7, both, rng.integers(7, size=images)) for _ in "ab")
    return np.bincount((labels * 7 + a) * 7 + b, minlength=343).reshape(7, 7, 7)


@pytest.mark.parametrize("images", [0, 1, 9, 60, 3589])
def test_p_and_interval_say_the_same(images):
    rng = np.random.default_rng(3)
    for _ in range(20):
        for gaps in ratios.ratio_differences(joint(rng, images)).values():
            assert ((gaps.low <= gaps.value) & (gaps.value <= gaps.high)).all()
            leaves_out_0 = (gaps.low > 0) | (gaps.high < 0)
            assert (leaves_out_0 == (gaps.p_value < 0.05)).all()


def test_a_difference_is_one_whichever_way_round():
    counts = joint(np.random.default_rng(4), 300)
    there, back = (ratios.ratio_differences(of) for of in (counts, counts.swapaxes(1, 2)))
    for name in ratios.RATIOS:
        np.testing.assert_allclose(there[name].value, -back[name].value)
        np.testing.assert_allclose(there[name].low, -back[name].high)
        np.testing.assert_allclose(there[name].p_value, back[name].p_value)


def test_of_many_images_the_closed_form_is_the_bootstraps():
    counts = joint(np.random.default_rng(5), 3589)
    draws = statistics.resampled(counts, 4000)
    a, b = (metrics.class_scores(draws.sum(axis)) for axis in (3, 2))
    for name, gaps in ratios.ratio_differences(counts).items():
        low, high = statistics.percentiles(getattr(a, name) - getattr(b, name))
        np.testing.assert_allclose([gaps.low, gaps.high], [low, high], atol=0.006)
        low, high = statistics.percentiles(getattr(a, name))
        own = ratios.ratio_intervals(counts.sum(2))[name]
        np.testing.assert_allclose(own, [low, high], atol=0.006)
    macro = statistics.percentiles(metrics.macro_f1(draws.sum(3)))
    assert ratios.macro_f1_interval(counts.sum(2)) == pytest.approx(tuple(macro), abs=0.003)


def test_recalls_interval_is_wilsons_and_f1s_holds_what_it_should():
    counts = joint(np.random.default_rng(6), 200).sum(2)
    low, high = ratios.ratio_intervals(counts)["recall"]
    expected = statistics.wilson_interval(counts[2, 2], counts[2].sum())
    assert (low[2], high[2]) == pytest.approx(expected)
    f1 = metrics.class_scores(counts).f1
    low, high = ratios.ratio_intervals(counts)["f1"]
    assert ((low < f1) & (f1 < high)).all()


def test_a_bootstrap_of_a_small_class_draws_enough_for_steady_ends():
    a, _ = coverage.population()
    counts = metrics.confusion_matrix(a.labels, a.predicted)
    ends = [
        statistics.bootstrap_bounds(counts, lambda drawn: metrics.class_scores(drawn).f1, seed=seed)
        for seed in range(4)
    ]
    assert np.ptp(ends, axis=0).max() < 0.005
    assert np.std(ends, axis=0).max() < 0.002
