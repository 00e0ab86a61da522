"""What the pages show, computed from one or two prediction tables. Without torch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring import metrics, statistics
from fercore.scoring.matrices import wrong_cells
from fercore.scoring.predictions import PARTS, Predictions, check_paired, image_count, select_part
from fercore.scoring.ratios import RATIOS, macro_f1_interval, ratio_differences, ratio_intervals
from fercore.scoring.statistics import Interval

CLASS_METRICS = ("f1", "recall", "precision", "auc")
_AREA = ["auc", "auc_low", "auc_high"]


def evaluate(predictions: Predictions) -> dict[str, Any]:
    """The headline metrics of one part, as plain JSON values; shares from 0 to 1, NaN as None.

    Areas under curves are unknown where it says labels alone.

    Raises `RunError` where there are no images.
    """
    n = image_count(predictions)
    confusion = metrics.confusion_matrix(predictions.labels, predictions.predicted)
    classes = class_table(predictions)
    plain: dict[str, Any] = _plain(
        {
            "n": n,
            **overall_scores(predictions),
            "accuracy_interval": statistics.wilson_interval(predictions.correct.sum(), n),
            "macro_f1_interval": macro_f1_interval(confusion),
            "macro_auc": metrics.mean_of_known(classes["auc"].to_numpy()),
            "per_class": classes.to_dict("records"),
            "confusion": confusion.tolist(),
        }
    )
    return plain


def overall_scores(predictions: Predictions) -> dict[str, float]:
    """What `evaluate` has of all classes together, without intervals; NaN where it is unknown."""
    confusion = metrics.confusion_matrix(predictions.labels, predictions.predicted)
    scores = metrics.class_scores(confusion)
    sure = not predictions.labels_only
    found = {
        "accuracy": float(predictions.correct.mean()),
        "micro_auc": metrics.micro_auc(predictions.labels, predictions.probs) if sure else np.nan,
    }
    for name in ("precision", "recall", "f1"):
        per_class = getattr(scores, name)
        found[f"macro_{name}"] = float(metrics.macro(per_class, confusion))
        found[f"weighted_{name}"] = float(metrics.weighted(per_class, confusion))
    return found


def macro_f1(predictions: Predictions) -> float:
    """The mean F1 of the classes that occur, from 0 to 1."""
    confusion = metrics.confusion_matrix(predictions.labels, predictions.predicted)
    return float(metrics.macro_f1(confusion))


def metrics_of(confusion: metrics.Counts) -> NDArray[np.float64]:
    """Accuracy, macro F1, then each class's precision, recall and F1: (..., K, K) to (..., 2 + 3K).

    One pass over resampled confusion matrices gives every metric's draws.
    """
    scores = metrics.class_scores(confusion)
    right = np.diagonal(confusion, axis1=-2, axis2=-1).sum(-1)
    accuracy = right / np.maximum(confusion.sum((-2, -1)), 1)
    overall = np.stack([accuracy, metrics.macro(scores.f1, confusion)], axis=-1)
    return np.concatenate([overall, scores.precision, scores.recall, scores.f1], axis=-1)


def evaluate_parts(frame: pd.DataFrame) -> dict[str, Any]:
    """`evaluate` for each part that has images, from a stored prediction table."""
    parts = {part: select_part(frame, part) for part in PARTS}
    return {part: evaluate(table) for part, table in parts.items() if len(table)}


def class_table(predictions: Predictions) -> pd.DataFrame:
    """Per class: support; precision, recall, F1 and AUC from 0 to 1, each with its interval.

    The intervals are those of `ratio_intervals` and `auc_interval`. All are NaN for a class without
    images, AUC also where there are predicted labels alone. Raises `RunError` where there are no
    images.
    """
    image_count(predictions)
    confusion = metrics.confusion_matrix(predictions.labels, predictions.predicted)
    scores, bounds = metrics.class_scores(confusion), ratio_intervals(confusion)
    table = pd.DataFrame({"class": CLASSES, "support": scores.support})
    for name in RATIOS:
        table[name] = getattr(scores, name)
        table[f"{name}_low"], table[f"{name}_high"] = bounds[name]
    table["auc"] = metrics.one_vs_rest_auc(predictions.labels, predictions.probs)
    intervals = [
        statistics.auc_interval(predictions.labels == k, predictions.probs[:, k])
        for k in range(len(CLASSES))
    ]
    table["auc_low"], table["auc_high"] = zip(*intervals, strict=True)
    if predictions.labels_only:
        table[_AREA] = np.nan
    return _unknown_without_images(table)


def _unknown_without_images(table: pd.DataFrame) -> pd.DataFrame:
    """A table by class with NaN in every figure of a class that has no images."""
    figures = table.columns.difference(["class", "support"])
    table.loc[table["support"] == 0, figures] = np.nan
    return table


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images; `difference` is accuracy A minus accuracy B."""

    n: int
    accuracy_a: float
    accuracy_b: float
    difference: float
    interval: Interval
    only_a: int
    only_b: int
    p_value: float


