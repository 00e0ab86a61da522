"""What models say of the faces in a clip: at each time a line for each face and model.

The command line, the page's download and a notebook write the same.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.faces.detection import Box, preprocess
from fercore.faces.tracking import Seen
from fercore.labels import CLASSES
from fercore.predict.face_results import flat_table
from fercore.predict.predictor import Predictor

COLUMNS = [
    "clip", "time", "face", "run", "predicted", "confidence", "unsure", "left", "top", "side",
    "tilt", "whole_picture", "weak", *(f"p_{name}" for name in CLASSES),
]  # fmt: skip
_BATCH = 32  # faces that are asked about at once


class Sight(NamedTuple):
    """One face at one time. at: seconds after the clip's begin. number: the face's, the same
    through the clip. face: uint8 (48, 48), as the models see it.
    """

    at: float
    number: int
    box: Box
    face: NDArray[np.uint8]
    whole: bool
    weak: bool


class Spell(NamedTuple):
    """Times in a row at which the same is said of a face. confidence: the mean over them."""

    face: int
    begin: float
    end: float
    predicted: str
    confidence: float
    unsure: bool


def sights(seen: Seen) -> list[Sight]:
    """The faces of a frame, cut out; their boxes are in the clip's own pixels."""
    at, picture, scale = seen.frame
    return [
        Sight(at, face.number, _in_the_clip(face.box, scale), preprocess(picture, face.box),
              face.whole, face.weak)
        for face in seen.faces
    ]  # fmt: skip


def _in_the_clip(box: Box, scale: float) -> Box:
    left, top, side = (round(value / scale) for value in box[:3])
    return Box(left, top, side, box.tilt)


def answers(predictor: Predictor, found: list[Sight]) -> Iterator[NDArray[np.float32]]:
    """Calibrated probabilities (n, 7), a few faces after the others, so that one may stop between.

    Together they are in the order of `found`.
    """
    for start in range(0, len(found), _BATCH):
        faces = np.stack([sight.face for sight in found[start : start + _BATCH]])
        yield predictor.record.calibrated(predictor.probs(faces))


def all_answers(parts: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The parts that `answers` gives as one (N, 7)."""
    return np.concatenate([np.empty((0, len(CLASSES)), np.float32), *parts])


def clip_records(
    clip: str,
    found: list[Sight],
    probs: NDArray[np.float32],
    predictor: Predictor,
    threshold: float | None = None,
) -> list[dict[str, Any]]:
    """A record for each sight, of plain values that JSON can hold.

    probs: (N, 7), calibrated. 'unsure' is below `threshold`, by default the record's own.
    """
    threshold = predictor.record.threshold if threshold is None else threshold
    return [
        {
            "clip": clip,
            "time": round(sight.at, 3),
            "face": sight.number,
            "run": predictor.run_id,
            "predicted": CLASSES[int(said.argmax())],
            "confidence": float(said.max()),
            "unsure": bool(said.max() < threshold),
            "box": sight.box._asdict(),
            "whole_picture": sight.whole,
            "weak": sight.weak,
            "probabilities": dict(zip(CLASSES, said.tolist(), strict=True)),
        }
        for sight, said in zip(found, probs, strict=True)
    ]


def clip_table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The records as a flat table with `COLUMNS`, for CSV and Parquet."""
    return flat_table(records, COLUMNS)


def spells(records: Iterable[dict[str, Any]]) -> list[Spell]:
    """What was said of each face, and for how long: face by face, in the order of time."""
    by_face = sorted(records, key=lambda record: (record["face"], record["time"]))
    told = []
    for (face, predicted, unsure), same in groupby(
        by_face, key=lambda record: (record["face"], record["predicted"], record["unsure"])
    ):
        of = list(same)
        mean = float(np.mean([record["confidence"] for record in of]))
        told.append(Spell(face, of[0]["time"], of[-1]["time"], predicted, mean, unsure))
    return told
