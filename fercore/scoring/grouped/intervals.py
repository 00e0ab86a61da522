"""Intervals of a group's shares: Wilson's, for new seeds and new images. Without torch."""

import numpy as np

from fercore.scoring.groups import Estimate, student_quantile
from fercore.scoring.statistics import CONFIDENCE, Interval


def share_interval(estimate: Estimate, images: float) -> Interval:
    """Interval of a mean share, from 0 to 1: Wilson's, of as many images as would give the
    estimate's variance if each were drawn by itself (Kott & Liu, 2009), with Student's quantile.

    images: of what is a share, which count where all seeds are right on all, or none on any: their
    variance is 0 there and says nothing. NaN for an unknown one, (0, 1) of no image.
    """
    share = min(1.0, max(0.0, estimate.value))
    if np.isnan(estimate.value):
        return Interval(float("nan"), float("nan"))
    spread, variance = share * (1 - share), estimate.error**2
    if not images:
        return Interval(0.0, 1.0)
    n, freedom = float(images), max(1.0, images - 1)
    if spread and variance:
        n, freedom = spread / variance, max(1.0, estimate.freedom)
    t = student_quantile(0.5 + CONFIDENCE / 2, freedom)
    centre = (share + t**2 / (2 * n)) / (1 + t**2 / n)
    half = t * np.sqrt(spread / n + t**2 / (4 * n**2)) / (1 + t**2 / n)
    return Interval(float(max(0.0, centre - half)), float(min(1.0, centre + half)))
