"""Scores of a group on slices of the images, and A − B on them. Without torch."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.scoring import influence
from fercore.scoring import slices as sliced
from fercore.scoring.grouped.intervals import difference_interval, share_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import Estimate, Scores, group_difference, group_mean
from fercore.scoring.predictions import check_paired, image_count
from fercore.scoring.slices import Crossed, masks_within, slice_masks


def slices(
    group: GroupPredictions,
    properties: pd.DataFrame,
    *,
    label: int | None = None,
    crossed: Crossed = None,
) -> pd.DataFrame:
    """The scores on every slice, means over seeds; the columns and the order of `slices.slices`.

    Intervals and tests cross seeds and images. Raises `RunError` without images.
    """
    if group.single:
        return sliced.slices(group.single, properties, label=label, crossed=crossed)
    masks = slice_masks(properties, crossed)
    if label is not None:
        masks = masks_within(masks, group.labels == label)
        group = group.where(group.labels == label)
    image_count(group)
    lines = [
        {
            "property": name,
            "slice": title,
            **_scores(group.where(mask), sliced.mixes_classes(name) and label is None),
            "p_value": _p_value(group_mean(_against_the_others(group.correct, mask))),
        }
        for (name, title), mask in masks.items()
    ]
    return sliced.ranked(lines, float(group.correct.mean()))


def slice_differences(
    a: GroupPredictions, b: GroupPredictions, properties: pd.DataFrame
) -> pd.DataFrame:
    """Accuracy of A minus that of B on every slice; the columns of `slices.slice_differences`.

    Raises `RunError` where the images differ.
    """
    if a.single and b.single:
        return sliced.slice_differences(a.single, b.single, properties)
    check_paired(a, b)
    lines = []
    for (name, title), mask in slice_masks(properties).items():
        right, n = (a.correct[:, mask], b.correct[:, mask]), int(mask.sum())
        shares = float(right[0].mean()), float(right[1].mean())
        estimate = group_difference(*right)
        bounds, p_value = difference_interval(estimate), _p_value(estimate)
        lines.append((name, title, n, *shares, shares[0] - shares[1], *bounds, p_value))
    return sliced.with_corrected_p(lines)


def _scores(group: GroupPredictions, with_f1: bool) -> dict[str, Any]:
    scores: dict[str, Scores] = {"accuracy": group.correct}
    if with_f1:
        scores["macro_f1"] = influence.macro_f1(group.tables)
    line: dict[str, Any] = {"n": len(group)}
    for name in ("accuracy", "macro_f1"):
        value, low, high = _mean(scores[name]) if name in scores else (np.nan,) * 3
        line |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return line


def _mean(scores: Scores) -> tuple[float, float, float]:
    """The mean and its interval."""
    estimate = group_mean(scores)
    return estimate.value, *share_interval(estimate, scores.shape[1])


def _against_the_others(right: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Scores:
    """Scores (S, N) whose mean is the accuracy inside minus that outside. Their spread is that
    around the accuracy on all images, as it is where the two are equal.
    """
    share = inside.mean()
    weights = np.where(inside, 1 / share, -1 / (1 - share))
    return np.asarray((right - right.mean(1, keepdims=True)) * weights, np.float64)


def _p_value(estimate: Estimate) -> float:
    """1 where nothing varies, of which nothing can be told."""
    return estimate.p_value if estimate.error else 1.0
