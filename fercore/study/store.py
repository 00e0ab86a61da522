"""A study on disk: what every finished training scored, and its predictions. Without torch.

    artifacts/studies/<name>/
      table.parquet, table.json    a line per training; recomputed from the cells
      images.parquet               usage, row, label, pixels, copy: once, for all cells
      cells/<run_id>/              run.json, history.jsonl, probs.parquet (the seven columns)
      latency.json                 milliseconds per image by model, measured side by side
      runs/                        the run folders with their weights and checkpoints, not committed

A study that comes with an installed fercore is read where it lies. The first training that is
added to it copies it to this machine's own studies, which go before.

A cell with a `run.json` is finished. Where a copy of FER2013 that a training was made on lacks
some of the images, its probabilities there are NaN, `images.parquet` says in a column 'everywhere'
which images every training was scored on, and all that is told is told of those.
"""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray
from pyarrow import ArrowException

from fercore.data.faceset import FaceSet
from fercore.errors import RunError
from fercore.files import appearing, file_stamp, read_json, write_json, write_parquet
from fercore.models import MODELS
from fercore.runs.artifacts import Run, artifacts_folder, shipped_artifacts
from fercore.runs.shape import RUN, TRAINED, history_frame
from fercore.scoring.evaluation import macro_f1
from fercore.scoring.predictions import (
    PARTS,
    PROBABILITY_COLUMNS,
    Predictions,
    checked_frame,
    checked_images,
    select_part,
)
from fercore.shapes import misfit, number, one_of, optional, text, whole

_share = number(0, 1)
_LINE = {  # of the table; what was not scored or measured is null
    **dict.fromkeys(("variant", "condition", "run_id", "precision", "processor", "dataset"), text),
    **dict.fromkeys(("seed", "parameters", "flops_per_image"), whole()),
    **dict.fromkeys(("best_epoch", "epochs"), whole(1)),
    **dict.fromkeys(("public_accuracy", "macro_f1"), _share),
    **dict.fromkeys(("private_accuracy?", "clean_accuracy?"), optional(_share)),
    "model": one_of(*MODELS),
    "latency_ms": optional(number()),
    "seconds": number(),
}

STUDIES = "studies"
EVERYWHERE = "everywhere"


