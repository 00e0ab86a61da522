"""A group's shares and their intervals: Wilson's, for new seeds and new images. Without torch."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.scoring.groups import Estimate, group_mean, student_quantile
from fercore.scoring.influence import ratio_scores
from fercore.scoring.statistics import CONFIDENCE, Interval, wilson_interval


class Share(NamedTuple):
    """From 0 to 1, `n` the number of images that it is a share of (a mean over seeds)."""

    value: float
    interval: Interval
    n: float


def share_of(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Share:
    """The mean over seeds of sum(part) / sum(whole), both (S, N). A seed whose whole is empty
    counts with 0, and is not the only one.
    """
    hits, n = part.sum(1), whole.sum(1)
    if len(part) == 1:
        return Share(float(hits[0] / n[0]), wilson_interval(hits[0], n[0]), float(n[0]))
    estimate, size = group_mean(ratio_scores(part, whole)), float(n.mean())
    return Share(estimate.value, share_interval(estimate, size), size)


def share_interval(estimate: Estimate, images: float) -> Interval:
    """Interval of a mean share, from 0 to 1: Wilson's, of as many images as would give the
    estimate's variance if each were drawn by itself (Kott & Liu, 2009), with Student's quantile.

    images: of what is a share, which count where all seeds are right on all, or none on any: their
    variance is 0 there and says nothing. NaN for an unknown one, (0, 1) of no image or one.
    """
    share = min(1.0, max(0.0, estimate.value))
    if np.isnan(estimate.value):
        return Interval(float("nan"), float("nan"))
    spread, variance = share * (1 - share), estimate.error**2
    if not images or np.isinf(variance):
        return Interval(0.0, 1.0)
    n, freedom = float(images), max(1.0, images - 1)
    if spread and variance:
        n, freedom = spread / variance, max(1.0, estimate.freedom)
    t = student_quantile(0.5 + CONFIDENCE / 2, freedom)
    centre = (share + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t * np.sqrt(spread / n + t**2 / (4 * n**2)) / (1 + t**2 / n)
    return Interval(float(max(0.0, centre - half)), float(min(1.0, centre + half)))


def difference_interval(estimate: Estimate, confidence: float = CONFIDENCE) -> Interval:
    """Student's interval of a difference of two shares, from -1 to 1."""
    low, high = estimate.interval(confidence)
    return Interval(max(-1.0, low), min(1.0, high))
