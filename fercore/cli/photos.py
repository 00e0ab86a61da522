"""`fercore predict PHOTO`: the expressions in photos, from the command line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fercore.cli.output import print_table
from fercore.faces.photos import opened_photo
from fercore.predict.face_results import face_records
from fercore.predict.predictor import Predictor
from fercore.wording import in_percent


def look_at_photo(
    predictor: Predictor, faces: str, path: Path, name: str
) -> tuple[list[dict[str, Any]], Iterable[str]]:
    """What a model says of the faces in a photo, and notes on its file. Raises `ImageError`."""
    with opened_photo(path, name) as (picture, notes):
        found = predictor(picture, faces=faces)
    return face_records(name, found, predictor), notes


def print_photos(records: list[dict[str, Any]]) -> None:
    """A line for each face."""
    columns = ["photo", "face", "expression", "%", "next", "%"]
    print_table(columns, [_line(record) for record in records])


def _line(record: dict[str, Any]) -> list[object]:
    marks = {"unsure": "unsure", "weak": "may be no face", "whole_picture": "whole picture"}
    marked = ", ".join(word for key, word in marks.items() if record[key])
    said = record["predicted"] + (f" ({marked})" if marked else "")
    (_, first), (next_name, second) = _likeliest(record["probabilities"])
    return [record["photo"], record["face"], said, in_percent(first), next_name, in_percent(second)]


def _likeliest(probabilities: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(probabilities.items(), key=lambda item: -item[1])[:2]
