"""A study's two tables: a line per finished training, and a line per image scored."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.files import read_json
from fercore.models import MODELS
from fercore.scoring.evaluation import macro_f1
from fercore.scoring.predictions import PARTS, checked_images, select_part
from fercore.shapes import misfit, number, one_of, optional, share, text, whole

EVERYWHERE = "everywhere"

_LINE = {  # what was not scored or measured is null
    **dict.fromkeys(("variant", "condition", "run_id", "precision", "processor", "dataset"), text),
    **dict.fromkeys(("seed", "parameters", "flops_per_image"), whole()),
    **dict.fromkeys(("best_epoch", "epochs"), whole(1)),
    **dict.fromkeys(("public_accuracy", "macro_f1"), share),
    **dict.fromkeys(("private_accuracy?", "clean_accuracy?"), optional(share)),
    "model": one_of(*MODELS),
    "latency_ms": optional(number()),
    "seconds": number(),
}


@lru_cache(maxsize=8)
def read_table(path: Path, _stamp: str) -> pd.DataFrame:
    """The table of trainings in a file. Raises `ValueError` where it holds odd values."""
    table = pd.read_parquet(path)
    lines = table.astype(object).where(table.notna(), None).to_dict("records")
    if problem := misfit(lines, [_LINE]):
        raise ValueError(problem)
    if any(line["run_id"] != f"{line['variant']}-s{line['seed']}" for line in lines):
        raise ValueError("a line is another training's")
    return table


@lru_cache(maxsize=8)
def read_accuracies(path: Path, stamp: str) -> dict[str, dict[str, float]]:
    """Each training's accuracies by part, of the table of trainings in a file."""
    table = read_table(path, stamp)
    known = {part: table[name] for part in PARTS if (name := f"{part}_accuracy") in table}
    lines = pd.DataFrame(known).astype(float).to_dict("records")
    return {
        run_id: {str(part): value for part, value in line.items() if not math.isnan(value)}
        for run_id, line in zip(table["run_id"], lines, strict=True)
    }


@lru_cache(maxsize=8)
def read_images(path: Path, _stamp: str) -> pd.DataFrame:
    """The table of images in a file. Raises `RunError` or `ValueError` where it is damaged."""
    images = checked_images(pd.read_parquet(path)).reset_index(drop=True)
    if EVERYWHERE in images and images[EVERYWHERE].dtype != bool:
        raise ValueError(f"'{EVERYWHERE}' holds {images[EVERYWHERE].dtype}")
    return images


def read_latency(path: Path) -> dict[str, float] | None:
    """The latencies by variant; None where they were not measured, or must be again."""
    try:
        latency: dict[str, float] = read_json(path)
    except (OSError, ValueError):
        return None
    odd = misfit(latency, {}) or misfit(list(latency.values()), [number()])
    return None if odd else latency


def everywhere_scored(images: pd.DataFrame) -> NDArray[np.bool_]:
    """Which of the images every training was scored on (N,)."""
    return images[EVERYWHERE].to_numpy() if EVERYWHERE in images else np.ones(len(images), bool)


def table_line(
    info: dict[str, Any], frame: pd.DataFrame, latency_ms: float | None
) -> dict[str, Any]:
    """What the table says of a training. `frame`: its answers on what it was scored on."""
    parts = {part: select_part(frame, part) for part in PARTS}
    scored = {part: table for part, table in parts.items() if len(table)}
    headline = scored.get("private", parts["public"])
    return {
        "variant": info["variant"],
        "model": info["model"],
        "condition": info["variant"].removeprefix(info["model"]).removeprefix("-"),
        "seed": info["seed"],
        "run_id": info["run_id"],
        **{f"{part}_accuracy": float(table.correct.mean()) for part, table in scored.items()},
        "macro_f1": macro_f1(headline),
        "parameters": info["parameters"],
        "flops_per_image": info["flops_per_image"],
        "latency_ms": latency_ms,
        "seconds": info["seconds"],
        "best_epoch": info["best_epoch"],
        "epochs": info["recipe"]["epochs"],
        "precision": info["hardware"]["precision"],
        "processor": info["hardware"]["processor"],
        "dataset": info["dataset"]["name"],
    }
