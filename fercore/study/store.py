"""A study on disk: what every finished training scored, and its predictions. Without torch.

    artifacts/studies/<name>/
      table.parquet, table.json    a line per training; recomputed from the cells
      images.parquet               usage, row, label, pixels, copy: once, for all cells
      cells/<run_id>/              run.json, history.jsonl, probs.parquet (the seven columns)
      tests.parquet, cells/<run_id>/tests.parquet
                                   the same of PrivateTest, where that was scored later
      cells/<run_id>/answers.parquet    before that: what it answers there, kept unread
      latency.json                 milliseconds per image by variant, measured side by side
      runs/                        the run folders with their weights and checkpoints, not committed

A study that comes with an installed fercore is read where it lies. The first training that is
added to it copies it to this machine's own studies, which go before.

A cell with a `run.json` is finished. Where a copy of FER2013 that a training was made on lacks
some of the images, its probabilities there are NaN, `images.parquet` says in a column 'everywhere'
which images every training was scored on, and all that is told is told of those.

What was scored on PublicTest alone, by which the epoch was chosen, is kept to a byte a number. In
a study that is scored last, `run.json` says under 'scored' when a training's answers on PrivateTest
were asked for, each time, and before they are; under 'answered', since when they are kept unread.
"""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pyarrow import ArrowException

from fercore.data.faceset import FaceSet
from fercore.errors import RunError
from fercore.files import file_stamp, write_json
from fercore.runs import folders
from fercore.runs.artifacts import Run
from fercore.runs.info import HISTORY, INFO
from fercore.runs.measured import history_frame
from fercore.scoring.predictions import (
    PROBABILITY_COLUMNS,
    Predictions,
    checked_frame,
    select_part,
)
from fercore.study.cells import mostly, now_by, probs_on, read_info
from fercore.study.own_folder import begin, scoring_in, writing_in
from fercore.study.table import (
    EVERYWHERE,
    everywhere_scored,
    read_accuracies,
    read_images,
    read_latency,
    read_table,
    table_line,
)
from fercore.study.thinning import Stored, stored_frame, thinned, with_probs, write_compactly
from fercore.study.variants import check_parts

TESTS, ANSWERS = "tests.parquet", "answers.parquet"

Content = TypeVar("Content")


