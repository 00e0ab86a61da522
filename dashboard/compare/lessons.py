"""What one row, one column and one cell of a confusion matrix say, what one point of a ROC or PR
curve, and what one point of the calibration: in words, with the numbers of the figure beside them.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.base.selection import ANY
from fercore.figures.confusion import Counts
from fercore.labels import CLASSES
from fercore.scoring.metrics import Decisions
from fercore.wording import mean_count, percent, points


def taught_cell(counts: Counts, *chosen: str) -> tuple[str, str]:
    """The cell to explain: of `chosen` (label, what A says, what B says) what is chosen, on the
    diagonal where that is the label or the prediction alone; else the commonest mistake.
    """
    label, *said = chosen
    predicted = next((name for name in said if name != ANY), ANY)
    if label == predicted == ANY:
        wrong = counts * (1 - np.eye(len(CLASSES)))
        true, taken_for = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        return CLASSES[true], CLASSES[taken_for]
    return (predicted if label == ANY else label), (label if predicted == ANY else predicted)


def cell_lesson(counts: Counts, label: str, predicted: str) -> str:
    """A row, a column and the cell where they cross, as Markdown, a line each."""
    lines = [row_in_words(counts, label), column_in_words(counts, predicted)]
    lines.append(crossing_in_words(counts, label, predicted))
    if label == predicted:
        lines.append(f1_in_words(counts, label))
    return "\n".join(f"- {line}" for line in lines)


def row_in_words(counts: Counts, label: str) -> str:
    """What becomes of the images of a label, and its recall."""
    row, k = np.asarray(counts)[CLASSES.index(label)], CLASSES.index(label)
    if not row.sum():
        return f"**Row {label}** is empty: no image has this label."
    found, of_row = mean_count(row[k]), mean_count(row.sum())
    missed = "" if row[k] == row.sum() else f" The others are missed{_most(row, k, 'as')}."
    return (
        f"**Row {label}**: {of_row} images have this label. {found} of them are called so: "
        f"{found} / {of_row} = **{percent(recall(counts, label))}**, the recall of {label}.{missed}"
    )


def column_in_words(counts: Counts, predicted: str) -> str:
    """What the images called so are, and their precision."""
    column, k = np.asarray(counts)[:, CLASSES.index(predicted)], CLASSES.index(predicted)
    if not column.sum():
        return f"**Column {predicted}** is empty: no image is called so."
    right, called = mean_count(column[k]), mean_count(column.sum())
    false = (
        "" if column[k] == column.sum() else f" The others are not{_most(column, k, 'of label')}."
    )
    share = percent(precision(counts, predicted))
    return (
        f"**Column {predicted}**: {called} images are called so. {right} of them have this label: "
        f"{right} / {called} = **{share}**, the precision of {predicted}.{false}"
    )


def crossing_in_words(counts: Counts, label: str, predicted: str) -> str:
    """What a cell adds to its row and to its column."""
    n = mean_count(np.asarray(counts)[CLASSES.index(label), CLASSES.index(predicted)])
    if label == predicted:
        return f"**Where they cross**, {n} images are right: they count in both shares."
    return (
        f"**Where they cross** lie {n} images labelled {label} that are called {predicted}. Each "
        f"counts twice: as a miss it lowers the recall of {label}, as a false alarm the precision "
        f"of {predicted}."
    )


def f1_in_words(counts: Counts, label: str) -> str:
    """The F1 of a class from its row and its column."""
    r, p = recall(counts, label), precision(counts, label)
    if np.isnan(r + p) or not r + p:
        return f"**F1 of {label}** is 0: none of its images is found."
    return (
        f"**F1 of {label}** is the harmonic mean of both: 2 · {percent(p)} · {percent(r)} / "
        f"({percent(p)} + {percent(r)}) = **{percent(2 * p * r / (p + r))}**."
    )


def recall(counts: Counts, label: str) -> float:
    """The diagonal's share of a row; NaN of an empty one."""
    k = CLASSES.index(label)
    return _share(counts[k, k], counts[k].sum())


def precision(counts: Counts, predicted: str) -> float:
    """The diagonal's share of a column; NaN of an empty one."""
    k = CLASSES.index(predicted)
    return _share(counts[k, k], counts[:, k].sum())


def curve_lesson(kind: str, at: Decisions, name: str, threshold: float, auc: float | None) -> str:
    """Why the point of a class lies where it does on its curve, 'roc' or 'pr', as Markdown.

    auc: the area under its ROC curve, where it is known.
    """
    of_class, called = (
        at.true_positives + at.false_negatives,
        at.true_positives + at.false_positives,
    )
    others = at.false_positives + at.true_negatives
    if not of_class or not others:
        return f"- There is no curve: all of these images are {name}, or none is."
    found = (
        f"{mean_count(of_class)} images are labelled {name}. {mean_count(at.true_positives)} of "
        f"them get a probability of {threshold:.2f} or more for it, **{percent(at.recall)}**:"
    )
    if kind == "roc":
        second = (
            f"**To the right**: {mean_count(others)} images are not. "
            f"{mean_count(at.false_positives)} of them get as much all the same, "
            f"**{percent(at.false_positive_rate)}**: the false-positive rate."
        )
        lines = [f"**Up**: {found} the recall, or true-positive rate.", second, _LOWER_ROC]
        if auc is not None and not np.isnan(auc):
            lines.append(
                f"**The area, {percent(auc)}**: of an image labelled {name} and one that is not, "
                f"the first gets the higher probability that often."
            )
    else:
        right = f"{percent(at.precision)}" if called else "unknown"
        second = (
            f"**Up**: {mean_count(called)} images get so much. {mean_count(at.true_positives)} of "
            f"them are labelled {name}, **{right}**: the precision."
        )
        lines = [f"**To the right**: {found} the recall.", second, _LOWER_PR]
    return "\n".join(f"- {line}" for line in lines)


_LOWER = "**A lower threshold** finds more, with more false alarms: the point moves "
_LOWER_ROC, _LOWER_PR = f"{_LOWER}up and to the right.", f"{_LOWER}to the right, and mostly down."


def calibration_lesson(reliability: pd.DataFrame, number: int) -> str:
    """What a point of the calibration says, as Markdown; `number` counts from 1, and stands for the
    last one where there are fewer.
    """
    number = min(number, len(reliability))
    line = reliability.iloc[number - 1]
    gap = float(line["accuracy"] - line["confidence"])
    side = "above the line: less sure than right" if gap > 0 else "below the line: surer than right"
    weight = float(line["n"] / reliability["n"].sum())
    images = mean_count(round(float(line["n"]), 1))
    lines = [
        f"**To the right**: point {number} of {len(reliability)} stands for {images} images. In "
        f"the mean it is **{percent(line['confidence'])}** sure of what it says of them.",
        f"**Up**: it is right on **{percent(line['accuracy'])}** of them.",
        f"**The distance**, {points(gap)}, is {side}. It counts in the plain ECE with the share of "
        f"these images, {percent(weight)}: {percent(abs(gap) * weight, 2)}.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _most(counts: NDArray[Any], k: int, before: str) -> str:
    """', most often as sad (92)', of a row or a column without its right answers."""
    others = np.where(np.arange(len(CLASSES)) == k, -1, counts)
    worst = int(np.argmax(others))
    return f", most often {before} {CLASSES[worst]} ({mean_count(others[worst])})"