def compare(a: Predictions, b: Predictions) -> Comparison:
    """Paired comparison: bootstrap interval and exact McNemar test.

    Raises `RunError` where the two tables are not about the same images.
    """
    check_paired(a, b)
    test = statistics.mcnemar(a.correct, b.correct)
    accuracy_a, accuracy_b = float(a.correct.mean()), float(b.correct.mean())
    interval = statistics.paired_difference_interval(a.correct, b.correct)
    return Comparison(
        len(a), accuracy_a, accuracy_b, accuracy_a - accuracy_b, interval, *test
    )  # fmt: skip


def class_differences(a: Predictions, b: Predictions) -> pd.DataFrame:
    """A minus B per class, paired on the same images: precision, recall, F1 and AUC.

    Columns: class, support, and for each metric its difference (from -1 to 1), `_low` and `_high`,
    `_p_value` of no difference and `_p_holm`, corrected for the number of classes. Those of
    `ratio_differences` and, for AUC, of DeLong et al. NaN for a class without images. Raises
    `RunError` where the images differ.
    """
    check_paired(a, b)
    k = len(CLASSES)
    cells = (a.labels * k + a.predicted) * k + b.predicted
    joint = np.bincount(cells, minlength=k**3).reshape(k, k, k)  # (true, A, B)
    frame = pd.DataFrame({"class": CLASSES, "support": joint.sum((1, 2))})
    for name, gaps in ratio_differences(joint).items():
        ends = ("", "_low", "_high", "_p_value")
        frame[[f"{name}{end}" for end in ends]] = np.transpose(gaps)
    areas = [
        statistics.auc_difference(a.labels == c, a.probs[:, c], b.probs[:, c]) for c in range(k)
    ]
    frame["auc"] = [area.value for area in areas]
    frame["auc_low"] = [area.interval.low for area in areas]
    frame["auc_high"] = [area.interval.high for area in areas]
    frame["auc_p_value"] = [area.p_value for area in areas]
    if a.labels_only or b.labels_only:
        frame[[*_AREA, "auc_p_value"]] = np.nan
    frame = _unknown_without_images(frame)
    for name in CLASS_METRICS:
        frame[f"{name}_p_holm"] = statistics.holm_of_known(frame[f"{name}_p_value"])
    return frame


def cell_differences(a: Predictions, b: Predictions) -> pd.DataFrame:
    """Each cell of the confusion matrix, A against B on the same images, 49 lines.

    Columns: label, predicted, only_a (images that A alone puts there), only_b, p_value (exact sign
    test on those), p_holm (corrected for the 49 cells). Raises `RunError` where the images differ.
    """
    check_paired(a, b)
    k, lines = len(CLASSES), []
    disagree = a.predicted != b.predicted
    only = [
        metrics.confusion_matrix(table.labels[disagree], table.predicted[disagree])
        for table in (a, b)
    ]
    for true in range(k):
        for predicted in range(k):
            counts = [int(matrix[true, predicted]) for matrix in only]
            lines.append(
                (CLASSES[true], CLASSES[predicted], *counts, statistics.sign_test(*counts))
            )
    frame = pd.DataFrame(lines, columns=["label", "predicted", "only_a", "only_b", "p_value"])
    frame["p_holm"] = statistics.holm(frame["p_value"].to_numpy())
    return frame


def confusions(predictions: Predictions) -> pd.DataFrame:
    """Wrong cells of the confusion matrix, most frequent first: label, predicted, count, share.

    `share` is of the true class's images, from 0 to 1.
    """
    return wrong_cells(metrics.confusion_matrix(predictions.labels, predictions.predicted))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and np.isnan(value) else value