class StudyStore:
    """One study's folder. Raises `RunError` where what is asked for is not there."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._own = artifacts_folder() / STUDIES / name

    @property
    def folder(self) -> Path:
        """Where it is read."""
        shipped = shipped_artifacts() / STUDIES / self.name
        return self._own if self._own.exists() or not shipped.exists() else shipped

    def run_folder(self, run_id: str) -> Path:
        """Where that training keeps its checkpoint, and later its weights."""
        self._begin()
        return self._own / "runs" / run_id

    def finished(self) -> set[str]:
        """Names of the trainings whose results are here."""
        return {path.parent.name for path in self.folder.glob("cells/*/run.json")}

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
            raise RunError(
                f"Study '{self.name}' has no results yet. Run 'fercore study' without --show."
            )
        with suppress(OSError, ValueError, ArrowException):
            table = _read_table(path, file_stamp(path))
            if len(table) == len(finished) and set(table["run_id"]) == finished:
                return table.copy()
        return pd.DataFrame(self._lines())  # damaged, or of before the last training

    def info(self, run_id: str) -> dict[str, Any]:
        """The training's `run.json`."""
        return self._read(self._cell(run_id) / "run.json", _read_info)

    def history(self, run_id: str) -> pd.DataFrame:
        """One line per epoch."""
        path = self._cell(run_id) / "history.jsonl"
        return self._read(path, lambda path: history_frame(path.read_text("utf-8")))

    def predictions(self, run_id: str, part: str = "private") -> Predictions:
        """The training's predictions on 'private', 'clean' or 'public', in row order."""
        return select_part(self._prediction_frame(run_id), part)

    def add(self, run: Run, *, variant: str) -> None:
        """Keep a finished run's results. Raises `RunError` where it was scored on other images.

        Of two copies of FER2013 it is enough that most test images are in both.
        """
        probs = run.prediction_frame[PROBABILITY_COLUMNS]
        images = run.prediction_frame.drop(columns=PROBABILITY_COLUMNS)
        self._begin()
        with FileLock(self.folder / "lock"):
            if not (self.folder / "images.parquet").is_file():
                _write_compactly(self.folder / "images.parquet", images)
            elif not images.equals(self._images().drop(columns=EVERYWHERE, errors="ignore")):
                probs = self._joined(run)
            cell = self.folder / "cells" / run.run_id
            cell.mkdir(parents=True, exist_ok=True)
            _write_compactly(cell / "probs.parquet", probs)
            shutil.copyfile(run.folder / "history.jsonl", cell / "history.jsonl")
            write_json(cell / "run.json", run.info | {"variant": variant})
            self.write_table()

    def scored_everywhere(self) -> tuple[int, int]:
        """How many of the study's images every training was scored on, and of how many."""
        images = self._images()
        return int(_everywhere(images).sum()), len(images)

    def mostly_in(self, faces: FaceSet) -> bool:
        """Whether most of the study's images are among `faces`, by their pixels."""
        return mostly(faces.positions(self._images()["pixels"].to_numpy()) >= 0)

    def latency_measured(self) -> bool:
        """Whether `write_latency` has been called."""
        return self._latency() is not None

    def write_latency(self, milliseconds: dict[str, float]) -> None:
        """Keep the latencies by model, and put them into the table."""
        self._begin()
        with FileLock(self.folder / "lock"):
            write_json(self.folder / "latency.json", milliseconds)
            self.write_table()

    def write_table(self) -> None:
        """Compute `table.parquet` and `table.json` anew from the cells."""
        lines = self._lines()
        _write_compactly(self.folder / "table.parquet", pd.DataFrame(lines))
        write_json(self.folder / "table.json", lines)

    def _begin(self) -> None:
        """Make this machine's own folder, with what is shipped in it, unless it is there."""
        shipped = self.folder
        if shipped != self._own:
            with suppress(FileExistsError), appearing(self._own) as made:
                shutil.copytree(shipped, made, dirs_exist_ok=True)
        self._own.mkdir(parents=True, exist_ok=True)

    def _lines(self) -> list[dict[str, Any]]:
        latency = self._latency() or {}
        return [self._line(run_id, latency) for run_id in sorted(self.finished())]

    def _latency(self) -> dict[str, float] | None:
        """The latencies by model; None where they were not measured, or must be again."""
        try:
            latency = read_json(self.folder / "latency.json")
        except (OSError, ValueError):
            return None
        odd = misfit(latency, {}) or misfit(list(latency.values()), [number()])
        return None if odd else latency

    def _line(self, run_id: str, latency: dict[str, float]) -> dict[str, Any]:
        info, frame = self.info(run_id), self._prediction_frame(run_id)
        parts = {part: select_part(frame, part) for part in PARTS}
        scored = {part: table for part, table in parts.items() if len(table)}
        headline = scored.get("private", parts["public"])
        return {
            "variant": info["variant"],
            "model": info["model"],
            "condition": info["variant"].removeprefix(info["model"]).removeprefix("-"),
            "seed": info["seed"],
            "run_id": run_id,
            **{f"{part}_accuracy": float(table.correct.mean()) for part, table in scored.items()},
            "macro_f1": macro_f1(headline),
            "parameters": info["parameters"],
            "flops_per_image": info["flops_per_image"],
            "latency_ms": latency.get(info["model"]),
            "seconds": info["seconds"],
            "best_epoch": info["best_epoch"],
            "epochs": info["recipe"]["epochs"],
            "precision": info["hardware"]["precision"],
            "processor": info["hardware"]["processor"],
            "dataset": info["dataset"]["name"],
        }

    def _cell(self, run_id: str) -> Path:
        if run_id not in self.finished():
            raise RunError(f"Study '{self.name}' has no finished training '{run_id}'.")
        return self.folder / "cells" / run_id

    def _prediction_frame(self, run_id: str) -> pd.DataFrame:
        images = self._images()
        everywhere = _everywhere(images)

        def with_images(path: Path) -> pd.DataFrame:
            probs = pd.read_parquet(path).set_axis(images.index)
            return checked_frame(pd.concat([images, probs], axis=1)[everywhere])

        return self._read(self._cell(run_id) / "probs.parquet", with_images)

    def _joined(self, run: Run) -> pd.DataFrame:
        """A run's probabilities on the study's images, found by their pixels; NaN for others."""
        images, keys = self._images().copy(), ["usage", "pixels"]
        theirs = run.prediction_frame.drop_duplicates(keys).set_index(keys)[PROBABILITY_COLUMNS]
        probs = theirs.reindex(pd.MultiIndex.from_frame(images[keys])).reset_index(drop=True)
        found = probs[PROBABILITY_COLUMNS[0]].notna().to_numpy()
        if run.dataset != "FER2013" or not mostly(found):
            raise RunError(f"{run.run_id} was scored on other images than study '{self.name}'.")
        images[EVERYWHERE] = _everywhere(images) & found
        _write_compactly(self.folder / "images.parquet", images)
        return probs

    def _images(self) -> pd.DataFrame:
        path = self.folder / "images.parquet"
        return self._read(path, lambda path: _read_images(path, file_stamp(path)))

    def _read(self, path: Path, reader: Callable[[Path], Any]) -> Any:
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


def _read_info(path: Path) -> dict[str, Any]:
    info = read_json(path)
    if problem := misfit(info, RUN | TRAINED | {"variant": text, "model": one_of(*MODELS)}):
        raise ValueError(problem)
    if info["run_id"] != path.parent.name:
        raise ValueError("it is another training's")
    return info


def mostly(found: NDArray[np.bool_]) -> bool:
    """Whether two copies of FER2013 that share these images may be taken together.

    The original and what was rebuilt of it differ in one in a hundred; an edition with other pixels
    shares an empty image or two.
    """
    return bool(found.mean() > 0.5)


def _everywhere(images: pd.DataFrame) -> NDArray[np.bool_]:
    return images[EVERYWHERE].to_numpy() if EVERYWHERE in images else np.ones(len(images), bool)


@lru_cache(maxsize=8)
def _read_table(path: Path, _stamp: str) -> pd.DataFrame:
    table = pd.read_parquet(path)
    lines = table.astype(object).where(table.notna(), None).to_dict("records")
    if problem := misfit(lines, [_LINE]):
        raise ValueError(problem)
    if any(line["run_id"] != f"{line['variant']}-s{line['seed']}" for line in lines):
        raise ValueError("a line is another training's")
    return table


@lru_cache(maxsize=8)
def _read_images(path: Path, _stamp: str) -> pd.DataFrame:
    images = checked_images(pd.read_parquet(path)).reset_index(drop=True)
    if EVERYWHERE in images and images[EVERYWHERE].dtype != bool:
        raise ValueError(f"'{EVERYWHERE}' holds {images[EVERYWHERE].dtype}")
    return images


def _write_compactly(path: Path, frame: pd.DataFrame) -> None:
    floats = [name for name in frame if frame[name].dtype.kind == "f"]
    write_parquet(
        path,
        frame,
        compression="zstd",
        use_dictionary=[name for name in frame if name not in floats],
        use_byte_stream_split=floats or False,
    )
