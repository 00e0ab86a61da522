"""The expected calibration error over equal-mass bins, and without what chance adds to it.

Without torch.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.scoring.metrics import midranks
from fercore.scoring.predictions import Predictions, image_count
from fercore.scoring.statistics import Interval, Z

BINS = 15

Moments = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def expected_calibration_error(predictions: Predictions, bins: int = BINS) -> float:
    """Mean distance between confidence and accuracy over equal-mass bins, from 0 to 1.

    Binned by confidence as in Naeini et al. (2015), with as many images in each bin as in Nixon
    et al. (2019). Chance alone makes it positive: see `chance_calibration_error`.
    """
    bin_of = equal_mass_bins(predictions, bins)
    gaps = np.bincount(bin_of, weights=_gaps(predictions))
    return float(np.abs(gaps).sum() / len(predictions))


def chance_calibration_error(predictions: Predictions, bins: int = BINS) -> float:
    """The ECE to expect of as many images if each confidence were exactly right, from 0 to 1.

    A bin's gap is then nearly normal around 0 with the variance of its draws, and the mean of its
    absolute value is √(2/π) of its standard deviation.
    """
    deviations = _chance_deviations(predictions, bins)
    return float(np.sqrt(2 / np.pi) * deviations.sum() / len(predictions))


class DebiasedEce(NamedTuple):
    """An ECE without what chance adds to it, and its interval, from 0 to 1."""

    value: float
    interval: Interval


def debiased_ece(predictions: Predictions, bins: int = BINS) -> DebiasedEce:
    """The true ECE under which one like that seen is to be expected, and all under which it is not
    too rare.

    An ECE sums the absolute values of noisy gaps, so noise pushes it up (Kumar, Liang & Ma, 2019;
    Roelofs et al., 2022), and a bootstrap around it covers too little. Here its expectation is
    inverted, and a test: see `NoisyEce`.
    """
    noisy = noisy_ece(predictions, bins)
    mean, variance, _ = noisy.moments(noisy.totals)
    return inverted(noisy.seen, noisy.totals, mean, Z * np.sqrt(variance))


@dataclass(frozen=True)
class NoisyEce:
    """The ECE that was seen, and what it would be of other images, by the true one.

    A true one is spread over the bins as a cubic through their gaps is. What is seen is then nearly
    normal, with the mean and variance of absolute values of normal draws (Leone, Nelson &
    Nottingham, 1961). shape, error: of each bin, its share of the true one and the standard error
    of its gap.
    """

    seen: float
    shape: NDArray[np.float64]
    error: NDArray[np.float64]

    @property
    def totals(self) -> NDArray[np.float64]:
        """True ones that are to be tried: from 0 to more than what was seen could be of."""
        return np.linspace(0, 3 * self.seen + 6 * float(np.sqrt((self.error**2).sum())), 2000)

    def moments(self, totals: NDArray[np.float64]) -> Moments:
        """Of what is seen, under each true one (T,): the mean, the variance, and the part of the
        variance that comes from the gaps in a straight line, not from their absolute values, (T,).
        """
        mean, variance, straight = _absolute_moments(totals[:, None] * self.shape, self.error)
        return mean.sum(1), variance.sum(1), straight.sum(1)


def noisy_ece(predictions: Predictions, bins: int = BINS) -> NoisyEce:
    """A table's ECE, with what chance does to it."""
    n, bin_of, gaps = len(predictions), equal_mass_bins(predictions, bins), _gaps(predictions)
    used, bin_of = np.unique(bin_of, return_inverse=True)
    count, total = np.bincount(bin_of), np.bincount(bin_of, weights=gaps)
    squares = np.bincount(bin_of, weights=gaps**2) - total**2 / count
    error = np.sqrt(np.maximum(squares, np.finfo(float).eps)) / n  # of each bin's gap
    shape = _smooth_shape(used / bins, total / n, error)
    return NoisyEce(float(np.abs(total).sum() / n), shape, error)


def inverted(
    seen: float,
    totals: NDArray[np.float64],
    mean: NDArray[np.float64],
    allowed: NDArray[np.float64],
) -> DebiasedEce:
    """The total whose `mean` is what was seen, and those whose mean is at most `allowed` from it.

    totals, mean, allowed: (T,), the first two rising. Below all means it is the first total.
    """
    held = totals[np.abs(seen - mean) <= allowed]
    value = float(np.interp(seen, mean, totals))
    if not len(held):
        return DebiasedEce(value, Interval(float(totals[0]), seen))
    return DebiasedEce(value, Interval(min(value, float(held[0])), max(value, float(held[-1]))))


def equal_mass_bins(predictions: Predictions, bins: int) -> NDArray[np.int64]:
    """The bin of each image (N,), from 0: where the middle of its rank falls."""
    twice_middle = (2 * midranks(predictions.confidence) - 1).astype(np.int64)
    return twice_middle * bins // (2 * image_count(predictions))


def _smooth_shape(
    at: NDArray[np.float64], gaps: NDArray[np.float64], error: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How a total is spread over the bins: sizes on a cubic through the gaps, with sum 1."""
    terms = np.vander(at - at.mean(), min(4, len(at))) / error[:, None]
    fitted = np.linalg.lstsq(terms, gaps / error)[0] @ (terms * error[:, None]).T
    sizes = np.abs(fitted) if fitted.any() else error
    return np.asarray(sizes / sizes.sum())


def _absolute_moments(mean: NDArray[np.float64], error: NDArray[np.float64]) -> Moments:
    """Of the absolute value of a normal draw: mean, variance, and the variance of the best straight
    line through it.
    """
    from scipy.special import erf

    z = mean / error
    slope = erf(z / np.sqrt(2))
    absolute = error * np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2) + mean * slope
    return absolute, mean**2 + error**2 - absolute**2, (error * slope) ** 2


def _gaps(predictions: Predictions) -> NDArray[np.float64]:
    """Right (1) or wrong (0) minus the confidence, of each image (N,)."""
    return predictions.correct - predictions.confidence.astype(np.float64)


def _chance_deviations(predictions: Predictions, bins: int) -> NDArray[np.float64]:
    """The standard deviation of each bin's summed gaps, were each confidence exactly right."""
    confidence = predictions.confidence.astype(np.float64)
    variances = np.maximum(confidence * (1 - confidence), 0)  # float32 may be a hair above 1
    return np.sqrt(np.bincount(equal_mass_bins(predictions, bins), weights=variances))
