"""Several seeds of one training, made of one finished run: for tests of groups."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from fercore.files import read_json, write_json
from fercore.runs.artifacts import Run
from fercore.runs.folders import artifacts_folder
from fercore.runs.listing import read_run
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.predictions import PROBABILITY_COLUMNS


def another_seed(source: Path, name: str, seed: int, *, skill: float = 1.0, **changes) -> Run:
    """A run of this machine like the one in `source`, by another seed; `changes` of its run.json.

    Its predictions are drawn anew: the higher `skill`, the more are right.
    """
    folder = artifacts_folder() / "runs" / name
    _make_seed(folder, source, seed, skill, changes)
    return read_run(folder)


def _make_seed(folder: Path, source: Path, seed: int, skill: float, changes: dict) -> None:
    name = folder.name
    shutil.copytree(source, folder)
    info = read_json(folder / "run.json")
    info |= {"run_id": name, "seed": seed, "created": f"2026-11-24T12:00:{seed:02}+00:00"}
    write_json(folder / "run.json", info | changes)
    frame = pd.read_parquet(folder / "predictions.parquet")
    rng = np.random.default_rng([seed, *name.encode()])
    logits = np.random.default_rng(3).normal(size=(len(frame), 7))  # what is hard is so for all
    logits += rng.normal(size=logits.shape) / 2
    logits[np.arange(len(frame)), frame["label"]] += skill
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    frame[PROBABILITY_COLUMNS] = probs.astype(np.float32)
    frame.to_parquet(folder / "predictions.parquet", index=False)
    write_json(folder / "metrics.json", evaluate_parts(frame))


def two_groups(folders: Path, seeds: int = 3) -> None:
    """cnn@quick and cnn_lstm@quick of so many seeds each: 'cnn-0', 'lstm-0', …

    folders: those of the fixture `run_folders`.
    """
    made = folders.parent / f"two-groups-{seeds}"
    if not made.exists():  # by a test before
        for seed in range(seeds):
            _make_seed(made / f"cnn-{seed}", folders / "first", seed, 1.3, {})
            _make_seed(made / f"lstm-{seed}", folders / "second", seed, 1.1, {})
    shutil.copytree(made, artifacts_folder() / "runs", dirs_exist_ok=True)
