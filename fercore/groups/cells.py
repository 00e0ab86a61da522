"""A study's finished training as a run: its predictions and history, mostly without weights."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from fercore.errors import FerError, RunError
from fercore.files import file_stamp
from fercore.runs.artifacts import Run
from fercore.runs.folders import STUDIES, artifacts_folder, shipped_artifacts
from fercore.runs.info import WEIGHTS
from fercore.scoring.evaluation import evaluate_parts
from fercore.study.store import TESTS, StudyStore
from fercore.training.recipes import Recipe


@dataclass(frozen=True)
class Cell(Run):
    """A training of a study. Its folder is the study's cell; it is called 'STUDY/NAME'."""

    store: StudyStore

    @property
    def run_id(self) -> str:
        return f"{self.store.name}/{self.info['run_id']}"

    @property
    def variant(self) -> str:
        """Its row in the study."""
        return str(self.info.get("variant"))

    def weights_file(self) -> Path:
        """Its weights. Raises `RunError` where the study did not keep them, as most do not."""
        path = self.folder / WEIGHTS
        if not path.is_file():
            raise RunError(
                f"'{self.run_id}' is a training of a study, which kept its predictions and not its "
                "weights. Choose a run that has them."
            )
        return path

    @cached_property
    def stored_frame(self) -> pd.DataFrame:
        """The stored table; see `Run.stored_frame`."""
        return self.store.prediction_frame(self.info["run_id"])

    def accuracy(self, part: str) -> float | None:
        """On 'private', 'clean' or 'public', as the study's table has it, if it has it already."""
        run_id = self.info["run_id"]
        if known := self.store.accuracies().get(run_id):
            return known.get(part)
        predictions = self.store.predictions(run_id, part)
        return float(predictions.correct.mean()) if len(predictions) else None

    def metrics(self) -> dict[str, Any]:
        """Headline metrics by part, from its predictions."""
        return evaluate_parts(self.prediction_frame)


def stored_accuracy(run: Run, part: str) -> float | None:
    """A run's accuracy on a part against the dataset's labels, without its predictions being read;
    None where it is not known.
    """
    try:
        if isinstance(run, Cell):
            return run.accuracy(part)
        accuracy: float | None = (
            replace(run, labelling=None).metrics().get(part, {}).get("accuracy")
        )
        return accuracy
    except RunError:  # nothing of it can be read
        return None


@dataclass(frozen=True)
class Damaged:
    """A cell that cannot be read: its name, which says what it belonged to, and what is wrong."""

    study: str
    variant: str
    problem: str


def scored_cells() -> list[Cell | Damaged]:
    """The finished trainings of all studies that were scored on PrivateTest, by study and name."""
    found: list[Cell | Damaged] = []
    for name in sorted(_studies()):
        folder = StudyStore(name).folder
        try:
            with _READING:
                found += _read(name, folder, tuple(_stamps(folder)))
        except _Refused as refused:
            found += refused.found
    return found


_READING = threading.Lock()  # of many visitors to a fresh server one reads, and the others wait


class _Refused(Exception):
    """The system refused to read something, which may pass: what was found is not kept."""

    def __init__(self, found: list[Cell | Damaged]) -> None:
        self.found = found


def _studies() -> set[str]:
    folders = {artifacts_folder() / STUDIES, shipped_artifacts() / STUDIES}
    return {name for folder in folders if folder.is_dir() for name in _folders(folder)}


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [each.name for each in entries if each.is_dir() and each.name[0] != "."]


def _stamps(folder: Path) -> Iterator[tuple[str, str, str]]:
    """What changes when a cell does: its name, and its files'."""
    scored_later = file_stamp(folder / TESTS)
    yield "", file_stamp(folder / "images.parquet"), scored_later
    cells = folder / "cells"
    if cells.is_dir():
        for name in sorted(_folders(cells)):
            cell = f"{cells}/{name}"  # a path for each, asked for on every page, would take long
            if stamp := file_stamp(f"{cell}/run.json"):
                yield name, stamp, file_stamp(f"{cell}/{TESTS}") if scored_later else ""


@lru_cache(maxsize=50)
def _read(
    name: str, folder: Path, stamps: tuple[tuple[str, str, str], ...]
) -> list[Cell | Damaged]:
    """A study's scored cells. `stamps` as `_stamps` gives them; `folder` tells two of one name."""
    store, refused = StudyStore(name), False
    found: list[Cell | Damaged] = []
    scored = cache(store.scored)
    for cell, _, _ in stamps[1:]:
        try:
            if cell in scored():
                info: Any = store.info(cell)
                recipe = Recipe.from_json(info["recipe"])
                found.append(Cell(folder / "cells" / cell, info, recipe, store))
        except FerError as error:
            refused |= isinstance(error.__cause__, OSError)
            found.append(Damaged(name, cell.rpartition("-s")[0], str(error)))
    if refused:
        raise _Refused(found)
    return found
