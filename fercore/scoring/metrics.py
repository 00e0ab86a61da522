"""Classification metrics: pure functions of labels and probabilities, without torch.

Shapes: `labels` int (N,), indices of the true class; `predicted` int (N,); `probs` float (N, K),
rows summing to 1; a confusion matrix int (..., K, K), rows true, columns predicted. The leading
dimensions of a confusion matrix let one call compute a metric over many resampled ones.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Labels = NDArray[np.integer]
Counts = NDArray[np.integer]
Scores = NDArray[np.floating]
Truth = NDArray[np.bool_ | np.integer]  # whether an image is of a kind


def confusion_matrix(labels: Labels, predicted: Labels, classes: int = 7) -> NDArray[np.int64]:
    """Counts (K, K): row = true class, column = predicted class.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.asarray(labels) * classes + np.asarray(predicted)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


class ClassScores(NamedTuple):
    """Per class, each (..., K), from 0 to 1; `support` counts the true images."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]


def class_scores(confusion: Counts) -> ClassScores:
    """Precision, recall and F1 per class; 0 where the denominator is 0, as in scikit-learn."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    predicted, support = confusion.sum(-2), confusion.sum(-1)
    return ClassScores(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, predicted + support),
        support=support,
    )


def macro(per_class: Scores, confusion: Counts) -> NDArray[np.float64]:
    """Mean over the classes that occur, as truth or as prediction; each counts the same."""
    occurs = (confusion.sum(-1) + confusion.sum(-2)) > 0
    return _ratio((per_class * occurs).sum(-1), occurs.sum(-1))


def mean_of_known(per_class: Scores) -> float:
    """Mean over the classes whose figure is known, those that are NaN left out; NaN without any.

    >>> mean_of_known(np.array([0.5, np.nan, 1.0]))
    0.75
    """
    known = np.asarray(per_class)[~np.isnan(per_class)]
    return float(known.mean()) if len(known) else float("nan")


def macro_f1(confusion: Counts) -> NDArray[np.float64]:
    """Mean F1 of the classes that occur, from 0 to 1: (..., K, K) to (...)."""
    return macro(class_scores(confusion).f1, confusion)


def weighted(per_class: Scores, confusion: Counts) -> NDArray[np.float64]:
    """Mean over classes weighted by their number of true images."""
    support = confusion.sum(-1)
    return _ratio((per_class * support).sum(-1), support.sum(-1))


class RocCurve(NamedTuple):
    """Points from (0, 0) to (1, 1); `thresholds` are scores, the first infinite."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_curve(positive: Truth, scores: Scores) -> RocCurve:
    """ROC of a binary decision: `positive` bool (N,), `scores` (N,), higher meaning positive.

    Points on a straight line between their neighbours are left out. Raises `ValueError` unless
    both kinds of image occur.
    """
    if np.all(positive) or not np.any(positive):
        raise ValueError("an ROC curve needs positive and negative images")
    thresholds, true, every = _by_threshold(positive, scores)
    false = every - true
    if len(every) > 2:
        bends = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
        keep = np.flatnonzero(np.concatenate([[True], bends, [True]]))
        true, false, thresholds = true[keep], false[keep], thresholds[keep]
    return RocCurve(
        np.concatenate([[0.0], false / false[-1]]),
        np.concatenate([[0.0], true / true[-1]]),
        np.concatenate([[np.inf], thresholds]),
    )


def _by_threshold(
    positive: Truth, scores: Scores
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Every score that occurs, falling; how many positive ones, and how many of all, reach it."""
    positive, scores = np.asarray(positive, bool), np.asarray(scores, np.float64)
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return scores[order][ends], np.cumsum(positive[order])[ends], 1 + ends


class PrecisionRecallCurve(NamedTuple):
    """Points up to recall 1, a threshold each; `thresholds` are scores, falling."""

    recall: NDArray[np.float64]
    precision: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def precision_recall_curve(positive: Truth, scores: Scores) -> PrecisionRecallCurve:
    """Precision and recall of a binary decision at every threshold that changes it.

    `positive` bool (N,), `scores` (N,), higher meaning positive. Raises `ValueError` where no
    image is positive.
    """
    if not np.any(positive):
        raise ValueError("a precision-recall curve needs positive images")
    thresholds, true, every = _by_threshold(positive, scores)
    return PrecisionRecallCurve(true / true[-1], true / every, thresholds)


