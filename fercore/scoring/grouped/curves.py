"""ROC and precision-recall curves of a group: the mean of its seeds' curves, in a 95 % band.

At each place of the horizontal axis by itself (vertical averaging: Fawcett, 2006), for new seeds
and new images of the same kind: what the images add is a bootstrap's variance, of draws in which
every seed meets the same images; what the seeds add is their own. Without torch.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring import metrics
from fercore.scoring.grouped.intervals import share_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import Estimate, image_weights
from fercore.scoring.predictions import Predictions

PLACES = np.linspace(0, 1, 401)
DRAWS = 200  # of images: a band's width is then within a tenth of what more would give
MACRO, MICRO = "macro", "micro"
_STEPS = 400  # of a drawn curve at most
_FEWEST = 10  # images that a place of a band rests on

Heights = NDArray[np.floating]
Curves = dict[str, Heights]


def roc_bands(group: GroupPredictions, draws: int = DRAWS) -> pd.DataFrame:
    """Of each class there is against the others, and of the classes' mean curve, 'macro'.

    Columns: curve, positive (the images it is about); place (the rate of false positives), height
    (of true ones), low, high, from 0 to 1. A ROC curve rises, so the band's ends are sorted to
    rise, which makes it no worse (Chernozhukov, Fernández-Val & Galichon, 2009). Raises
    `ValueError` unless two classes occur.
    """
    bands = _bands(group, PLACES, _roc, _drawn_roc, draws)
    ends = ["low", "high"]
    bands[ends] = bands.groupby("curve", sort=False)[ends].transform(np.sort)
    return bands


def pr_bands(group: GroupPredictions, draws: int = DRAWS) -> pd.DataFrame:
    """Of each class there is, and 'micro', of all decisions 'is this image of this class?'.

    Columns: curve, positive (the images it is about); place (the recall), height (the precision at
    the first threshold that reaches it), low, high, from 0 to 1; without ends (NaN) where the
    recall is that of fewer than ten images. Raises `ValueError` where there is no image.
    """
    bands = _bands(group, PLACES[1:], _pr, _drawn_pr, draws)
    few = bands["place"] * bands["positive"] < _FEWEST
    bands.loc[few, ["low", "high"]] = np.nan
    return bands


def _bands(
    group: GroupPredictions,
    places: Heights,
    seen: Callable[[Predictions], Curves],
    drawn: Callable[[Predictions, Heights], Curves],
    draws: int,
) -> pd.DataFrame:
    """`seen` gives a seed's curves (P,), `drawn` those under weights of images (N, R), (P, R)."""
    weights = image_weights(draws, len(group), np.random.default_rng(0)).T.astype(np.float32)
    of_seeds = [seen(table) for table in group.tables]
    sums: Curves = dict.fromkeys(of_seeds[0], np.zeros((len(places), draws)))
    variances: Curves = dict.fromkeys(of_seeds[0], np.zeros(len(places)))
    for table in group.tables:
        for name, heights in drawn(table, weights).items():
            sums[name] = sums[name] + heights
            variances[name] = variances[name] + np.nanvar(heights, axis=1, ddof=1)
    lines = []
    for name in of_seeds[0]:
        own = np.stack([curves[name] for curves in of_seeds])
        images = np.nanvar(sums[name] / group.seeds, axis=1, ddof=1)
        of_class = name in CLASSES
        positive = int((group.labels == CLASSES.index(name)).sum()) if of_class else len(group)
        estimates = _estimates(own, images, variances[name] / group.seeds, len(group))
        ends = [share_interval(one, positive) for one in estimates]
        low, high = np.transpose(ends)
        columns = {"place": places, "height": own.mean(0), "low": low, "high": high}
        lines.append(pd.DataFrame({"curve": name, "positive": positive, **columns}))
    return pd.concat(lines, ignore_index=True)


