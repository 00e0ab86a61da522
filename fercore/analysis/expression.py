"""One expression in depth: what it is taken for, who disputes it, and who its neighbours are.

Of groups, shares are means over seeds with intervals that cross seeds and images; of one run they
are Wilson's. Without torch.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.votes import CATEGORIES, Votes
from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.scoring.grouped.intervals import share_of
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.samples import always_wrong
from fercore.scoring.statistics import Interval, wilson_interval

NEIGHBOURS = 10  # on a map, of each face


def taken_for(group: GroupPredictions, label: int) -> pd.DataFrame:
    """What the images of a class are taken for: a line for each other class, the most frequent
    first.

    Columns: class, count (images, the mean over seeds), share of the class's images, from 0 to 1,
    share_low and share_high, n (the class's images). Raises `RunError` where there are none.
    """
    mine = group.labels == label
    if not mine.any():
        raise RunError(f"None of these images is labelled {CLASSES[label]}.")
    of_all = np.ones((group.seeds, int(mine.sum())), bool)
    said = group.predicted[:, mine]
    return _shares({k: said == k for k in range(len(CLASSES)) if k != label}, of_all)


def taken_from(group: GroupPredictions, label: int) -> pd.DataFrame:
    """What is taken for a class: the columns of `taken_for`, shares of what is called so, and n how
    many images that are, the mean over seeds. Without a line where nothing is called so.
    """
    said = group.predicted == label
    others = {k: said & (group.labels == k) for k in range(len(CLASSES)) if k != label}
    return _shares(others if said.any() else {}, said)


def _shares(parts: dict[int, NDArray[np.bool_]], whole: NDArray[np.bool_]) -> pd.DataFrame:
    """Each part's share of the whole, both (S, N)."""
    lines = []
    for k, part in parts.items():
        share, bounds, of = share_of(part, whole)
        lines.append((CLASSES[k], float(part.sum(1).mean()), share, *bounds, of))
    columns = ["class", "count", "share", "share_low", "share_high", "n"]
    table = pd.DataFrame(lines, columns=columns)
    return table.sort_values("count", ascending=False, kind="stable", ignore_index=True)


class Raters(NamedTuple):
    """What FER+'s raters say of the `n` images of a class.

    agreeing: the share whose label is the plurality or shares it; majority: whose label has more
    than half of the votes; each with its Wilson interval. votes: the share of all votes for each of
    FER+'s ten categories, by name, the most frequent first.
    """

    n: int
    agreeing: float
    agreeing_interval: Interval
    majority: float
    majority_interval: Interval
    votes: pd.Series


def raters(votes: Votes, labels: NDArray[np.int64], rows: NDArray[np.int64], label: int) -> Raters:
    """Of the images (N,) with those labels and rows of `fer2013.csv`, those of a class.

    Raises `RunError` where there are none.
    """
    mine = labels == label
    n = int(mine.sum())
    if not n:
        raise RunError(f"None of these images is labelled {CLASSES[label]}.")
    agreeing = int(votes.agreement_with(labels[mine], rows[mine]).sum())
    majority = int(votes.majority_for(labels[mine], rows[mine]).sum())
    given = votes.counts[rows[mine]].sum(0)
    shares = pd.Series(given / max(int(given.sum()), 1), index=list(CATEGORIES), name="share")
    return Raters(
        n, agreeing / n, wilson_interval(agreeing, n), majority / n, wilson_interval(majority, n),
        shares.sort_values(ascending=False, kind="stable"),
    )  # fmt: skip


def never_right(samples: pd.DataFrame, name: str) -> pd.DataFrame:
    """The lines of a sample table with that label which no seed of any model in it gets right, the
    surest mistakes first.
    """
    found = samples[(samples["label"] == name) & always_wrong(samples)]
    return found.loc[_mean(found, "margin").sort_values(kind="stable").index]


def most_typical(samples: pd.DataFrame, name: str) -> pd.DataFrame:
    """The lines with that label which every seed of every model in it gets right, those first to
    which the models give the highest probability of it.
    """
    right = samples["label"] == name
    for key in "ab":
        if f"{key}_wrong" in samples:
            right &= samples[f"{key}_wrong"] == 0
        elif f"{key}_correct" in samples:
            right &= samples[f"{key}_correct"]
    found = samples[right]
    return found.loc[_mean(found, "confidence").sort_values(ascending=False, kind="stable").index]


def _mean(samples: pd.DataFrame, column: str) -> pd.Series:
    """The mean over the models of the table."""
    every = [f"{key}_{column}" for key in "ab" if f"{key}_{column}" in samples]
    mean: pd.Series = samples[every].mean(axis=1)
    return mean


def neighbours(samples: pd.DataFrame, model: str, name: str, k: int = NEIGHBOURS) -> pd.DataFrame:
    """Whose company the faces of a class keep on a map of features: of each, the `k` nearest.

    samples: a sample table with x and y (`from_weights.placed`); model: 'a' or 'b', whose map it
    is. A line for each class among the neighbours: class; share of them, from 0 to 1; right and
    wrong, the same around the faces that the model gets right and wrong, NaN where there is none;
    everywhere, the class's share of the map's faces. The most frequent class first. Empty where the
    class is not on the map, or alone.
    """
    from scipy.spatial import KDTree

    columns = ["class", "share", "right", "wrong", "everywhere"]
    labels = samples["label"].to_numpy()
    mine = np.flatnonzero(labels == name)
    k = min(k, len(samples) - 1)
    if not len(mine) or k < 1:
        return pd.DataFrame(columns=columns)
    places = samples[["x", "y"]].to_numpy(np.float64)
    found = np.asarray(KDTree(places).query(places[mine], k + 1)[1])
    # itself is left out; of equal places it need not be the first, and may not be there at all
    itself = found == mine[:, None]
    itself[~itself.any(1), -1] = True
    around = labels[found[~itself].reshape(len(mine), k)]
    right = samples[f"{model}_correct"].to_numpy(bool)[mine]
    lines = []
    for other in CLASSES:
        share = (around == other).mean(1)  # (M,)
        parts = (share[kind].mean() if kind.any() else np.nan for kind in (right, ~right))
        lines.append((other, share.mean(), *parts, (labels == other).mean()))
    table = pd.DataFrame(lines, columns=columns)
    return table.sort_values("share", ascending=False, kind="stable", ignore_index=True)
