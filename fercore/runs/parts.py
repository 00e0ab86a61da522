"""A run's further parts: its predictions on other test sets, each in a file of its own.

A part is a table like the run's own, all of it test images, with a header that says of which set
they are and which weights were asked. One that is damaged hurts no other, and not the run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.faceset import FaceSet
from fercore.errors import ConfigError, DataError, RunError
from fercore.files import file_stamp, read_header, safe_name, write_headed, writing_to
from fercore.runs.info import DATASET, DatasetInfo
from fercore.scoring.predictions import PARTS, PROBABILITY_COLUMNS, image_frame, read_frame
from fercore.shapes import misfit, text

if TYPE_CHECKING:
    from fercore.runs.artifacts import Run

_SHAPE = {"dataset": DATASET, "scored_by": text}


@dataclass(frozen=True)
class OtherSet:
    """The set that a further part is of. name: the part's. stamp: another one where its file is
    another. own: what the run itself was made on.
    """

    name: str
    file: Path
    stamp: str
    dataset: DatasetInfo
    own: DatasetInfo

    def frame(self) -> pd.DataFrame:
        """Its stored table. Raises `RunError` where it is damaged."""
        try:
            return read_frame(self.file)
        except Exception as error:  # Parquet's library has errors of its own
            raise _damaged(self.file) from error


def part_name(dataset: str) -> str:
    """What a set's part is called: its name, fit for a file. Raises `ConfigError` for none."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset).strip("-._")[:60]
    if not safe_name(name) or name in PARTS:
        raise ConfigError(
            f"'{dataset}' is no name for a part: use letters, digits, '-', '_' and '.', and none "
            f"of {', '.join(PARTS)}. Give another one with --name."
        )
    return name


def part_names(run: Run) -> list[str]:
    """The further parts of a run, damaged ones too."""
    found = (path.stem for path in run.parts_folder.glob("[!.]*.parquet"))
    return sorted(name for name in found if safe_name(name) and name not in PARTS)


def find_part(run: Run, name: str) -> OtherSet:
    """Raises `RunError` where there is none of that name, or it cannot be used."""
    if name not in part_names(run):
        known = ", ".join([*PARTS, *part_names(run)])
        raise RunError(
            f"There is no part '{name}' of {run.run_id}. Choose one of: {known}{_or_score(run)}"
        )
    path = run.parts_folder / f"{name}.parquet"
    stamp = file_stamp(path)
    header = _header(path, stamp)
    if header["scored_by"] != _scored_by(run):
        raise RunError(
            f"{run.run_id}: its predictions on {name} are of other weights than it has now. Score "
            f"it anew with 'fercore evaluate {run.run_id} --data SET --keep'."
        )
    return OtherSet(name, path, stamp, header["dataset"], run.info["dataset"])


def _or_score(run: Run) -> str:
    """The end of a sentence: how it is scored on another set, or why it cannot be."""
    try:
        run.model_file()
    except RunError as error:
        return f". {error}"
    return f"; or score it on another set with 'fercore evaluate {run.run_id} --data SET --keep'."


def tested_images(faces: FaceSet) -> FaceSet:
    """Those of another set that a model is scored on: PrivateTest, or where it has none PublicTest.

    Raises `DataError` where there is neither.
    """
    for usage in ("PrivateTest", "PublicTest"):
        if (faces.usage == usage).any():
            return faces.part(usage)
    raise DataError(
        f"{faces.name} has no test images, only Training's. Name a folder of them 'test'."
    )


def keep_part(run: Run, faces: FaceSet, probs: NDArray[np.float32], name: str) -> Run:
    """Store what the run says of `tested_images(faces)`, and return it as scored on them.

    probs: float32 (N, 7). A part of that name is replaced. Raises `RunError` where the system
    refuses.
    """
    name, tested = part_name(name), tested_images(faces)
    about: dict[str, Any] = {
        "name": faces.name, "fingerprint": faces.fingerprint, "counts": faces.counts(),
    }  # fmt: skip
    frame = image_frame(faces)
    frame = frame[np.isin(frame["row"], tested.row)].assign(usage="PrivateTest")
    frame[PROBABILITY_COLUMNS] = np.asarray(probs, np.float32)
    header = {"dataset": about, "scored_by": _scored_by(run)}
    folder = run.parts_folder
    with writing_to(folder, f"The predictions on {name} are not kept", RunError):
        folder.mkdir(parents=True, exist_ok=True)
        write_headed(folder / f"{name}.parquet", frame, header)
    return run.on(name)


def _scored_by(run: Run) -> str:
    """A hash of the weights, or of the ONNX file, that answered."""
    return run.info["files"].get(run.model_file().name, "")


@lru_cache(maxsize=500)
def _header(path: Path, _stamp: str) -> dict[str, Any]:
    """Of which set a part is, and by which weights. Read again when the file changes."""
    try:
        header = read_header(path)
        problem = misfit(header, _SHAPE)
    except Exception as error:
        raise _damaged(path) from error
    if problem:
        raise _damaged(path)
    found: dict[str, Any] = header
    return found


def _damaged(path: Path) -> RunError:
    return RunError(
        f"The predictions on {path.stem} cannot be read. Score the run on it again with 'fercore "
        f"evaluate --keep', or delete {path}."
    )
