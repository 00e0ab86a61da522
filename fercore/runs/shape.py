"""What a run's files must hold to be believed: the shapes of `run.json`, metrics and history."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

import pandas as pd

from fercore.errors import RunError
from fercore.files import parse_json, read_json, safe_name
from fercore.labels import CLASSES, USAGES
from fercore.models import MODELS
from fercore.scoring.predictions import PARTS
from fercore.shapes import anything, misfit, moment, number, one_of, optional, text, whole
from fercore.training.recipes import ARGUMENTS

INFO, SCHEMA = "run.json", 1


class Drawn(TypedDict):
    """The share of Training that was drawn by a seed to choose the epoch by."""

    share: float
    seed: int


class DatasetInfo(TypedDict):
    """The images of a run; `counts` are by usage and class, in the order of `CLASSES`."""

    name: str
    fingerprint: str
    counts: dict[str, list[int]]
    class_names: NotRequired[str | None]
    validation: NotRequired[Drawn | None]


class HardwareInfo(TypedDict):
    """What a run was made on, as far as anything reads it."""

    processor: str
    threads: int
    precision: str


class StartInfo(TypedDict):
    """The run whose weights a training began with; no dataset where it was gone by then."""

    run_id: str
    dataset: str | None


class RunInfo(TypedDict):
    """The content of a `run.json`, as far as anything reads it.

    seed and best_epoch are None for an ensemble alone, which has `members`. selected_on is the part
    that chose the epoch, None where it is the last one. files holds a SHA-256 by name.
    """

    schema: int
    run_id: str
    classes: list[str]
    model: str
    model_arguments: dict[str, Any]
    recipe: dict[str, Any]
    seed: int | None
    created: str
    dataset: DatasetInfo
    selected_on: str | None
    best_epoch: int | None
    parameters: int
    flops_per_image: int
    seconds: float
    hardware: HardwareInfo
    files: dict[str, str]
    epochs_done: NotRequired[int | None]
    members: NotRequired[list[str]]
    start_from: NotRequired[StartInfo | None]


_share = number(0, 1)


def _counts(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len(CLASSES) and not misfit(value, [whole()])


def _interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and not misfit(value, [_share])


def _hashes(value: Any) -> bool:
    return isinstance(value, dict) and all(map(text, value.values()))


# What `RunInfo` must look like.
RUN = {
    "run_id": text,
    "classes": [text],
    "model": text,
    "model_arguments": ARGUMENTS,
    "recipe": {"name": text, "epochs": whole(1)},
    "seed": optional(whole()),
    "created": moment,
    "dataset": {
        "name": text,
        "fingerprint": text,
        "counts": dict.fromkeys(USAGES, _counts),
        "class_names?": optional(text),
        "validation?": optional({"share": _share, "seed": whole()}),
    },
    "selected_on": optional(one_of(*USAGES)),
    "best_epoch": optional(whole(1)),
    "parameters": whole(),
    "flops_per_image": whole(),
    "seconds": number(),
    "hardware": {"processor": text, "threads": whole(), "precision": text},
    "files": _hashes,
    "epochs_done?": optional(whole(1)),
    "members?": [text],
    "start_from?": optional({"run_id": text, "dataset": optional(text)}),
}
# Of a run that was trained, which is not the mean of others.
TRAINED = {"seed": whole(), "best_epoch": whole(1)}


def read_info(folder: Path, remedy: str) -> RunInfo:
    """The run.json in a run's folder, checked. `remedy`: what helps where it is damaged.

    Raises `RunError`.
    """
    name = ascii(folder.name)[1:-1]
    if not safe_name(folder.name):
        raise RunError(
            f"{name}: a run's folder has a name of letters, digits, '-', '_' and '.'. Rename it as "
            "its run.json says, or delete it."
        )
    try:
        info = read_json(folder / INFO)
    except (OSError, ValueError) as error:
        raise RunError(f"{name}: its run.json cannot be read. {remedy}") from error
    if isinstance(info, dict) and info.get("schema", SCHEMA) != SCHEMA:
        raise RunError(
            f"{name}: its format is {ascii(info['schema'])[:20]}, and this version reads {SCHEMA}. "
            f"Use the version of fercore that made it, or delete the run."
        )
    problem = misfit(info, {"schema": anything} | RUN)
    if not problem and not info.get("members"):
        problem = misfit(info, TRAINED)
    if problem:
        raise RunError(f"{name}: {problem} in its run.json. {remedy}")
    _check_kind(info, folder)
    found: RunInfo = info
    return found


def _check_kind(info: RunInfo, folder: Path) -> None:
    """Whether it belongs in its folder, and this version knows its model and order of classes."""
    name = folder.name
    if info["run_id"] != name:
        raise RunError(
            f"{name}: its own name in its run.json is {ascii(info['run_id'])[:80]}. Give the "
            "folder that name back."
        )
    if info["model"] not in MODELS:
        raise RunError(
            f"{name}: it names an unknown model, {ascii(info['model'])[:80]}. Update fercore, or "
            "delete the run."
        )
    if tuple(info["classes"]) != CLASSES:
        raise RunError(
            f"{name}: its classes are in the order {ascii(', '.join(info['classes']))[:200]}, not "
            f"FER2013's ({', '.join(CLASSES)}), so its predictions would be misread. Delete the "
            "run, or train it again."
        )


_BY_CLASS = {"precision": _share, "recall": _share, "f1": _share}


def _classes(value: Any) -> bool:
    """A line per class, with figures where it has images."""
    if misfit(value, [{"class": text, "support": whole()}]):
        return False
    occurring = [line for line in value if line["support"]]
    return tuple(line["class"] for line in value) == CLASSES and not misfit(occurring, [_BY_CLASS])


_PART = {
    "n": whole(1),
    "accuracy": _share,
    "accuracy_interval": _interval,
    "macro_f1": _share,
    "macro_f1_interval": _interval,
    "weighted_f1": _share,
    "macro_auc": optional(_share),
    "per_class": _classes,
}


def checked_metrics(value: Any) -> dict[str, Any]:
    """The content of a `metrics.json`. Raises `ValueError`, saying what is odd."""
    problem = misfit(value, {f"{part}?": _PART for part in PARTS})
    if problem or not set(value) & {"private", "public"}:
        raise ValueError(problem or "it holds no part of the images")
    metrics: dict[str, Any] = value
    return metrics


def _loss(value: Any) -> bool:
    return type(value) in (int, float) and not value < 0  # of a training that diverged: no number


_EPOCH = {
    "epoch": whole(1),
    "train_loss": _loss,
    "train_accuracy": _share,
    "val_loss": optional(_loss),
    "val_accuracy": optional(_share),
    "learning_rate": number(0, 1e300),
    "seconds": number(),
    "images_per_second": number(),
}


def history_lines(content: str) -> list[dict[str, Any]]:
    """The lines of a `history.jsonl` that is being written, up to the first that is damaged."""
    lines = []
    for line in content.splitlines():
        try:
            record = parse_json(line)
        except ValueError:
            break
        if misfit(record, _EPOCH):
            break
        lines.append(record)
    return lines


def history_frame(content: str) -> pd.DataFrame:
    """The content of a `history.jsonl` as a table, a line per epoch.

    Raises `ValueError`, saying what is odd.
    """
    lines = [parse_json(line) for line in content.splitlines()]
    if problem := misfit(lines, [_EPOCH]):
        raise ValueError(problem)
    if not lines or [line["epoch"] for line in lines] != list(range(1, len(lines) + 1)):
        raise ValueError("its epochs do not follow each other from 1")
    floats = dict.fromkeys(set(_EPOCH) - {"epoch"}, float)
    return pd.DataFrame(lines, columns=list(_EPOCH)).astype(floats)
