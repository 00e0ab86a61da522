"""Confusion matrices as tables: a line for each cell. Without torch.

A matrix holds counts (7, 7), of a group means over its seeds; a share is of the row's images, from
0 to 1.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from fercore.labels import CLASSES


def cell_counts(
    matrix: NDArray[Any], row: str = "label", column: str = "predicted"
) -> pd.DataFrame:
    """All 49 cells: the classes of `row` and of `column`, count."""
    return _cells(row, column).assign(count=matrix.ravel())


def cells_of_models(
    matrices: Mapping[str, NDArray[Any]], differences: pd.DataFrame | None = None
) -> pd.DataFrame:
    """All 49 cells: label, predicted, and of models by 'A' and 'B' a_count, a_share, b_count, …;
    beside them the other columns of `differences`, as `evaluation.cell_differences` gives it.
    """
    lines = _cells("label", "predicted")
    for key, matrix in matrices.items():
        lines[f"{key.lower()}_count"] = matrix.ravel()
        lines[f"{key.lower()}_share"] = share_of(matrix, matrix.sum(1, keepdims=True)).ravel()
    return lines if differences is None else lines.merge(differences, on=["label", "predicted"])


def wrong_cells(matrix: NDArray[Any]) -> pd.DataFrame:
    """The cells off the diagonal, the fullest first: label, predicted, count, share."""
    lines = cell_counts(matrix).assign(share=share_of(matrix, matrix.sum(1, keepdims=True)).ravel())
    wrong = lines[lines["label"] != lines["predicted"]]
    return wrong.sort_values("count", ascending=False, kind="stable", ignore_index=True)


def _cells(row: str, column: str) -> pd.DataFrame:
    return pd.DataFrame(product(CLASSES, CLASSES), columns=[row, column])


def share_of(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """Shares of counts, which may be means over seeds; 0 of nothing."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    shares = np.zeros(part.shape)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