def _estimates(
    heights: Heights, together: Heights, alone: Heights, images: int
) -> Iterator[Estimate]:
    """At each place, as `groups.group_mean` has it of plain means.

    heights: the seeds' (S, P). together, alone: the variance by the draw of images (P,) of the mean
    over seeds, and of a seed in the mean.
    """
    seeds = len(heights)
    between = heights.var(0, ddof=1) / seeds
    rest = np.clip((alone - together) / (seeds - 1), 0, None)
    of_seeds, of_images = np.clip(between - rest, 0, None), np.clip(together - rest, 0, None)
    spread = (of_images + rest) ** 2 / (images - 1) + between**2 / (seeds - 1)
    whole = (of_seeds + of_images + rest) ** 2
    freedom = np.divide(whole, spread, out=np.ones_like(whole), where=spread > 0)
    parts = (heights.mean(0), of_seeds, of_images, rest, freedom)
    for value, *others in np.transpose(parts).tolist():
        yield Estimate(value, *others)


def _roc(table: Predictions) -> Curves:
    found: Curves = {}
    for k in _present(table):
        curve = metrics.roc_curve(table.labels == k, table.probs[:, k])
        found[CLASSES[k]] = np.interp(PLACES, curve.false_positive_rate, curve.true_positive_rate)
    return found | {MACRO: np.mean(list(found.values()), axis=0)}


def _drawn_roc(table: Predictions, weights: Heights) -> Curves:
    found: Curves = {}
    for k in _present(table):
        true, every = _steps(table.labels == k, table.probs[:, k], weights)
        with np.errstate(invalid="ignore"):  # a draw without such an image gives no curve
            up, right = true / true[-1], (every - true) / (every - true)[-1]
        drawn = [np.interp(PLACES, x, y) for x, y in zip(right.T, up.T, strict=True)]
        found[CLASSES[k]] = np.transpose(drawn)
    return found | {MACRO: np.mean(list(found.values()), axis=0)}


def _pr(table: Predictions) -> Curves:
    found: Curves = {}
    for name, (truth, scores, _) in _decisions(table).items():
        curve = metrics.precision_recall_curve(truth, scores)
        found[name] = curve.precision[np.searchsorted(curve.recall, PLACES[1:])]
    return found


def _drawn_pr(table: Predictions, weights: Heights) -> Curves:
    found: Curves = {}
    for name, (truth, scores, image) in _decisions(table).items():
        true, every = _steps(truth, scores, weights[image])
        with np.errstate(invalid="ignore"):
            recall, precision = true / true[-1], true / every
        at = [np.searchsorted(own, PLACES[1:] - 1e-12) for own in recall.T]
        heights = np.take_along_axis(precision, np.minimum(np.transpose(at), len(true) - 1), 0)
        found[name] = np.where(true[-1] > 0, heights, np.nan)
    return found


_Decisions = tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.int64]]


def _decisions(table: Predictions) -> dict[str, _Decisions]:
    """By curve: whether it is so, how likely it was said to be, and of which image, (D,)."""
    truth, image = metrics.one_hot(table.labels, len(CLASSES)), np.arange(len(table.labels))
    found = {CLASSES[k]: (truth[:, k], table.probs[:, k], image) for k in _present(table)}
    every = truth.ravel(), table.probs.ravel(), np.repeat(image, len(CLASSES))
    return found | {MICRO: every}


def _present(table: Predictions) -> list[int]:
    return [int(k) for k in np.unique(table.labels)]


def _steps(
    positive: NDArray[np.bool_], scores: NDArray[np.float32], weights: Heights
) -> tuple[Heights, Heights]:
    """How many positive decisions, and how many of all, score at least so much: (T, R) each, from
    none to all. weights: how often each decision was drawn (N, R).
    """
    order = np.argsort(-scores, kind="stable")
    starts = np.append(0, 1 + np.flatnonzero(np.diff(scores[order])))  # of equal scores
    starts = starts[:: 1 + len(starts) // _STEPS]
    every = weights[order]
    true = every * positive[order, None]
    return tuple(  # type: ignore[return-value]  # of two
        np.pad(np.cumsum(np.add.reduceat(counts, starts), axis=0), ((1, 0), (0, 0)))
        for counts in (true, every)
    )
