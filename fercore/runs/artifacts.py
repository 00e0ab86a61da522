"""What is in a run; checked when read.

A run is a folder. Its `run.json` is written last (see `writing`), so a folder that has one is
complete; the others are trainings under way or broken off. Reading needs no torch, except for a
model's weights.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from fercore.errors import MissingExtra, RunError
from fercore.files import file_stamp, read_json
from fercore.models import build
from fercore.runs.commit import from_uncommitted_code
from fercore.runs.folders import SHIPPED, artifacts_folder, remedy
from fercore.runs.info import (
    HISTORY,
    METRICS,
    ONNX,
    PREDICTIONS,
    WEIGHTS,
    ImportedInfo,
    RunInfo,
    lacking,
)
from fercore.runs.measured import checked_metrics, history_frame
from fercore.runs.parts import OtherSet, find_part
from fercore.scoring.evaluation import evaluate, evaluate_parts
from fercore.scoring.labelling import Labelling
from fercore.scoring.predictions import PARTS, Predictions, read_frame, select_part
from fercore.training.recipes import Recipe

if TYPE_CHECKING:
    from fercore.models.network import Network

SCORES = (PREDICTIONS, METRICS)
FILES = (HISTORY, WEIGHTS, *SCORES)
NOTE, NOTE_LENGTH = "note.txt", 500  # what a person wrote about a run; characters
PARTS_OF_SHIPPED = "parts"
T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A complete run. `info` is its `run.json`.

    labelling: what its predictions are scored against, where that is not the dataset's labels.
    elsewhere: the other test set that it is looked at on (see `on`), which `info` then names.
    """

    folder: Path
    info: RunInfo
    recipe: Recipe
    labelling: Labelling | None = field(default=None, kw_only=True)
    elsewhere: OtherSet | None = field(default=None, kw_only=True)

    @property
    def run_id(self) -> str:
        return self.info["run_id"]

    @property
    def shipped(self) -> bool:
        return self.folder.parent.name == SHIPPED

    @property
    def start_from(self) -> str | None:
        """The run whose weights it began with, by the name that it had then."""
        start = self.info.get("start_from")
        return start["run_id"] if start else None

    @property
    def epochs_done(self) -> int:
        """How long it was trained; the recipe's epochs where it was not said."""
        return self.info.get("epochs_done") or self.recipe.epochs

    @property
    def uncommitted(self) -> bool:
        """Whether the code that trained it was changed since its commit."""
        return from_uncommitted_code(self.info.get("git_commit"))

    @property
    def members(self) -> list[str]:
        """The runs whose mean it is; none for one that was trained."""
        return self.info.get("members", [])

    @property
    def imported(self) -> ImportedInfo | None:
        """Where its answers come from, if it was not fercore that trained it, or its members."""
        return self.info.get("imported")

    @property
    def learned_from(self) -> list[int] | None:
        """How many images of each class it learned from; None where that is not known."""
        return None if self.imported else self.info["dataset"]["counts"].get("Training")

    @property
    def trained(self) -> bool:
        """Whether it was trained by fercore: such a run has weights and a history."""
        return not self.members and not self.imported

    def check_trained(self, what: str) -> None:
        """Raise `RunError`, which says why it has no `what`, where fercore did not train it."""
        if not self.trained:
            raise RunError(lacking(self.run_id, self.info, what))

    @property
    def architecture(self) -> str:
        """Equal for two runs of one network; of imported ones, for those of one recipe."""
        return f"{self.info['model']} {self.recipe.name}" if self.imported else self.info["model"]

    def weights_file(self) -> Path:
        """Its file of weights. Raises `RunError` for a run that was not trained here."""
        self.check_trained("weights")
        return self.folder / WEIGHTS

    def model_file(self) -> Path:
        """Its weights, or its ONNX file: what is asked about photos. Raises `RunError` without."""
        return self.folder / ONNX if ONNX in self.info["files"] else self.weights_file()

    @property
    def dataset(self) -> str:
        return self.info["dataset"]["name"]

    @property
    def note(self) -> str:
        """What a person wrote about it, or ''."""
        try:
            note = (self.folder / NOTE).read_text(encoding="utf-8", errors="replace")
        except OSError:  # most have none
            return ""
        return note[:NOTE_LENGTH]

    @property
    def parts_folder(self) -> Path:
        """Where its further parts lie: with it, unless it came with the project."""
        if self.shipped:
            return artifacts_folder() / PARTS_OF_SHIPPED / self.run_id
        return self.folder / "parts"

    def on(self, part: str) -> Run:
        """The run on the test set that a further part is of; itself for a part of its own set.

        Its dataset, labels, predictions and metrics are then those. Raises `RunError` where it was
        not scored on that set, or what was kept is damaged.
        """
        if part in PARTS or (self.elsewhere and self.elsewhere.name == part):
            return self
        found = find_part(self.home, part)
        info: Any = self.info | {"dataset": found.dataset}
        return replace(self, info=info, elsewhere=found, labelling=None)

    @property
    def home(self) -> Run:
        """The run on the set that it was made on, with its labels."""
        if not self.elsewhere:
            return self
        info: Any = self.info | {"dataset": self.elsewhere.own}
        return replace(self, info=info, elsewhere=None, labelling=None)

    @property
    def seen_on(self) -> str:
        """'' on its own set; on another one, what tells that from others and changes with it."""
        return f"{self.elsewhere.name} {self.elsewhere.stamp}" if self.elsewhere else ""

    @property
    def bytes_on_disk(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @cached_property
    def stored_frame(self) -> pd.DataFrame:
        """The stored table: usage, row, label, pixels, copy, p_angry … p_neutral."""
        if self.elsewhere:
            return self.elsewhere.frame()
        return self.read(PREDICTIONS, read_frame)

    @cached_property
    def prediction_frame(self) -> pd.DataFrame:
        """The same with the labels that it is scored against, without images that have none."""
        return self.labelling.frame(self.stored_frame) if self.labelling else self.stored_frame

    def stored_predictions(self, part: str = "private") -> Predictions:
        """The predictions on a part with the dataset's labels, in row order."""
        there = self.on(part)
        return select_part(there.stored_frame, there._usage_of(part))

    def left_out(self, part: str = "private") -> int:
        """How many images of a part have none of the labels that it is scored against."""
        return len(self.stored_predictions(part)) - len(self.predictions(part))

    def predictions(self, part: str = "private") -> Predictions:
        """The predictions on 'private', 'clean', 'public' or a further part, in row order."""
        there = self.on(part)
        return select_part(there.prediction_frame, there._usage_of(part))

    def _usage_of(self, part: str) -> str:
        """All images of another set are its test images."""
        return "private" if self.elsewhere and self.elsewhere.name == part else part

    def metrics(self) -> dict[str, Any]:
        """Headline metrics by part, as stored; computed where the labels are others than the
        dataset's, or the file is damaged. On another test set those of its part alone.

        They are shared: they are not to be changed.
        """
        if self.elsewhere:  # all of whose images are test images
            scores = evaluate(self.predictions("private"))
            return {self.elsewhere.name: scores, "private": scores}
        if self.labelling:
            return evaluate_parts(self.prediction_frame)
        try:
            return self.read(METRICS, lambda path: _metrics(path, file_stamp(path)))
        except RunError as error:
            metrics = evaluate_parts(self.prediction_frame)
            _log.warning("%s Its metrics are computed from its predictions.", error)
            return metrics

    def history(self) -> pd.DataFrame:
        """One line per epoch. Raises `RunError` for a run that was not trained here."""
        self.check_trained("history")
        history = self.read(HISTORY, lambda path: history_frame(path.read_text("utf-8")))
        if len(history) < (self.info["best_epoch"] or 0):
            raise RunError(
                f"{self.run_id}: its history.jsonl cannot be read to its end. {remedy(self.folder)}"
            )
        return history

    def load_model(self) -> Network:
        """The model with its weights, in evaluation mode. Imports torch."""
        from fercore.models.weights import load_weights

        build_model = partial(build, self.info["model"], **self.info["model_arguments"])
        model = self.read(self.weights_file().name, partial(load_weights, build_model))
        model.eval()
        return model

    def read(self, name: str, reader: Callable[[Path], T]) -> T:
        """What `reader` makes of one of its files. Raises `RunError` where it cannot."""
        try:
            return reader(self.folder / name)
        except MissingExtra:
            raise
        except RunError as error:  # says itself what is wrong
            raise RunError(
                f"{self.run_id}: its {name} cannot be used. {error} {remedy(self.folder)}"
            ) from error
        except Exception as error:  # each format's library has errors of its own
            raise RunError(
                f"{self.run_id}: its {name} cannot be read. {remedy(self.folder)}"
            ) from error


@lru_cache(maxsize=1000)
def _metrics(path: Path, _stamp: str) -> dict[str, Any]:
    return checked_metrics(read_json(path))
