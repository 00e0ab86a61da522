"""Metrics as means over images, so that a group's are estimated as its accuracy is.

Each image's score is the metric plus that image's influence on it (the delta method; for AUC, the
components of DeLong et al., 1988): the mean over the images is the metric, and `group_mean` and
`group_difference` give its interval and test. `tables` are a group's predictions, one a seed, on
the same images; scores are (S, N). Without torch.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring.groups import Scores
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import auc_components

Tables = Sequence[Predictions]


def predicted(tables: Tables) -> NDArray[np.int64]:
    """The class that each seed finds most probable (S, N)."""
    return np.stack([table.predicted for table in tables])


def ratio_scores(part: Scores, whole: Scores) -> NDArray[np.float64]:
    """Of sum(part) / sum(whole), by seed; 0 where the whole is, as in scikit-learn."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    size = whole.mean(1, keepdims=True)
    known = size > 0
    value = np.divide(part.mean(1, keepdims=True), size, out=np.zeros_like(size), where=known)
    influence = part - value * whole
    scores: NDArray[np.float64] = value + np.divide(
        influence, size, out=np.zeros_like(influence), where=known
    )
    return scores


def precision(tables: Tables, k: int) -> NDArray[np.float64]:
    """Of the images that are called k, the share that are."""
    said = predicted(tables) == k
    return ratio_scores(said & _true(tables, k), said)


def f1(tables: Tables, k: int) -> NDArray[np.float64]:
    """The harmonic mean of precision and recall, the share of class k's images that are found."""
    said, true = predicted(tables) == k, _true(tables, k)
    return ratio_scores(2 * (said & true), said * 1 + true)


def macro_f1(tables: Tables) -> NDArray[np.float64]:
    """The mean F1 of the classes that a seed's images or predictions have."""
    every = np.stack([f1(tables, k) for k in range(len(CLASSES))])  # (K, S, N)
    said = predicted(tables)
    occurs = np.stack([((said == k) | _true(tables, k)).any(1) for k in range(len(CLASSES))])
    weights = occurs / occurs.sum(0)  # (K, S)
    return np.asarray(np.einsum("ks,ksn->sn", weights, every))


def auc(tables: Tables, k: int) -> NDArray[np.float64]:
    """The AUC of class k against the others; NaN where there are none of either."""
    positive = tables[0].labels == k
    scores = np.full((len(tables), len(positive)), np.nan)
    if positive.all() or not positive.any():
        return scores
    for line, table in zip(scores, tables):
        above, below = auc_components(positive, table.probs[:, k])
        area, share = above.mean(), positive.mean()
        line[positive] = area + (above - area) / share
        line[~positive] = area + (below - area) / (1 - share)
    return scores


def _true(tables: Tables, k: int) -> NDArray[np.bool_]:
    """Whether each image is of class k (S, N)."""
    return np.broadcast_to(tables[0].labels == k, (len(tables), len(tables[0])))
