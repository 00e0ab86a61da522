"""Whether a table's answers can be what they are taken for, told before anything is written."""

import math
import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.errors import ConfigError, DataError
from fercore.importing.answers import Answers, lines_where
from fercore.importing.images import TestImages
from fercore.importing.joining import Joined
from fercore.labels import CLASSES, USAGES, class_index
from fercore.scoring.metrics import confusion_matrix
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from fercore.wording import count, percent

LABELS = {"label", "labels", "true", "y_true", "target", "ground_truth", "actual", "emotion"}
_ENOUGH = 100  # images by which an order of classes can be judged
_BETTER = 0.15  # of accuracy, by which another order must be ahead
_AGREE = 0.95  # of the labels, that a table has, with the dataset's
_CLEARLY = 0.10  # of accuracy, by which one part must fit better than the other
_ABOVE_CHANCE = 0.05  # of accuracy, over always saying the most frequent class


NO_PART = (
    "{}: nothing tells whether its lines are of PublicTest or of PrivateTest. Add a column "
    "'usage', or 'row'."
)


def check_lines(joined: Joined, images: TestImages, name: str) -> NDArray[np.int64]:
    """How many lines are about each image, 0 or 1. Raises `DataError` where one has several."""
    there = joined.place >= 0
    times = np.bincount(joined.place[there], minlength=len(images.frame))
    if doubled := lines_where(there & (times[joined.place] > 1)):
        raise DataError(
            f"{name}: {doubled}: several lines of one image. Keep one line for each image."
        )
    return times


def other_lines(joined: Joined) -> list[str]:
    """A sentence on lines that are about no test image, where there are any."""
    n = int((joined.place < 0).sum())
    return (
        [f"{count(n)} lines are of no test image (Training's, perhaps) and are not kept."]
        if n
        else []
    )


def check_order(frame: pd.DataFrame, order: tuple[str, ...], name: str) -> None:
    """Raise `DataError` where the classes cannot be in that order: in another one it is right far
    more often.
    """
    labels = frame["label"].to_numpy(np.int64)
    said = frame[PROBABILITY_COLUMNS].to_numpy().argmax(1)
    if len(labels) < _ENOUGH:
        return
    accuracy, best, meant = _by_any_order(labels, said)
    if best - accuracy < _BETTER:
        return
    better = ",".join(CLASSES[meant[CLASSES.index(each)]] for each in order)
    raise DataError(
        f"{name}: the classes cannot be in this order ({', '.join(order)}): it is right on "
        f"{percent(accuracy)}, and would be on {percent(best)} in another one. Say so with "
        f"--order {better}"
    )


def _by_any_order(
    labels: NDArray[np.int64], said: NDArray[np.int64]
) -> tuple[float, float, NDArray[np.int64]]:
    """Accuracy as named, the best one under any order, and for each class what it then means."""
    from scipy.optimize import linear_sum_assignment

    counts = confusion_matrix(labels, said)
    true, meant = linear_sum_assignment(counts.T, maximize=True)
    best = counts.T[true, meant].sum() / len(labels)
    return float(np.trace(counts) / len(labels)), float(best), meant


def best_fitting(ways: list[Joined], answers: Answers, images: TestImages, name: str) -> Joined:
    """The one of several ways by which the answers are right most often.

    Raises `DataError` where two are as good, or what has only an order fits no better than chance.
    """
    labels, said = images.frame["label"].to_numpy(np.int64), answers.probs.argmax(1)
    scores = []
    for way in ways:
        there = way.place >= 0
        known = labels[way.place[there]]
        accuracy = _by_any_order(known, said[there])[1] if there.any() else math.nan
        scores.append(accuracy)
    order = np.argsort(scores)[::-1]
    best: Joined = ways[int(order[0])]
    score = scores[order[0]]
    if len(ways) > 1 and score - scores[order[1]] < _CLEARLY:
        raise DataError(NO_PART.format(name))
    known = labels[best.place[best.place >= 0]]
    if not best.certain and len(known) >= _ENOUGH:
        most = np.bincount(known).max() / len(known)
        if score < most + _ABOVE_CHANCE:
            raise DataError(
                f"{name}: joined by {best.by}, its answers fit the images no better than chance "
                f"({percent(score)} in the best order of classes). The lines stand in another "
                "order: add a column 'row', the row in the original table."
            )
    return best


def check_labels(table: pd.DataFrame, joined: Joined, images: TestImages, name: str) -> None:
    """Raise `DataError` where the table has labels of its own that are not the images'."""
    titles = [title for title in table.columns if str(title).strip().lower() in LABELS]
    there = joined.place >= 0
    if len(titles) != 1 or not there.any():
        return
    words = table[titles[0]].astype(str).str.strip().str.replace(r"\.0+$", "", regex=True)[there]
    try:
        own = np.array([int(w) if re.fullmatch("[0-6]", w) else class_index(w) for w in words])
    except ConfigError:
        return  # of another kind: nothing is known of them
    known = images.frame["label"].to_numpy(np.int64)[joined.place[there]]
    agreeing = _by_any_order(known, own)[1]
    if agreeing < _AGREE:
        raise DataError(
            f"{name}: joined by {joined.by}, its column '{titles[0]}' agrees with {images.name}'s "
            f"labels on {percent(agreeing)} of the images: its lines are of other images. Add a "
            "column 'row', the row in the original table, or name the dataset with --data."
        )


def complete_parts(
    joined: Joined, probs: NDArray[np.float64], images: TestImages, name: str
) -> tuple[pd.DataFrame, list[str]]:
    """The table of predictions of those parts that are whole, and what is left out."""
    place, frame = joined.place, images.frame
    times = check_lines(joined, images, name)
    usage, notes, kept = frame["usage"].to_numpy(str), [], []
    for part in USAGES[1:]:
        n, found = images.in_usage(part), int(times[usage == part].sum())
        if n and found == n:
            kept.append(part)
        elif n:
            notes.append(
                f"{part} is left out: {count(found)} of its {count(n)} images have an answer, and "
                "only a whole part can be compared image by image."
            )
    if not kept:
        raise DataError(
            f"{name}: no part of {images.name} is whole. {' '.join(notes)} Add the missing lines."
        )
    notes += other_lines(joined)
    answered = np.full((len(frame), len(CLASSES)), np.nan)
    answered[place[place >= 0]] = probs[place >= 0]
    table = frame.copy()
    table[PROBABILITY_COLUMNS] = answered.astype(np.float32)
    return table[table["usage"].isin(kept)].reset_index(drop=True), notes
