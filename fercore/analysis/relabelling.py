"""Verdicts laid over labels: over a run's predictions, and over the images it is trained on."""

import hashlib
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data import FaceSet, face_set
from fercore.errors import DataError
from fercore.labels import CLASSES
from fercore.scoring.evaluation import macro_f1
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import Interval, wilson_interval


class Scores(NamedTuple):
    """`accuracy` with its Wilson interval, and `macro_f1`, from 0 to 1; NaN without images."""

    n: int
    accuracy: float
    interval: Interval
    macro_f1: float


class Rescored(NamedTuple):
    """A model's scores on the labels as stored and with verdicts; images relabelled, left out."""

    stored: Scores
    reviewed: Scores
    relabelled: int
    left_out: int


def rescore(predictions: Predictions, verdicts: pd.DataFrame) -> Rescored:
    """The scores of one prediction table with and without the verdicts applied."""
    labels, keep = _overlay(predictions.pixels, predictions.labels, verdicts)
    return Rescored(
        _scores(predictions),
        _scores(apply_verdicts(predictions, verdicts)),
        relabelled=int((labels != predictions.labels)[keep].sum()),
        left_out=int((~keep).sum()),
    )


def apply_verdicts(predictions: Predictions, verdicts: pd.DataFrame) -> Predictions:
    """The table with wrong labels replaced, without ambiguous and unusable images.

    `verdicts` as `review.verdicts` returns it. Images with the same pixels share the verdict.
    """
    labels, keep = _overlay(predictions.pixels, predictions.labels, verdicts)
    return Predictions(
        predictions.rows[keep], predictions.pixels[keep], labels[keep], predictions.probs[keep]
    )


def apply_to_training(faces: FaceSet, verdicts: pd.DataFrame) -> FaceSet:
    """`faces` with the verdicts laid over its Training images; the test usages stay as they are.

    Wrong labels are replaced, ambiguous and unusable images left out; the result has a fingerprint
    of its own and a note. `faces` itself where no Training image is touched.
    """
    training = np.flatnonzero(faces.usage == "Training")
    pixels = faces.part("Training").pixel_hashes()
    labels, keep = faces.labels.copy(), np.ones(len(faces), bool)
    labels[training], keep[training] = _overlay(pixels, faces.labels[training], verdicts)
    relabelled, left_out = int((labels != faces.labels)[keep].sum()), int((~keep).sum())
    if not relabelled and not left_out:
        return faces
    note = (
        f"Verdicts {verdicts_hash(verdicts)} on Training: {relabelled} images relabelled, "
        f"{left_out} left out."
    )
    return face_set(
        faces.name,
        faces.images[keep],
        labels[keep],
        faces.usage[keep],
        row=faces.row[keep],
        source=faces.source,
        notes=(*faces.notes, note),
    )


def verdicts_hash(verdicts: pd.DataFrame) -> str:
    """16 hexadecimal digits, equal where two tables change the same images in the same way.

    Order, notes, times and labels found right do not matter.
    """
    changing = verdicts.loc[verdicts["verdict"] != "right", ["pixels", "verdict", "should_be"]]
    lines = sorted(",".join(map(str, row)) for row in changing.itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _overlay(
    pixels: NDArray[np.int64], labels: NDArray[np.int64], verdicts: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The labels (N,) with wrong ones replaced, and which images (N,) to keep."""
    if verdicts["pixels"].duplicated().any():
        raise DataError("An image has two verdicts. Keep one of them.")
    position = pd.Index(verdicts["pixels"]).get_indexer(pixels)
    said = np.append(verdicts["verdict"].to_numpy(object), "")[position]  # '' where none, at -1
    should_be = np.append(verdicts["should_be"].to_numpy(object), "")[position]
    labels, wrong = labels.copy(), said == "wrong"
    labels[wrong] = [CLASSES.index(name) for name in should_be[wrong]]
    return labels, (said != "ambiguous") & (said != "unusable")


def _scores(predictions: Predictions) -> Scores:
    right, n = int(predictions.correct.sum()), len(predictions)
    if n == 0:
        return Scores(0, float("nan"), wilson_interval(0, 0), float("nan"))
    return Scores(n, right / n, wilson_interval(right, n), macro_f1(predictions))
