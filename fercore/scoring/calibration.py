"""Whether a model's probabilities mean what they say, and what it gains by saying 'unsure'.

Reliability and expected calibration error over equal-mass bins, proper scores, temperature scaling
(Guo et al., 2017), and selective classification (Geifman & El-Yaniv, 2017). Without torch.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.errors import ConfigError
from fercore.scoring.ece import (
    BINS,
    DebiasedEce,
    chance_calibration_error,
    debiased_ece,
    equal_mass_bins,
    expected_calibration_error,
)
from fercore.scoring.metrics import Labels, one_hot
from fercore.scoring.predictions import Predictions, image_count
from fercore.scoring.statistics import Interval, mean_interval, wilson_interval

TEMPERATURES = (0.05, 20.0)  # the range that is searched
_SMALLEST = float(np.finfo(np.float32).tiny)  # stands for a probability of 0 in a logarithm


def reliability(predictions: Predictions, bins: int = BINS) -> pd.DataFrame:
    """Confidence against accuracy in bins of as many images each, least confident first.

    Columns: confidence (mean), accuracy with its Wilson interval, all from 0 to 1; n.
    Images of equal confidence stay together, in the bin that holds the middle of their ranks, so
    the order of rows plays no part; a bin left empty by that is not listed.
    """
    bin_of = equal_mass_bins(predictions, bins)
    count = np.bincount(bin_of, minlength=bins)
    confidence = np.bincount(bin_of, weights=predictions.confidence, minlength=bins)
    right = np.bincount(bin_of, weights=predictions.correct, minlength=bins)
    used = np.flatnonzero(count)
    count, confidence, right = count[used], confidence[used], right[used]
    intervals = [wilson_interval(hits, n) for hits, n in zip(right, count)]
    return pd.DataFrame(
        {
            "confidence": confidence / count,
            "accuracy": right / count,
            "accuracy_low": [interval.low for interval in intervals],
            "accuracy_high": [interval.high for interval in intervals],
            "n": count,
        }
    )


def brier_score(predictions: Predictions) -> float:
    """Mean squared distance between probabilities and truth, summed over classes, from 0 to 2.

    The definition of Brier (1950); scikit-learn's for two classes is half of it.
    """
    image_count(predictions)
    return float(brier_by_image(predictions).mean())


def brier_by_image(predictions: Predictions) -> NDArray[np.float64]:
    """What `brier_score` is the mean of (N,)."""
    truth = one_hot(predictions.labels, predictions.probs.shape[1])
    scores: NDArray[np.float64] = ((predictions.probs.astype(np.float64) - truth) ** 2).sum(1)
    return scores


def negative_log_likelihood(predictions: Predictions) -> float:
    """Mean of −ln of the label's probability, in nats, 0 or more; a probability of 0 counts 87."""
    return float(nll_by_image(predictions).mean())


def nll_by_image(predictions: Predictions) -> NDArray[np.float64]:
    """What `negative_log_likelihood` is the mean of (N,)."""
    return _nll(_log_probs(predictions), predictions.labels)


class CalibrationScores(NamedTuple):
    """How far a model's confidence is from how often it is right.

    ece: the plain one. debiased: the one that has an interval. chance: what a calibrated model
    would have. All three from 0 to 1. brier: from 0 to 2, nll: in nats, each with its interval.
    """

    ece: float
    debiased: DebiasedEce
    chance: float
    brier: float
    brier_interval: Interval
    nll: float
    nll_interval: Interval


def calibration_scores(predictions: Predictions) -> CalibrationScores:
    """All of a model's calibration figures on one part."""
    brier, nll = brier_by_image(predictions), nll_by_image(predictions)
    return CalibrationScores(
        expected_calibration_error(predictions),
        debiased_ece(predictions),
        chance_calibration_error(predictions),
        float(brier.mean()),
        mean_interval(brier),
        float(nll.mean()),
        mean_interval(nll),
    )


def fit_temperature(public: Predictions) -> float:
    """The temperature that makes PublicTest's labels most likely (Guo et al., 2017).

    Above 1 the model was over-confident, below 1 under-confident. Searched within `TEMPERATURES`:
    a model without a mistake gets the lowest. Never fit it on the images that it is judged on.
    """
    from scipy.optimize import minimize_scalar

    image_count(public)
    log_probs = _log_probs(public)
    best = minimize_scalar(
        lambda log_t: _nll(log_probs / np.exp(log_t), public.labels).mean(),
        bounds=(np.log(TEMPERATURES[0]), np.log(TEMPERATURES[1])),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(best.x))


