"""Intervals and tests agree with SciPy, or with a brute-force computation."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm, ttest_ind, ttest_rel

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
    interval = statistics.bootstrap_interval(confusion, macro_f1)
    assert interval == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.004)


def test_paired_difference_interval_is_a_bootstrap_of_images():
    rng = np.random.default_rng(2)
    a, b = rng.random(600) < 0.65, rng.random(600) < 0.60
    picks = rng.integers(0, 600, (2000, 600))
    draws = a[picks].mean(1) - b[picks].mean(1)
    interval = statistics.paired_difference_interval(a, b)
    assert interval == pytest.approx(tuple(np.percentile(draws, [2.5, 97.5])), abs=0.006)


def test_auc_interval_is_delongs():
    rng = np.random.default_rng(4)
    positive = rng.random(300) < 0.3
    scores = np.round(rng.normal(size=300) + positive, 1)  # with ties
    wins = scores[positive][:, None] - scores[~positive][None]
    kernel = (wins > 0) + 0.5 * (wins == 0)
    variance = (
        kernel.mean(1).var(ddof=1) / positive.sum() + kernel.mean(0).var(ddof=1) / (~positive).sum()
    )
    half = 1.959963984540054 * np.sqrt(variance)
    expected = (kernel.mean() - half, kernel.mean() + half)
    assert statistics.auc_interval(positive, scores) == pytest.approx(expected, abs=1e-9)


def test_seeds_difference_with_one_seed_is_the_paired_normal_interval():
    rng = np.random.default_rng(5)
    a, b = rng.random((1, 4000)) < 0.65, rng.random((1, 4000)) < 0.62
    per_image = a[0].astype(float) - b[0]
    expected = ttest_rel(a[0].astype(float), b[0].astype(float))
    result = statistics.seeds_difference(a, b)
    assert result.value == pytest.approx(per_image.mean())
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-3)
    assert result.interval == pytest.approx(tuple(expected.confidence_interval()), abs=1e-5)


def test_seeds_difference_without_image_noise_is_welchs_t_test():
    def seeds(*accuracies):
        return np.array(
            [[1.0] * round(a * 1000) + [0.0] * round(1000 - a * 1000) for a in accuracies]
        )

    first, second = (0.64, 0.652, 0.645), (0.60, 0.63, 0.61)
    many_images = (np.tile(seeds(*values), (1, 2000)) for values in (first, second))
    result = statistics.seeds_difference(*many_images)
    expected = ttest_ind(first, second, equal_var=False)
    assert result.p_value == pytest.approx(expected.pvalue, rel=0.01)
    assert result.interval == pytest.approx(tuple(expected.confidence_interval()), rel=0.01)


def test_seeds_intervals_cover_the_truth():
    """Seeds shift the accuracy, images are drawn: of 95 % intervals about 95 % hold the mean."""
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(400):
        ease = rng.normal(size=1000)
        skill = rng.normal(0.4, 0.05, size=(3, 1))
        correct = ease + skill + rng.normal(size=(3, 1000)) > 0
        low, high = statistics.seeds_interval(correct)
        held += low <= norm.cdf(0.4 / np.sqrt(2 + 0.05**2)) <= high
    assert 0.93 <= held / 400 <= 1.0


def test_same_predictions_do_not_differ():
    correct = np.random.default_rng(7).random((1, 50)) < 0.5
    assert statistics.seeds_difference(correct, correct) == (0.0, (0.0, 0.0), 1.0)


def test_holm_by_hand():
    assert statistics.holm([0.04, 0.01, 0.9, 0.02]) == pytest.approx([0.08, 0.04, 0.9, 0.06])


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
