"""Intervals and tests agree with SciPy, or with a brute-force computation."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from fercore.scoring import metrics, statistics


@pytest.mark.parametrize(("successes", "n"), [(0, 55), (7, 55), (2270, 3589), (3589, 3589)])
def test_wilson(successes, n):
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert statistics.wilson_interval(successes, n) == pytest.approx(tuple(expected), abs=1e-9)


def test_sampling_error_of_fer2013s_test_part():
    low, high = statistics.wilson_interval(round(0.73 * 3589), 3589)
    assert (high - low) / 2 == pytest.approx(0.0145, abs=2e-4)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (5, 5), (1, 9), (120, 80), (445, 389)])
def test_mcnemar(only_a, only_b):
    a = np.array([True] * only_a + [False] * only_b + [True] * 50)
    b = np.array([False] * only_a + [True] * only_b + [True] * 50)
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    result = statistics.mcnemar(a, b)
    assert (result.only_a, result.only_b) == (only_a, only_b)
    assert result.p_value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("images", [300, 3589])
def test_the_interval_of_a_mean_of_images_holds_it(images):
    """Of losses and of probabilities given to votes: skewed as they are."""
    rng = np.random.default_rng(7)
    for truth, values in ((1.15, rng.gamma(1, 1.15, (2000, images))),
                          (0.4, rng.beta(0.8, 1.2, (2000, images)))):  # fmt: skip
        bounds = np.array([statistics.mean_interval(drawn) for drawn in values])
        assert 0.93 <= ((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).mean() <= 0.97


def test_bootstrap_of_a_confusion_matrix_is_a_bootstrap_of_images():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 7, 800)
    predicted = np.where(rng.random(800) < 0.6, labels, rng.integers(0, 7, 800))

    def macro_f1(confusion):
        return metrics.macro(metrics.class_scores(confusion).f1, confusion)

    draws = []
    for _ in range(2000):
        pick = rng.integers(0, 800, 800)
        draws.append(macro_f1(metrics.confusion_matrix(labels[pick], predicted[pick])))
    confusion = metrics.confusion_matrix(labels, predicted)
    interval = statistics.bootstrap_bounds(confusion, macro_f1)
    assert tuple(interval) == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.004)


def test_paired_difference_interval_is_a_bootstrap_of_images():
    rng = np.random.default_rng(2)
    a, b = rng.random(600) < 0.65, rng.random(600) < 0.60
    picks = rng.integers(0, 600, (2000, 600))
    draws = a[picks].mean(1) - b[picks].mean(1)
    interval = statistics.paired_difference_interval(a, b)
    assert interval == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.006)


def test_auc_interval_is_wilsons_of_delongs_variance():
    rng = np.random.default_rng(4)
    positive = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + positive, 1)  # with ties
    wins = scores[positive][:, None] - scores[~positive][None]
    kernel = (wins > 0) + 0.5 * (wins == 0)
    auc, parts = kernel.mean(), (np.append(kernel.mean(axis), 0.5) for axis in (0, 1))
    variance = sum(part.var(ddof=1) / len(part) for part in parts)
    for end in statistics.auc_interval(positive, scores):  # were it the truth, at the very edge
        there = variance * end * (1 - end) / (auc * (1 - auc))
        assert abs(auc - end) / np.sqrt(there) == pytest.approx(1.959963984540054)


def test_auc_interval_of_the_extremes():
    assert np.isnan(statistics.auc_interval(np.array([True, False, False]), np.arange(3.0))).all()
    certain = statistics.auc_interval(np.arange(20) >= 10, np.arange(20.0))
    assert certain.high == 1
    assert 0.6 < certain.low < 0.8, "Wilson's of ten of ten"
    never = statistics.auc_interval(np.arange(20) >= 10, np.zeros(20))  # a class that is never said
    assert never == pytest.approx(statistics.wilson_interval(5, 10))


def test_holm_by_hand():
    assert statistics.holm(np.array([0.04, 0.01, 0.9, 0.02])) == pytest.approx(
        [0.08, 0.04, 0.9, 0.06]
    )


def test_auc_difference_is_delongs():
    rng = np.random.default_rng(8)
    positive = rng.random(400) < 0.3
    skill = rng.normal(size=400) + positive
    first, second = (np.round(skill + rng.normal(size=400) * w, 1) for w in (0.5, 1.5))

    def kernel(scores):
        wins = scores[positive][:, None] - scores[~positive][None]
        return (wins > 0) + 0.5 * (wins == 0)

    gap = kernel(first) - kernel(second)
    variance = (
        gap.mean(1).var(ddof=1) / positive.sum() + gap.mean(0).var(ddof=1) / (~positive).sum()
    )
    result = statistics.auc_difference(positive, first, second)
    assert result.value == pytest.approx(gap.mean())
    half = 1.959963984540054 * np.sqrt(variance)
    assert result.interval == pytest.approx((gap.mean() - half, gap.mean() + half))
    assert result.p_value == pytest.approx(2 * norm.sf(abs(gap.mean()) / np.sqrt(variance)))