def with_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """The same predictions with probabilities ∝ p^(1/T), float32, rows summing to 1.

    No predicted class changes. Raises `ConfigError` for a temperature that is not positive.
    """
    if not temperature > 0:
        raise ConfigError(f"A temperature is above 0, not {temperature}.")
    scaled = _log_probs(predictions) / temperature
    probs = np.exp(scaled - scaled.max(1, keepdims=True))
    probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
    # Where rounding made two classes equal, the one that was ahead stays ahead.
    tied = np.flatnonzero(probs.argmax(1) != predictions.predicted)
    ahead = tied, predictions.predicted[tied]
    probs[ahead] = np.nextafter(probs[tied].max(1), np.float32(2))
    return replace(predictions, probs=probs)


def risk_coverage(predictions: Predictions) -> pd.DataFrame:
    """Accuracy on the images that a model is surest of, for every share of them it may answer.

    Columns, from 0 to 1, most confident first: coverage (share answered), accuracy (on those),
    threshold (their lowest confidence). Images of equal confidence are answered together, in one
    line. The risk of Geifman & El-Yaniv (2017) is 1 − accuracy.
    """
    n = image_count(predictions)
    confidence, right = _surest_first(predictions)
    ends = np.append(np.flatnonzero(np.diff(confidence)), n - 1)
    answered = ends + 1
    return pd.DataFrame(
        {
            "coverage": answered / n,
            "accuracy": np.cumsum(right)[ends] / answered,
            "threshold": confidence[ends],
        }
    )


def area_under_risk_coverage(predictions: Predictions) -> float:
    """Mean share of errors over every number of images answered, from 0 to 1; lower is better.

    Images of equal confidence count as if answered in every order (Geifman & El-Yaniv, 2017).
    """
    n = image_count(predictions)
    confidence, right = _surest_first(predictions)
    _, group, sizes = np.unique(confidence, return_inverse=True, return_counts=True)
    wrong = (np.bincount(group, weights=~right) / sizes)[group]
    return float(np.mean(np.cumsum(wrong) / np.arange(1, n + 1)))


def threshold_at_coverage(predictions: Predictions, coverage: float) -> float:
    """The highest confidence that at least `coverage` of the images reach.

    Raises `ConfigError` unless 0 < coverage ≤ 1.
    """
    if not 0 < coverage <= 1:
        raise ConfigError(f"The share to answer lies above 0 and at most at 1, not at {coverage}.")
    n = image_count(predictions)
    answered = max(1, int(np.ceil(coverage * n - 1e-9)))
    return float(np.sort(predictions.confidence)[n - answered])


class SelectiveAccuracy(NamedTuple):
    """From 0 to 1; `answered` counts the images at or above `threshold`."""

    accuracy: float
    interval: Interval
    answered: int
    threshold: float


def accuracy_at_coverage(predictions: Predictions, coverage: float) -> SelectiveAccuracy:
    """Accuracy, with its Wilson interval, where a model answers its surest `coverage` only.

    More are answered where several share the threshold's confidence. Raises `ConfigError` unless
    0 < coverage ≤ 1.
    """
    threshold = threshold_at_coverage(predictions, coverage)
    answered = predictions.correct[predictions.confidence >= threshold]
    right, n = int(answered.sum()), len(answered)
    return SelectiveAccuracy(right / n, wilson_interval(right, n), n, threshold)


def _log_probs(predictions: Predictions) -> NDArray[np.float64]:
    return np.log(np.maximum(predictions.probs.astype(np.float64), _SMALLEST))


def _nll(log_probs: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """−ln of the label's share (N,), after the rows of `log_probs` (N, K) are made to sum to 1."""
    top = log_probs.max(1)
    total = top + np.log(np.exp(log_probs - top[:, None]).sum(1))
    losses: NDArray[np.float64] = total - log_probs[np.arange(len(labels)), labels]
    return losses


def _surest_first(predictions: Predictions) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Confidence and whether right, (N,) each, sorted by falling confidence."""
    order = np.argsort(-predictions.confidence, kind="stable")
    return predictions.confidence[order], predictions.correct[order]
