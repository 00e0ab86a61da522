"""ROC and precision-recall curves of a group: the mean of its seeds' curves, and where they lie.

At each place of the horizontal axis: the mean of the seeds' heights, the lowest and the highest.
Without torch.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring import metrics
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.predictions import Predictions

PLACES = np.linspace(0, 1, 401)


def roc_band(group: GroupPredictions, k: int | None) -> pd.DataFrame:
    """Of class k against the others; of None, of the classes' mean curve.

    Columns: rate (of false positives), height (of true ones), low, high, from 0 to 1. Raises
    `ValueError` where there are no images of a kind.
    """
    return _band("rate", PLACES, np.stack([_roc(table, k) for table in group.tables]))


def pr_band(group: GroupPredictions, k: int | None) -> pd.DataFrame:
    """Of class k; of None, of all decisions 'is this image of this class?' together.

    Columns: recall, height (the precision at the first threshold that reaches it), low, high, from
    0 to 1. Raises `ValueError` where no image is of the class.
    """
    places = PLACES[1:]
    return _band("recall", places, np.stack([_pr(table, k, places) for table in group.tables]))


def _band(name: str, places: NDArray[np.float64], heights: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: places, "height": heights.mean(0), "low": heights.min(0), "high": heights.max(0)}
    )


def _roc(table: Predictions, k: int | None) -> NDArray[np.float64]:
    if k is None:
        return metrics.macro_roc_curve(table.labels, table.probs).true_positive_rate
    curve = metrics.roc_curve(table.labels == k, table.probs[:, k])
    return np.interp(PLACES, curve.false_positive_rate, curve.true_positive_rate)


def _pr(table: Predictions, k: int | None, places: NDArray[np.float64]) -> NDArray[np.float64]:
    truth, scores = metrics.one_hot(table.labels, len(CLASSES)), table.probs
    if k is not None:
        truth, scores = truth[:, k], scores[:, k]
    curve = metrics.precision_recall_curve(truth.ravel(), scores.ravel())
    return curve.precision[np.searchsorted(curve.recall, places)]