def average_precision(positive: Truth, scores: Scores) -> float:
    """Mean precision over the positives in order of score, as scikit-learn has it; NaN without."""
    if not np.any(positive):
        return float("nan")
    curve = precision_recall_curve(positive, scores)
    return float(np.sum(np.diff(curve.recall, prepend=0) * curve.precision))


class Decisions(NamedTuple):
    """The 2×2 table of 'is this image of this class?' at one threshold."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> float:
        """Of the images called so, the share that are; NaN where none is."""
        called = self.true_positives + self.false_positives
        return self.true_positives / called if called else float("nan")

    @property
    def recall(self) -> float:
        """Of the images that are, the share called so; NaN where none is."""
        positive = self.true_positives + self.false_negatives
        return self.true_positives / positive if positive else float("nan")

    @property
    def false_positive_rate(self) -> float:
        """Of the other images, the share called so; NaN where there are none."""
        negative = self.false_positives + self.true_negatives
        return self.false_positives / negative if negative else float("nan")


def decisions_at(positive: Truth, scores: Scores, threshold: float) -> Decisions:
    """Counts where a score of at least `threshold` says yes.

    >>> decisions_at(np.array([1, 1, 0]), np.array([0.9, 0.2, 0.6]), 0.5)
    Decisions(true_positives=1, false_positives=1, false_negatives=1, true_negatives=0)
    """
    positive, called = np.asarray(positive, bool), np.asarray(scores) >= threshold
    hits, alarms = int((positive & called).sum()), int((~positive & called).sum())
    return Decisions(hits, alarms, int(positive.sum()) - hits, int((~positive).sum()) - alarms)


def roc_auc(positive: Truth, scores: Scores) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative (ties half).

    NaN unless both kinds of image occur.

    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    positive = np.asarray(positive, bool)
    hits, misses = int(positive.sum()), int((~positive).sum())
    if not hits or not misses:
        return float("nan")
    rank_sum = midranks(np.asarray(scores))[positive].sum()
    return float((rank_sum - hits * (hits + 1) / 2) / (hits * misses))


def midranks(values: Scores) -> NDArray[np.float64]:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - (sizes - 1) / 2)[group]


def one_vs_rest_auc(labels: Labels, probs: Scores) -> NDArray[np.float64]:
    """AUC of each class against the others (K,); NaN for a class that does not occur."""
    return np.array([roc_auc(labels == k, probs[:, k]) for k in range(probs.shape[1])])


def micro_auc(labels: Labels, probs: Scores) -> float:
    """AUC over all N·K decisions 'is this image of this class?' taken together."""
    return roc_auc(one_hot(labels, probs.shape[1]).ravel(), probs.ravel())


def macro_roc_curve(labels: Labels, probs: Scores) -> RocCurve:
    """The mean of the classes' ROC curves at 401 false-positive rates; classes absent left out.

    Raises `ValueError` unless two classes occur.
    """
    present = np.unique(labels)
    if len(present) < 2:
        raise ValueError("a mean ROC curve needs images of two classes")
    curves = [roc_curve(labels == k, probs[:, k]) for k in present]
    rates = np.linspace(0, 1, 401)
    heights = [np.interp(rates, c.false_positive_rate, c.true_positive_rate) for c in curves]
    return RocCurve(rates, np.mean(heights, axis=0), np.full(len(rates), np.nan))


def one_hot(labels: Labels, classes: int) -> NDArray[np.bool_]:
    """Whether each image is of each class, bool (N, K)."""
    return np.asarray(np.asarray(labels)[:, None] == np.arange(classes))


def _ratio(numerator: ArrayLike, denominator: ArrayLike) -> NDArray[np.float64]:
    """numerator / denominator, 0 where the denominator is 0."""
    numerator, denominator = np.asarray(numerator, float), np.asarray(denominator, float)
    out = np.zeros(np.broadcast(numerator, denominator).shape)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    ratio: NDArray[np.float64] = out[()]  # of two numbers, a number
    return ratio
