"""A run's `run.json`: its name, what it holds, and what it must hold to be believed."""

from pathlib import Path
from typing import Any, NotRequired, TypedDict

from fercore.errors import RunError
from fercore.files import read_json, safe_name
from fercore.labels import CLASSES, USAGES
from fercore.models import MODELS
from fercore.models.feeding import FEEDING
from fercore.shapes import anything, misfit, moment, number, one_of, optional, share, text, whole
from fercore.training.setting_shapes import ARGUMENTS

SCHEMA = 1
# The files of a run's folder; ONNX is that of an imported run that came as one.
INFO, WEIGHTS, HISTORY = "run.json", "weights.safetensors", "history.jsonl"
PREDICTIONS, METRICS, ONNX = "predictions.parquet", "metrics.json", "model.onnx"
IMPORTED = "imported"  # the `model` of a run whose answers come from elsewhere
VALUES = ("probabilities", "logits", "labels")  # what an imported table held


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


class TeacherInfo(TypedDict):
    """A run that answered for a share of the labels, and the SHA-256 of its weights."""

    run_id: str
    weights: str


class PretrainedInfo(TypedDict):
    """The trunk whose weights from elsewhere a training began with, and their SHA-256."""

    trunk: str
    weights: str


class ImportedInfo(TypedDict):
    """Where a run's answers come from that was not trained here: `title` names the model, `values`
    is one of `VALUES`, `joined_by` says how its lines were joined to the images, `feeding` how its
    ONNX file, if it has one, is fed.
    """

    title: str
    file: str
    values: str
    joined_by: str
    feeding: NotRequired[dict[str, Any]]


class RunInfo(TypedDict):
    """The content of a `run.json`, as far as anything reads it.

    labels: those laid over Training's, None where they are the dataset's. best_epoch is None for
    a run that was not trained here: an ensemble, which has `members`, or an `imported` one, of
    which more is unknown. selected_on is the part that chose the epoch, None where it is the last
    one. files holds a SHA-256 by name.
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
    parameters: int | None
    flops_per_image: int | None
    seconds: float | None
    hardware: HardwareInfo | None
    files: dict[str, str]
    epochs_done: NotRequired[int | None]
    members: NotRequired[list[str]]
    start_from: NotRequired[StartInfo | None]
    teacher: NotRequired[TeacherInfo | list[TeacherInfo] | None]
    pretrained: NotRequired[PretrainedInfo | None]
    imported: NotRequired[ImportedInfo]
    git_commit: NotRequired[str | None]
    software: NotRequired[dict[str, str] | None]
    labels: NotRequired[str | None]


def _counts(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len(CLASSES) and not misfit(value, [whole()])


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(text, value.values()))


def _taught_by(value: Any) -> bool:
    """One teacher, or a list of several."""
    several = value if isinstance(value, list) else [value]
    return not misfit(several, [{"run_id": text, "weights": text}])


_HARDWARE = {"processor": text, "threads": whole(), "precision": text}

DATASET = {
    "name": text,
    "fingerprint": text,
    "counts": dict.fromkeys(USAGES, _counts),
    "class_names?": optional(text),
    "validation?": optional({"share": share, "seed": whole()}),
}
# What `RunInfo` must look like.
RUN = {
    "run_id": text,
    "classes": [text],
    "model": text,
    "model_arguments": ARGUMENTS,
    "recipe": {"name": text, "epochs": whole(1)},
    "seed": optional(whole()),
    "created": moment,
    "dataset": DATASET,
    "selected_on": optional(one_of(*USAGES)),
    "best_epoch": optional(whole(1)),
    "parameters": optional(whole()),
    "flops_per_image": optional(whole()),
    "seconds": optional(number()),
    "hardware": optional(_HARDWARE),
    "files": _texts,
    "epochs_done?": optional(whole(1)),
    "members?": [text],
    "start_from?": optional({"run_id": text, "dataset": optional(text)}),
    "teacher?": optional(_taught_by),
    "pretrained?": optional({"trunk": text, "weights": text}),
    "git_commit?": optional(text),
    "software?": optional(_texts),
    "labels?": optional(text),
    "imported?": {
        "title": text, "file": text, "values": one_of(*VALUES), "joined_by": text,
        "feeding?": FEEDING,
    },
}  # fmt: skip
# Of one that was made here, and of one that was trained here and is not the mean of others.
_MADE = {
    "parameters": whole(), "flops_per_image": whole(), "seconds": number(), "hardware": _HARDWARE,
}  # fmt: skip
TRAINED = _MADE | {"seed": whole(), "best_epoch": whole(1)}


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
    if not problem and not info.get("imported"):
        problem = misfit(info, _MADE if info.get("members") else TRAINED)
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
    if info["model"] not in MODELS and not (info["model"] == IMPORTED and info.get("imported")):
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


def lacking(run_id: str, info: RunInfo, what: str) -> str:
    """Why a run has no `what`, as only one has that was trained here; a sentence."""
    kind = "was imported: it has predictions, but"
    if members := info.get("members"):
        kind = f"is an ensemble of {len(members)} runs: it has predictions, but"
    elif ONNX in info["files"]:
        kind = "was imported as an ONNX file: it can be asked about photos, but has"
    return f"'{run_id}' {kind} no {what}. Choose a run that was trained here."
