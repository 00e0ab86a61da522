"""Intervals and tests: how much of a number, or of a difference, may be chance. Without torch.

Every interval is two-sided at `CONFIDENCE`.
"""

from collections.abc import Callable
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fercore.scoring.metrics import Counts, Scores, Truth, midranks

LEVEL = 0.05  # a difference whose p lies below is called beyond chance
CONFIDENCE = 1 - LEVEL
RESAMPLES = 2000  # for all images
CLASS_RESAMPLES = 20_000  # for the smallest class: two draws' ends are within 0.3 points
Z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)


class Interval(NamedTuple):
    low: float
    high: float


def wilson_interval(successes: float, n: float) -> Interval:
    """Interval of a proportion (Wilson, 1927); (0, 1) where n is 0.

    >>> [round(bound, 3) for bound in wilson_interval(50, 100)]
    [0.404, 0.596]
    """
    low, high = wilson_bounds(np.array(successes), np.array(n))
    return Interval(float(low), float(high))


def mean_interval(values: NDArray[np.float64]) -> Interval:
    """Interval of a mean of many images' values (N,), normal by the central limit theorem."""
    mean, n = float(values.mean()), len(values)
    half = Z * float(values.std(ddof=1)) / n**0.5 if n > 1 else float("inf")
    return Interval(mean - half, mean + half)


def wilson_bounds(
    successes: NDArray[Any], n: NDArray[Any], z: NDArray[np.float64] | float = Z
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`wilson_interval` of many proportions at once, z standard deviations to either side."""
    known = np.where(n > 0, n, 1)
    share, z2 = successes / known, np.square(z)
    centre = (share + z2 / (2 * known)) / (1 + z2 / known)
    half = z * np.sqrt(share * (1 - share) / known + z2 / (4 * known**2)) / (1 + z2 / known)
    low, high = np.maximum(0, centre - half), np.minimum(1, centre + half)
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def bootstrap_bounds(
    confusion: Counts,
    metric: Callable[[Counts], Scores],
    *,
    resamples: int = CLASS_RESAMPLES,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Percentile bootstrap bounds (2, …) of metrics of a confusion matrix (K, K).

    Drawing N images with replacement is drawing the cells' counts from a multinomial, so no image
    is touched. `metric` maps (R, K, K) to (R, …). Of classes of a dozen images a bootstrap's bounds
    are too narrow: see `ratios`.
    """
    return percentiles(metric(resampled(confusion, resamples, seed)))


def resampled(counts: Counts, resamples: int = RESAMPLES, seed: int = 0) -> NDArray[np.int64]:
    """Bootstrap resamples (R, *shape) of a table of counts."""
    rng = np.random.default_rng(seed)
    total = int(counts.sum())
    draws = rng.multinomial(total, counts.ravel() / max(total, 1), size=resamples)
    return draws.reshape(resamples, *counts.shape)


class McNemar(NamedTuple):
    """`only_a` and `only_b` count the images that one model alone gets right."""

    only_a: int
    only_b: int
    p_value: float


def mcnemar(correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_]) -> McNemar:
    """Exact McNemar test of two models on the same images: bool (N,) each.

    Under the null hypothesis an image that only one model gets right is as often A's as B's
    (McNemar, 1947); p is two-sided, from the binomial distribution.
    """
    only_a = int(np.sum(correct_a & ~correct_b))
    only_b = int(np.sum(~correct_a & correct_b))
    return McNemar(only_a, only_b, sign_test(only_a, only_b))


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact binomial p that wins and losses are equally likely."""
    # In whole numbers of any length: exact, and the Overview need not wait for SciPy.
    total, ways, term = wins + losses, 1, 1
    for k in range(min(wins, losses)):
        term = term * (total - k) // (k + 1)
        ways += term
    return min(1.0, float(2 * ways / 2**total))


def paired_difference_interval(
    correct_a: NDArray[np.bool_],
    correct_b: NDArray[np.bool_],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Paired bootstrap interval of accuracy A minus accuracy B: bool (N,) each, same images.

    That of B minus A is the same with the other sign, from the same draws.
    """
    right = np.asarray(correct_a), np.asarray(correct_b)
    outcomes = np.bincount(right[0] * 2 + right[1], minlength=4).reshape(2, 2)
    draws, swapped = resampled_pairs(outcomes, resamples, seed)
    gap = (draws[:, 1, 0] - draws[:, 0, 1]) / len(right[0])
    low, high = percentiles(-gap if swapped else gap)
    return Interval(float(low), float(high))


