"""What models said of the faces in photos, as records and as a table: one line per face and model.

The command line, the page's downloads and a notebook write the same.
"""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from fercore.labels import CLASSES
from fercore.predict.predictor import FacePrediction, Predictor

COLUMNS = [
    "photo", "face", "run", "predicted", "confidence", "unsure", "left", "top", "side", "tilt",
    "whole_picture", "weak", *(f"p_{name}" for name in CLASSES),
]  # fmt: skip


def face_records(
    photo: str,
    faces: Iterable[FacePrediction],
    predictor: Predictor,
    threshold: float | None = None,
) -> list[dict[str, Any]]:
    """A record for each face of a photo, numbered from 1, of plain values that JSON can hold.

    'unsure' is below `threshold`, a calibrated confidence; by default the record's own.
    """
    threshold = predictor.record.threshold if threshold is None else threshold
    return [
        {
            "photo": photo,
            "face": number,
            "run": predictor.run_id,
            "predicted": face.expression,
            "confidence": face.confidence,
            "unsure": face.confidence < threshold,
            "box": face.box._asdict(),
            "whole_picture": face.whole,
            "weak": face.weak,
            "probabilities": dict(zip(CLASSES, face.probs.tolist(), strict=True)),
        }
        for number, face in enumerate(faces, start=1)
    ]


def face_table(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """The records as a flat table with `COLUMNS`, for CSV and Parquet."""
    return flat_table(records, COLUMNS)


def flat_table(records: Iterable[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Records with a 'box' and 'probabilities' as a table of those columns."""
    flat = [
        record
        | record["box"]
        | {f"p_{name}": share for name, share in record["probabilities"].items()}
        for record in records
    ]
    return pd.DataFrame(flat, columns=columns)
