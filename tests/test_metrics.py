"""Metrics agree with scikit-learn, to 1e-9."""

import numpy as np
import pytest
from sklearn import metrics as reference

from fercore.scoring import metrics

TOLERANCE = 1e-9


@pytest.fixture(params=["plain", "ties", "absent class", "never predicted"])
def sample(request):
    """Labels (N,) and probabilities (N, 7) that are right more often than chance."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 7, 500)
    if request.param == "absent class":
        labels[labels == 1] = 0
    logits = rng.normal(size=(500, 7))
    logits[np.arange(500), labels] += 1
    if request.param == "never predicted":
        logits[:, 2] -= 50
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if request.param == "ties":
        probs = np.round(probs, 1) + 1e-3
        probs /= probs.sum(1, keepdims=True)
    return labels, probs


def test_confusion_matrix(sample):
    labels, probs = sample
    expected = reference.confusion_matrix(labels, probs.argmax(1), labels=range(7))
    assert np.array_equal(metrics.confusion_matrix(labels, probs.argmax(1)), expected)


def test_class_scores(sample):
    labels, probs = sample
    confusion = metrics.confusion_matrix(labels, probs.argmax(1))
    expected = reference.precision_recall_fscore_support(
        labels, probs.argmax(1), labels=range(7), zero_division=0
    )
    for ours, theirs in zip(metrics.class_scores(confusion), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=TOLERANCE)


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_averages(sample, average):
    labels, probs = sample
    confusion = metrics.confusion_matrix(labels, probs.argmax(1))
    scores = metrics.class_scores(confusion)
    expected = reference.precision_recall_fscore_support(
        labels, probs.argmax(1), average=average, zero_division=0
    )
    for ours, theirs in zip(scores[:3], expected[:3], strict=True):
        value = getattr(metrics, average)(ours, confusion)
        assert value == pytest.approx(theirs, abs=TOLERANCE)


def test_roc_curve(sample):
    labels, probs = sample
    for k in np.unique(labels):
        ours = metrics.roc_curve(labels == k, probs[:, k])
        theirs = reference.roc_curve(labels == k, probs[:, k], drop_intermediate=True)
        for x, y in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(x, y, atol=TOLERANCE)


def test_auc_per_class_macro_and_micro(sample):
    labels, probs = sample
    present = np.unique(labels)
    ours = metrics.one_vs_rest_auc(labels, probs)
    theirs = [reference.roc_auc_score(labels == k, probs[:, k]) for k in present]
    np.testing.assert_allclose(ours[present], theirs, atol=TOLERANCE)
    assert np.isnan(np.delete(ours, present)).all()
    micro = reference.roc_auc_score(metrics.one_hot(labels, 7).ravel(), probs.ravel())
    assert metrics.micro_auc(labels, probs) == pytest.approx(micro, abs=TOLERANCE)


def test_macro_roc_curve_has_the_mean_area(sample):
    labels, probs = sample
    curve = metrics.macro_roc_curve(labels, probs)
    area = reference.auc(curve.false_positive_rate, curve.true_positive_rate)
    assert area == pytest.approx(np.nanmean(metrics.one_vs_rest_auc(labels, probs)), abs=2e-3)


def test_scores_of_many_resampled_matrices_at_once():
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 30, (20, 7, 7))
    together = metrics.class_scores(stack).f1
    one_by_one = [metrics.class_scores(matrix).f1 for matrix in stack]
    np.testing.assert_allclose(together, one_by_one)


def test_roc_needs_both_kinds_of_image():
    with pytest.raises(ValueError, match="positive and negative"):
        metrics.roc_curve(np.ones(3, bool), np.array([0.1, 0.2, 0.3]))


def test_precision_recall_curve(sample):
    labels, probs = sample
    for k in np.unique(labels):
        curve = metrics.precision_recall_curve(labels == k, probs[:, k])
        precision, recall, thresholds = reference.precision_recall_curve(labels == k, probs[:, k])
        np.testing.assert_allclose(curve.recall, recall[:-1][::-1], atol=TOLERANCE)
        np.testing.assert_allclose(curve.precision, precision[:-1][::-1], atol=TOLERANCE)
        np.testing.assert_allclose(curve.thresholds, thresholds[::-1], atol=TOLERANCE)
        assert metrics.average_precision(labels == k, probs[:, k]) == pytest.approx(
            reference.average_precision_score(labels == k, probs[:, k]), abs=TOLERANCE
        )
    assert np.isnan(metrics.average_precision(np.zeros(3, bool), np.ones(3)))


def test_decisions_at_a_threshold(sample):
    labels, probs = sample
    for threshold in (0.0, 0.3, 0.9):
        found = metrics.decisions_at(labels == 3, probs[:, 3], threshold)
        expected = reference.confusion_matrix(labels == 3, probs[:, 3] >= threshold, labels=[1, 0])
        assert [*found] == [*expected[0, :1], *expected[1, :1], *expected[0, 1:], *expected[1, 1:]]
        called = probs[:, 3] >= threshold
        assert found.recall == pytest.approx(reference.recall_score(labels == 3, called))
        if called.any():
            assert found.precision == pytest.approx(reference.precision_score(labels == 3, called))