def resampled_pairs(
    joint: Counts, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[NDArray[np.int64], bool]:
    """`resampled` counts of what two models do, (..., K, K) by A and by B, and whether A and B
    were swapped in them: one comparison has one set of draws, whichever model is called A.
    """
    other = np.swapaxes(joint, -1, -2)
    swapped = tuple(other.ravel()) < tuple(joint.ravel())
    return resampled(other if swapped else joint, resamples, seed), swapped


class Difference(NamedTuple):
    """A minus B, from -1 to 1, with its interval and the p of no difference."""

    value: float
    interval: Interval
    p_value: float


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """p values corrected for their number (Holm, 1979), in the given order: (M,) to (M,).

    >>> [round(float(p), 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p_values = np.asarray(p_values, float)
    order = np.argsort(p_values)
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return corrected


def holm_of_known(p_values: ArrayLike) -> NDArray[np.float64]:
    """`holm` of those that are not NaN; the others stay so, and are no comparison."""
    corrected = np.array(p_values, float)
    known = ~np.isnan(corrected)
    corrected[known] = holm(corrected[known])
    return corrected


def auc_interval(positive: Truth, scores: Scores) -> Interval:
    """Interval of an AUC: Wilson's of as many images as the variance of DeLong et al. (1988) says.

    An AUC is a share, that of the pairs in order, and an interval even to both sides is too short
    near 1. The variance is that with one more image of either kind, at chance: of a dozen images
    of a class, the one that the model would rank lowest has most often not been seen. NaN without
    two images of either kind.
    """
    above, below = auc_components(positive, scores)
    if len(above) < 2 or len(below) < 2:
        return Interval(float("nan"), float("nan"))
    auc = float(above.mean())
    variance = sum(np.append(part, 0.5).var(ddof=1) / (len(part) + 1) for part in (above, below))
    told = variance > 0 and 0 < auc < 1  # not where all are equally probable
    n = auc * (1 - auc) / variance if told else min(len(above), len(below))
    return wilson_interval(auc * n, n)


def auc_difference(positive: Truth, scores_a: Scores, scores_b: Scores) -> Difference:
    """AUC of A minus that of B on the same images, after DeLong et al. (1988).

    NaN without two images of either kind.
    """
    above, below = (
        a - b
        for a, b in zip(auc_components(positive, scores_a), auc_components(positive, scores_b))
    )
    if len(above) < 2 or len(below) < 2:
        unknown = float("nan")
        return Difference(unknown, Interval(unknown, unknown), unknown)
    error = np.sqrt(above.var(ddof=1) / len(above) + below.var(ddof=1) / len(below))
    value = float(above.mean())
    interval = Interval(float(value - Z * error), float(value + Z * error))
    return Difference(value, interval, _normal_p(value, float(error)))


def auc_components(positive: Truth, scores: Scores) -> tuple[Scores, Scores]:
    """For each positive the share of negatives below it, for each negative that of positives above.

    Ties count half. From midranks (Sun & Xu, 2014).
    """
    positive, scores = np.asarray(positive, bool), np.asarray(scores)
    hits, misses = scores[positive], scores[~positive]
    if not len(hits) or not len(misses):
        return np.empty(0), np.empty(0)
    ranks = midranks(np.concatenate([hits, misses]))
    above = (ranks[: len(hits)] - midranks(hits)) / len(misses)
    below = 1 - (ranks[len(hits) :] - midranks(misses)) / len(hits)
    return above, below


def _normal_p(value: float, error: float) -> float:
    """Two-sided p of a normal deviate."""
    if error == 0:
        return 1.0 if value == 0 else 0.0
    from scipy.special import ndtr

    return float(2 * ndtr(-abs(value) / error))


def percentiles(draws: Scores, confidence: float = CONFIDENCE) -> NDArray[np.float64]:
    """The bounds (2, …) between which the middle of the draws (R, …) lies."""
    tail = 50 * (1 - confidence)
    bounds: NDArray[np.float64] = np.nanpercentile(draws, [tail, 100 - tail], axis=0)
    return bounds
