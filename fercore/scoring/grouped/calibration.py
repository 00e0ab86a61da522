"""Calibration of a group: means of its seeds' figures, with intervals that cross seeds and images.

Each seed has bins, a temperature and a threshold of its own. Of one seed, everything is as
`scoring.calibration` has it. Without torch.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.scoring import calibration
from fercore.scoring.calibration import CalibrationScores, SelectiveAccuracy
from fercore.scoring.ece import BINS, DebiasedEce, equal_mass_bins, inverted, noisy_ece
from fercore.scoring.grouped.intervals import share_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import group_mean, student_quantile
from fercore.scoring.influence import ratio_scores
from fercore.scoring.statistics import CONFIDENCE, Z


def reliability(group: GroupPredictions, bins: int = BINS) -> pd.DataFrame:
    """Confidence against accuracy in bins of as many images each; `n` is a mean over seeds."""
    if group.single:
        return calibration.reliability(group.single, bins)
    bin_of = _bins(group, bins)
    lines = []
    for number in range(bins):
        inside = bin_of == number
        if not inside.any(1).all():  # so many images of one confidence that a seed lacks the bin
            continue
        confidence = ratio_scores(group.confidence * inside, inside)
        accuracy = group_mean(ratio_scores(group.correct & inside, inside))
        n = float(inside.sum(1).mean())
        lines.append((confidence.mean(), accuracy.value, *share_interval(accuracy, n), n))
    columns = ["confidence", "accuracy", "accuracy_low", "accuracy_high", "n"]
    return pd.DataFrame(lines, columns=columns)


def calibration_scores(group: GroupPredictions, bins: int = BINS) -> CalibrationScores:
    """All calibration figures on one part, means over seeds."""
    scores = [calibration.calibration_scores(table) for table in group.tables]
    if len(scores) == 1:
        return scores[0]
    ece, chance = np.mean([(each.ece, each.chance) for each in scores], axis=0).tolist()
    brier, nll = (
        group_mean(np.stack(list(map(by_image, group.tables))))
        for by_image in (calibration.brier_by_image, calibration.nll_by_image)
    )
    return CalibrationScores(
        ece, _debiased_ece(group, bins), chance,
        brier.value, brier.interval(), nll.value, nll.interval(),
    )  # fmt: skip


def _debiased_ece(group: GroupPredictions, bins: int) -> DebiasedEce:
    """As of one seed, from the means over seeds of what is seen and expected, with what the draw of
    seeds adds.
    """
    gaps: NDArray[np.float64] = group.correct - group.confidence.astype(np.float64)
    noisy = [noisy_ece(table, bins) for table in group.tables]
    totals = max((each.totals for each in noisy), key=lambda tried: float(tried[-1]))
    mean, variance, straight = np.mean([each.moments(totals) for each in noisy], axis=0)
    # Of two seeds' absolute values, correlated draws have at most this covariance (the expansion in
    # Hermite polynomials, its terms from the second on by the second's factor).
    alike = _correlation(gaps)
    together = alike * straight + alike**2 * (variance - straight)
    of_images = together + (variance - together) / group.seeds
    seen = float(np.mean([each.seen for each in noisy]))
    by_seeds = _half_width_by_seeds(gaps, _bins(group, bins), bins)
    return inverted(seen, totals, mean, np.hypot(Z * np.sqrt(of_images), by_seeds))


def _correlation(gaps: NDArray[np.float64]) -> float:
    """Of two seeds' gaps on the same images, the mean over pairs; 0 where it is below: (S, N)."""
    seeds = len(gaps)
    one, mean = float(gaps.var(1).mean()), float(gaps.mean(0).var())
    return max(0.0, (seeds * mean / one - 1) / (seeds - 1)) if one else 1.0


def _half_width_by_seeds(gaps: NDArray[np.float64], bin_of: NDArray[np.int64], bins: int) -> float:
    """What the draw of seeds adds to either side. gaps, bin_of: (S, N)."""
    signed: NDArray[np.float64] = np.empty_like(gaps)  # their mean is the seed's ECE
    for own, gap, at in zip(signed, gaps, bin_of, strict=True):
        own[:] = gap * np.sign(np.bincount(at, weights=gap, minlength=bins))[at]
    estimate = group_mean(signed)
    quantile = student_quantile(0.5 + CONFIDENCE / 2, estimate.freedom)
    return quantile * float(np.sqrt(estimate.seeds_variance))


def risk_coverage(group: GroupPredictions) -> pd.DataFrame:
    """Accuracy on the images that each seed is surest of, for every number of them."""
    if group.single:
        return calibration.risk_coverage(group.single)
    coverage = np.arange(1, len(group) + 1) / len(group)
    columns: dict[str, list[NDArray[np.float64]]] = {"accuracy": [], "threshold": []}
    for table in group.tables:
        own = calibration.risk_coverage(table)
        for name, lines in columns.items():
            lines.append(np.interp(coverage, own["coverage"], own[name]))
    means = {name: np.mean(lines, axis=0) for name, lines in columns.items()}
    return pd.DataFrame({"coverage": coverage, **means})


def area_under_risk_coverage(group: GroupPredictions) -> float:
    """Mean share of errors over every number of images answered, from 0 to 1; lower is better."""
    return float(np.mean([calibration.area_under_risk_coverage(own) for own in group.tables]))


def accuracy_at_coverage(group: GroupPredictions, coverage: float) -> SelectiveAccuracy:
    """Accuracy where each seed answers its surest `coverage` only; the threshold is a mean too.

    Raises `ConfigError` unless 0 < coverage ≤ 1.
    """
    if group.single:
        return calibration.accuracy_at_coverage(group.single, coverage)
    thresholds = [calibration.threshold_at_coverage(own, coverage) for own in group.tables]
    answered = group.confidence >= np.asarray(thresholds, np.float32)[:, None]
    accuracy = group_mean(ratio_scores(group.correct & answered, answered))
    n = float(answered.sum(1).mean())
    interval, threshold = share_interval(accuracy, n), float(np.mean(thresholds))
    return SelectiveAccuracy(accuracy.value, interval, round(n), threshold)


def fit_temperatures(public: GroupPredictions) -> dict[str, float]:
    """Each seed's temperature, by its name; see `calibration.fit_temperature`."""
    fitted = map(calibration.fit_temperature, public.tables)
    return dict(zip(public.names, fitted, strict=True))


def with_temperatures(
    group: GroupPredictions, temperatures: Mapping[str, float]
) -> GroupPredictions:
    """The same predictions, each seed's scaled by its temperature; without seeds that have none."""
    own = [
        (name, calibration.with_temperature(table, temperatures[name]).probs)
        for name, table in zip(group.names, group.tables, strict=True)
        if name in temperatures
    ]
    names, probs = zip(*own, strict=True)
    return replace(group, probs=np.stack(probs), names=names)


def _bins(group: GroupPredictions, bins: int) -> NDArray[np.int64]:
    """The bin of each image (S, N)."""
    return np.stack([equal_mass_bins(table, bins) for table in group.tables])
