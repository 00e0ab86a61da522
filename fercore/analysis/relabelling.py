"""Other labels laid over the dataset's: over a run's predictions, and over what it is trained on.

They are FER+'s, or one's own verdicts.
"""

import hashlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.analysis import review
from fercore.data import FaceSet, face_set
from fercore.data.votes import Votes, votes_for
from fercore.errors import ConfigError, DataError, RunError
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.scoring.evaluation import macro_f1
from fercore.scoring.grouped.comparison import accuracy_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.labelling import (
    TRAINED_BY,
    Labelling,
    by_votes,
    checked_labels,
    relabelled,
    votes_on,
)
from fercore.scoring.statistics import Interval
from fercore.wording import count


class Scores(NamedTuple):
    """`accuracy` with its 95 % interval, and `macro_f1`, from 0 to 1, means over seeds; NaN without
    images.
    """

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


def against(run: Run, labels: str) -> Run:
    """The run as scored against other labels, a key of `LABELS`; its files stay as they are.

    Raises what `labelling` does.
    """
    return replace(run, labelling=labelling(labels, run.dataset, run.stored_frame))


def labelling(labels: str, dataset: str, frame: pd.DataFrame) -> Labelling | None:
    """Those labels of the images of a stored table of predictions; None for the dataset's own.

    dataset: its name. Raises `ConfigError` for unknown labels, `RunError` where FER+'s raters have
    not seen these images.
    """
    if checked_labels(labels) == "dataset":
        return None
    if labels == "verdicts":
        return by_verdicts(review.verdicts())
    votes = votes_on(dataset, frame)
    if votes is None:
        raise RunError(
            "FER+'s raters have seen the images of the original fer2013.csv alone, and not these "
            f"({dataset}). Score them against the dataset's labels, or your verdicts."
        )
    return by_votes(labels, votes)


def by_verdicts(verdicts: pd.DataFrame) -> Labelling:
    """Wrong labels replaced, ambiguous and unusable images left out.

    `verdicts` as `review.verdicts` returns it. Images with the same pixels share the verdict.
    """
    return Labelling(
        "verdicts",
        f"verdicts-{verdicts_hash(verdicts)}",
        lambda rows, pixels, given: _overlay(pixels, given, verdicts),
    )


def rescore(predictions: GroupPredictions, verdicts: pd.DataFrame) -> Rescored:
    """The scores of a group's seeds, or of one run, with and without the verdicts applied."""
    found = relabelled(predictions, by_verdicts(verdicts))
    return Rescored(
        _scores(predictions),
        _scores(found.predictions),
        relabelled=found.relabelled,
        left_out=found.left_out,
    )


def apply_to_training(faces: FaceSet, verdicts: pd.DataFrame) -> FaceSet:
    """`faces` with the verdicts laid over its Training images; the test usages stay as they are.

    Wrong labels are replaced, ambiguous and unusable images left out; the result has a fingerprint
    of its own and a note. `faces` itself where no Training image is touched.
    """
    return _on_training(faces, by_verdicts(verdicts), f"Verdicts {verdicts_hash(verdicts)}")


def train_by_votes(faces: FaceSet, labels: str) -> FaceSet:
    """`faces` with FER+'s labels on its Training images; the test usages stay as they are.

    labels: a key of `TRAINED_BY`. Training images without such a label are left out: under 'votes'
    those without a plurality, whose votes hardly speak of the seven expressions. Raises
    `ConfigError` for other labels, `DataError` where FER+'s raters have not seen these images.
    """
    if labels not in TRAINED_BY:
        raise ConfigError(
            f"There are no labels '{labels}' to train by. Choose {', '.join(TRAINED_BY)}, or the "
            "review verdicts with --verdicts."
        )
    name = "ferplus" if labels == "votes" else labels
    return _on_training(faces, by_votes(name, _votes_on_training(faces)), TRAINED_BY[labels])


def vote_targets(faces: FaceSet) -> NDArray[np.float32]:
    """How the votes on each Training image are spread over the seven classes (N, 7): soft labels.

    `faces` as `train_by_votes` gives them. Raises what that does.
    """
    votes = _votes_on_training(faces)
    return votes.shares(faces.row[faces.usage == "Training"]).astype(np.float32)


def _votes_on_training(faces: FaceSet) -> Votes:
    votes = votes_for(faces.name, faces.row, faces.usage)
    if votes is None:
        raise DataError(
            "FER+'s raters have seen the images of the original fer2013.csv alone, and not "
            f"{faces.name}'s as they are here. Train by the dataset's labels."
        )
    return votes


def _on_training(faces: FaceSet, labelling: Labelling, title: str) -> FaceSet:
    """`faces` with other labels on its Training images; itself where nothing changes."""
    training = np.flatnonzero(faces.usage == "Training")
    pixels = faces.part("Training").pixel_hashes()
    labels, keep = faces.labels.copy(), np.ones(len(faces), bool)
    laid = labelling.lay(faces.row[training], pixels, faces.labels[training])
    labels[training], keep[training] = laid
    relabelled, left_out = int((labels != faces.labels)[keep].sum()), int((~keep).sum())
    if not relabelled and not left_out:
        return faces
    note = (
        f"{title} on Training: {count(relabelled)} images relabelled, {count(left_out)} left out."
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


def _scores(predictions: GroupPredictions) -> Scores:
    n, unknown = len(predictions), float("nan")
    if n == 0:
        return Scores(0, unknown, Interval(0.0, 1.0), unknown)
    f1 = float(np.mean([macro_f1(table) for table in predictions.tables]))
    return Scores(n, float(predictions.correct.mean()), accuracy_interval(predictions), f1)
