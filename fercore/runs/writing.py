"""Runs written whole, `run.json` last, and held against what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fercore.errors import NameTaken
from fercore.files import appearing, replacing, write_json, write_json_lines, write_parquet
from fercore.labels import CLASSES
from fercore.runs.artifacts import FILES, SCORES, Run
from fercore.runs.folders import local_folder
from fercore.runs.info import HISTORY, INFO, METRICS, ONNX, PREDICTIONS, SCHEMA, WEIGHTS
from fercore.runs.listing import is_shipped, read_run
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.predictions import checked_frame

if TYPE_CHECKING:
    from fercore.models.network import Network


@contextmanager
def new_folder(run_id: str) -> Iterator[Path]:
    """A folder to make a run in, which is among this machine's runs once it is filled.

    Raises `NameTaken` where the name is, or was by then.
    """
    folder = local_folder(run_id)
    taken = NameTaken(f"There is a run '{run_id}' already. Choose another name.")
    if folder.exists() or is_shipped(run_id):
        raise taken
    try:
        with appearing(folder) as made:
            yield made
    except FileExistsError as error:
        raise taken from error


def write_run(
    folder: Path,
    info: Mapping[str, object],
    model: Network,
    history: Iterable[dict[str, Any]],
    frame: pd.DataFrame,
) -> Run:
    """Write a complete run into `folder`, `run.json` last, and return it."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(folder / WEIGHTS) as temporary:
        save_file(weights, temporary)
    write_json_lines(folder / HISTORY, history)
    return write_scores(folder, info, frame)


def write_scores(folder: Path, info: Mapping[str, object], frame: pd.DataFrame) -> Run:
    """Complete the run in `folder` with its predictions; where nothing else is there, it is one
    without history and weights.
    """
    checked_frame(frame)
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(folder / PREDICTIONS, frame)
    write_json(folder / METRICS, evaluate_parts(frame))
    hashes = {name: _sha256(folder / name) for name in (*FILES, ONNX) if (folder / name).is_file()}
    own = {"schema": SCHEMA, "run_id": folder.name, "classes": list(CLASSES), "files": hashes}
    write_json(folder / INFO, {**own, **info, **own})  # also where info is another run's
    return read_run(folder)


def verify_run(run: Run) -> list[str]:
    """What is wrong with a run, a sentence each; empty where its files and metrics agree."""
    problems = []
    kept = SCORES if ONNX not in run.info["files"] else (*SCORES, ONNX)
    for name in FILES if run.trained else kept:
        path = run.folder / name
        if not path.is_file():
            problems.append(f"{name} is missing.")
        elif _sha256(path) != run.info["files"].get(name):
            problems.append(f"{name} was changed after the run was written.")
    if problems:
        return problems
    if not _agree(evaluate_parts(run.prediction_frame), run.metrics()):
        problems.append(
            "metrics.json does not follow from predictions.parquet: it is damaged, or another "
            "version of fercore wrote it."
        )
    return problems


def _agree(a: object, b: object) -> bool:
    """Whether two trees of JSON values hold the same numbers."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_agree(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_agree(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-9
    return a == b


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