class StudyStore:
    """One study's folder. Raises `RunError` where what is asked for is not there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._own = folders.artifacts_folder() / folders.STUDIES / name

    @property
    def folder(self) -> Path:
        """Where it is read."""
        shipped = folders.shipped_artifacts() / folders.STUDIES / self.name
        return self._own if self._own.exists() or not shipped.exists() else shipped

    def run_folder(self, run_id: str) -> Path:
        """Where that training keeps its checkpoint, and later its weights."""
        begin(self._own, self.folder)
        return folders.study_run_folder(self.name, run_id)

    def finished(self) -> set[str]:
        """Names of the trainings whose results are here."""
        return self._with(INFO)

    def changed(self) -> float:
        """When the table was last written, in seconds since 1970; 0 before."""
        path = self.folder / "table.parquet"
        return path.stat().st_mtime if path.is_file() else 0.0

    def digest(self) -> str:
        """A hash over its table and its trainings' results."""
        digest = hashlib.sha256()
        paths = [*self.folder.glob("*.parquet"), *self.folder.glob("cells/*/*")]
        for path in sorted(path for path in paths if path.is_file()):
            digest.update(f"{path.relative_to(self.folder)}\n".encode() + path.read_bytes())
        return digest.hexdigest()

    def table(self) -> pd.DataFrame:
        """A line per finished training: variant, model, condition, seed, run_id, accuracies on the
        parts scored, and macro F1 on PrivateTest or, where that was not, PublicTest (shares from 0
        to 1), parameters, flops_per_image, latency_ms, seconds, best_epoch, epochs, precision,
        processor, dataset.
        """
        finished, path = self.finished(), self.folder / "table.parquet"
        if not finished:
            raise RunError(f"Study '{self.name}' has no results yet. Run 'fercore study'.")
        with suppress(OSError, ValueError, ArrowException):
            table = read_table(path, file_stamp(path))
            if len(table) == len(finished) and set(table["run_id"]) == finished:
                return table.copy()
        return pd.DataFrame(self._lines())  # damaged, or of before the last training

    def accuracies(self) -> dict[str, dict[str, float]]:
        """What the table on disk says of each training, by part; nothing where it is damaged."""
        path = self.folder / "table.parquet"
        with suppress(OSError, ValueError, ArrowException):
            return read_accuracies(path, file_stamp(path))
        return {}

    def info(self, run_id: str) -> dict[str, Any]:
        """The training's `run.json`, which is shared: it is not to be changed."""
        path = self._cell(run_id) / INFO
        return self._read(path, lambda path: read_info(path, file_stamp(path)))

    def history(self, run_id: str) -> pd.DataFrame:
        """One line per epoch."""
        path = self._cell(run_id) / HISTORY
        return self._read(path, lambda path: history_frame(path.read_text("utf-8")))

    def prediction_frame(self, run_id: str) -> pd.DataFrame:
        """The training's stored table, as `Run.prediction_frame` is."""
        cell, images = self._cell(run_id), self._images()
        everywhere = everywhere_scored(images)
        images = images.drop(columns=EVERYWHERE, errors="ignore")
        frame = self._read(
            cell / "probs.parquet",
            lambda path: checked_frame(with_probs(images, path)[everywhere]),
        )
        if not (cell / TESTS).is_file():
            return frame
        tests = self._table_of_images(TESTS)
        scored = self._read(cell / TESTS, lambda path: checked_frame(with_probs(tests, path)))
        return pd.concat([frame, scored], ignore_index=True)

    def predictions(self, run_id: str, part: str = "private") -> Predictions:
        """The training's predictions on 'private', 'clean' or 'public', in row order."""
        return select_part(self.prediction_frame(run_id), part)

    def add(self, run: Run, *, variant: str) -> None:
        """Keep a finished run's results. Raises `RunError` where it was scored on other images, or
        as `check_parts` does.

        Of two copies of FER2013 it is enough that most test images are in both.
        """
        probs = run.prediction_frame[PROBABILITY_COLUMNS]
        images = run.prediction_frame.drop(columns=PROBABILITY_COLUMNS)
        check_parts(self.name, images["usage"])
        with self._writing():
            if not (self.folder / "images.parquet").is_file():
                write_compactly(self.folder / "images.parquet", images)
            elif not images.equals(self._images().drop(columns=EVERYWHERE, errors="ignore")):
                probs = self._joined(run)
            if (images["usage"] == "PublicTest").all() and probs.notna().all(axis=None):
                probs = stored_frame(thinned(probs.to_numpy()))
            cell = self.folder / "cells" / run.run_id
            cell.mkdir(parents=True, exist_ok=True)
            write_compactly(cell / "probs.parquet", probs)
            shutil.copyfile(run.folder / HISTORY, cell / HISTORY)
            write_json(cell / INFO, {**run.info, "variant": variant})
            self._write_table()

    def begin_scoring(self, run_id: str, *, commit: str | None) -> None:
        """Write down that PrivateTest is about to be scored with a training, and by which code."""
        check_parts(self.name, ["PrivateTest"])
        info = self.info(run_id)
        with self._writing():
            scored = [*info.get("scored", []), now_by(commit)]
            write_json(self._cell(run_id) / INFO, {**info, "scored": scored})

    def keep_answers(self, run_id: str, stored: Stored, *, commit: str | None) -> None:
        """Keep a training's answers (N, 7) on PrivateTest, unread, until that is scored."""
        check_parts(self.name, ["PrivateTest"])
        info = {**self.info(run_id), "answered": now_by(commit)}
        with self._writing():
            write_json(self._cell(run_id) / INFO, info)
            write_compactly(self._cell(run_id) / ANSWERS, stored_frame(stored))

    def answered(self) -> set[str]:
        """Names of the trainings whose answers on PrivateTest are kept unread."""
        return self.finished() & self._with(ANSWERS)

    def add_scores(self, run_id: str, images: pd.DataFrame, stored: Stored | None = None) -> None:
        """Keep a training's answers (N, 7) on the images of PrivateTest, as `thinning` gives them;
        None for those that `keep_answers` kept.

        images: usage, row, label, pixels, copy. Raises `RunError` where they are others than those
        of the trainings before. The table is not written anew.
        """
        cell = self._cell(run_id)
        with self._writing():
            if not (self.folder / TESTS).is_file():
                write_compactly(self.folder / TESTS, images)
            elif not images.equals(self._table_of_images(TESTS)):
                raise RunError(f"Study '{self.name}' was scored on other images of PrivateTest.")
            if stored is None:
                (cell / ANSWERS).replace(cell / TESTS)
            else:
                write_compactly(cell / TESTS, stored_frame(stored))

    def scored(self) -> set[str]:
        """Names of the trainings whose answers on PrivateTest are here."""
        finished = self.finished()
        if finished and self._images()["usage"].eq("PrivateTest").any():
            return finished
        return finished & self._with(TESTS)

    def scored_everywhere(self) -> tuple[int, int]:
        """How many of the study's images every training was scored on, and of how many."""
        images = self._images()
        return int(everywhere_scored(images).sum()), len(images)

    def mostly_in(self, faces: FaceSet) -> bool:
        """Whether most of the study's images are among `faces`, by their pixels."""
        return mostly(faces.positions(self._images()["pixels"].to_numpy()) >= 0)

    def latency_measured(self) -> bool:
        """Whether `write_latency` has been called."""
        return read_latency(self.folder / "latency.json") is not None

    def write_latency(self, milliseconds: dict[str, float]) -> None:
        """Keep the latencies by variant, and put them into the table."""
        with self._writing():
            write_json(self.folder / "latency.json", milliseconds)
            self._write_table()

    def write_table(self) -> None:
        """Compute `table.parquet` and `table.json` anew from the cells."""
        with self._writing():
            self._write_table()

    def scoring(self) -> AbstractContextManager[None]:
        """While PrivateTest is scored. Raises `Busy` where another process is at it."""
        return scoring_in(self._own, self.folder)

    def _writing(self) -> AbstractContextManager[None]:
        return writing_in(self._own, self.folder)

    def _write_table(self) -> None:
        lines = self._lines()
        write_compactly(self.folder / "table.parquet", pd.DataFrame(lines))
        write_json(self.folder / "table.json", lines)

    def _lines(self) -> list[dict[str, Any]]:
        latency = read_latency(self.folder / "latency.json") or {}
        return [
            table_line(info, self.prediction_frame(info["run_id"]), latency.get(info["variant"]))
            for info in map(self.info, sorted(self.finished()))
        ]

    def _with(self, file: str) -> set[str]:
        """The trainings that have such a file."""
        return {path.parent.name for path in self.folder.glob(f"cells/*/{file}")}

    def _cell(self, run_id: str) -> Path:
        cell = self.folder / "cells" / run_id
        if not (cell / INFO).is_file():
            raise RunError(f"Study '{self.name}' has no finished training '{run_id}'.")
        return cell

    def _joined(self, run: Run) -> pd.DataFrame:
        """A run's probabilities on the study's images, found by their pixels; NaN for others."""
        images = self._images().copy()
        probs = probs_on(images, run.prediction_frame)
        found = probs[PROBABILITY_COLUMNS[0]].notna().to_numpy()
        if run.dataset != "FER2013" or not mostly(found):
            raise RunError(f"{run.run_id} was scored on other images than study '{self.name}'.")
        images[EVERYWHERE] = everywhere_scored(images) & found
        write_compactly(self.folder / "images.parquet", images)
        return probs

    def _images(self) -> pd.DataFrame:
        return self._table_of_images("images.parquet")

    def _table_of_images(self, name: str) -> pd.DataFrame:
        return self._read(self.folder / name, lambda path: read_images(path, file_stamp(path)))

    def _read(self, path: Path, reader: Callable[[Path], Content]) -> Content:
        """What `reader` makes of one of the study's files. Raises `RunError` where it cannot."""
        try:
            return reader(path)
        except (OSError, ValueError, ArrowException, RunError) as error:
            cell = path.parent if path.parent != self.folder else None
            again = f", or delete {cell} and run the study again: it makes it anew" if cell else ""
            raise RunError(
                f"Study '{self.name}': {path.relative_to(self.folder)} cannot be read. Restore the "
                f"file{again}."
            ) from error
