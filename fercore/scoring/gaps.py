"""How unequally a model treats groups of people: recall and false alarms, worst against best.

The two groups are chosen for being furthest apart. Their interval is as wide as that choice asks
for: it is chosen again in many draws of groups such as these, drawn together as far as they may be
alike by chance (James & Stein, 1961), and widened until it holds 95 of 100 differences of whichever
pair came out; their test is corrected for the number of pairs (Bonferroni). Without torch.
"""

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring import statistics
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import group_mean
from fercore.scoring.influence import ratio_scores
from fercore.scoring.slices import FEW
from fercore.scoring.statistics import LEVEL, Interval, wilson_bounds

Groups = Mapping[str, NDArray[np.bool_]]
Scored = NDArray[np.bool_]
_DRAWS = 4000  # of what might have been chosen
GAP_COLUMNS = [
    "metric", "class", "worst", "worst_n", "worst_share", "best", "best_n", "best_share", "gap",
    "gap_low", "gap_high", "p_value",
]  # fmt: skip


class Gaps(NamedTuple):
    """table: see `gaps`. small: '37 disgust of 60+' for what is too few to be compared."""

    table: pd.DataFrame
    small: list[str]


def gaps(predictions: GroupPredictions, groups: Groups) -> Gaps:
    """The widest gap between groups of images, for recall and false alarms of each class.

    groups: by name, which images (N,) are in it; no image is in two. Columns: metric ('recall', the
    share of a class's images that are found; 'false alarms', the share of the others that are taken
    for it), class; worst and best (groups), each with n, the images that the share is of, and
    share, from 0 to 1 (the mean over seeds); gap (0 to 1) with gap_low and gap_high: Newcombe's
    (1998) interval, of several seeds Student's over seeds and images, at a level that makes up for
    the choice of the two; p_value (Fisher's exact test, or Student's) corrected for the pairs,
    p_holm for the lines too. Groups with fewer than `FEW` such images are left out, and told.
    """
    lines, small = [], []
    for metric in ("recall", "false alarms"):
        for k, name in enumerate(CLASSES):
            whole = (predictions.labels == k) == (metric == "recall")
            counts = {group: int((inside & whole).sum()) for group, inside in groups.items()}
            small += [
                f"{n} {name} of {group}"
                for group, n in counts.items() if metric == "recall" and n < FEW
            ]  # fmt: skip
            large = {group: groups[group] & whole for group, n in counts.items() if n >= FEW}
            if len(large) > 1:
                told = predictions.predicted == k
                lines.append([metric, name, *_widest(told, large, metric == "recall")])
    table = pd.DataFrame(lines, columns=GAP_COLUMNS)
    return Gaps(table.assign(p_holm=statistics.holm(table["p_value"])), small)


def _widest(told: Scored, groups: Groups, more_is_better: bool) -> list[object]:
    """From worst to p_value. told: (S, N), whether each seed says the class."""
    shares = {name: float(told[:, inside].mean()) for name, inside in groups.items()}
    low, high = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    if low == high:
        low, high = list(shares)[:2]
    pairs = len(list(combinations(groups, 2)))
    level = _level(np.array([*shares.values()]), _errors(told, groups.values()))
    bounds, p_value = _difference(told, groups[high], groups[low], level)
    worst, best = (low, high) if more_is_better else (high, low)
    sides = [(name, int(groups[name].sum()), shares[name]) for name in (worst, best)]
    return [*sides[0], *sides[1], shares[high] - shares[low], *bounds, min(1.0, pairs * p_value)]


def _errors(told: Scored, groups: Collection[Scored]) -> NDArray[np.float64]:
    """The standard error of each group's share, never 0."""
    counts = [(told[:, inside].mean() * inside.sum(), inside.sum()) for inside in groups]
    adjusted = np.array([((right + 2) / (n + 4), n + 4) for right, n in counts])  # Agresti & Coull
    alone: NDArray[np.float64] = np.sqrt(adjusted[:, 0] * (1 - adjusted[:, 0]) / adjusted[:, 1])
    if len(told) == 1:
        return alone
    crossed = np.array([group_mean(_scores(told, inside)).error for inside in groups])
    errors: NDArray[np.float64] = np.where(crossed > 0, crossed, alone)
    return errors


def _level(shares: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Of the interval of the pair that is furthest apart: with two groups 95 %, with more, so much
    more that 95 of 100 hold the true difference of the pair that was chosen.
    """
    if len(shares) == 2:
        return 1 - LEVEL
    from scipy.stats import norm

    weights = 1 / errors**2
    middle = float((weights * shares).sum() / weights.sum())
    spread = float((weights * (shares - middle) ** 2).sum())
    apart = max(0.0, 1 - len(shares) / spread) if spread else 0.0  # as much as chance would give
    true = middle + apart * (shares - middle)
    noise = np.random.default_rng(0).normal(size=(_DRAWS, len(shares))) * errors
    rows, drawn = np.arange(_DRAWS), true + noise
    high, low = drawn.argmax(1), drawn.argmin(1)
    missed = np.abs(noise[rows, high] - noise[rows, low]) / np.hypot(errors[high], errors[low])
    return float(2 * norm.cdf(np.quantile(missed, 1 - LEVEL)) - 1)


def _scores(told: Scored, inside: Scored) -> NDArray[np.float64]:
    return ratio_scores(told & inside, np.broadcast_to(inside, told.shape))


def _difference(told: Scored, one: Scored, other: Scored, level: float) -> tuple[Interval, float]:
    """The interval of one group's share minus the other's, and p that they are equal."""
    if len(told) == 1:
        return _of_proportions(told[0][one], told[0][other], level)
    estimate = group_mean(_scores(told, one) - _scores(told, other))
    return estimate.interval(level), estimate.p_value if estimate.error else 1.0


def _of_proportions(one: Scored, other: Scored, level: float) -> tuple[Interval, float]:
    """Newcombe's hybrid score interval for two independent shares, and Fisher's exact test."""
    from scipy.stats import fisher_exact, norm

    right, n = np.array([one.sum(), other.sum()]), np.array([len(one), len(other)])
    share = right / n
    low, high = wilson_bounds(right, n, float(norm.ppf(0.5 + level / 2)))
    gap = share[0] - share[1]
    below = np.hypot(share[0] - low[0], high[1] - share[1])
    above = np.hypot(high[0] - share[0], share[1] - low[1])
    table = np.stack([right, n - right])
    return Interval(float(gap - below), float(gap + above)), float(fisher_exact(table).pvalue)
