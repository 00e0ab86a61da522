"""What every process of a training does, alone or in a group: read the faces and fit the model."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fercore.analysis import relabelling
from fercore.data import FaceSet
from fercore.data.validation import with_share
from fercore.errors import DataError
from fercore.jobs.combinations import teaching_runs
from fercore.jobs.request import CHECKPOINT, START, TRUNK, Request, read_verdicts
from fercore.models import build, model_entry
from fercore.runs.info import WEIGHTS, PretrainedInfo
from fercore.training.records import CHECKPOINT_SECONDS, Interrupted, Watcher

if TYPE_CHECKING:
    from fercore.models.network import Network
    from fercore.training.checkpoint import Checkpoints
    from fercore.training.parallel import ProcessGroup
    from fercore.training.records import Fit


class Learnt(NamedTuple):
    """What a training has come to, and the faces: as they were given, and with the verdicts."""

    model: "Network"
    fit: "Fit"
    given: FaceSet
    faces: FaceSet


def follow(watcher: Watcher) -> None:
    """Train along in a process that torchrun started beside the leader; nothing is written.

    Waits while the leader waits for its turn. Raises `Interrupted` when one of them is told to
    stop, which is all that the watcher is asked.
    """
    from fercore.training.parallel import ProcessGroup, wait_for_leader

    if not wait_for_leader(watcher.stop_requested):
        return
    group = ProcessGroup()
    request, folder, keep_best = group.from_leader(None)
    learn(request, folder, watcher, group, keep_best=keep_best)


def learn(
    request: Request,
    folder: Path,
    watcher: Watcher,
    group: "ProcessGroup",
    *,
    faces: FaceSet | None = None,
    on_images: Callable[[int], None] = lambda images: None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    keep_best: bool = False,
) -> Learnt:
    """Train as requested, on `faces` or those that are loaded; all of the group do the same.

    `on_images` gets the number of images read so far.
    """
    from fercore.models.precision import choose_precision
    from fercore.training.fit import fit

    with group.together():
        given = _load(request, watcher, on_images) if faces is None else faces
        faces = _relabelled(given, request, folder)
        faces = with_share(faces, request.recipe.training_share, request.seed)
    _check_same(faces, group)
    model = _as_begun(request, folder, faces)
    result = fit(
        model,
        faces.part("Training"),
        faces.part("PublicTest"),
        request.recipe,
        seed=request.seed,
        precision=choose_precision(request.precision),
        checkpoints=_checkpoints(request, folder, faces, checkpoint_seconds),
        targets=relabelling.vote_targets(faces) if request.labels == "votes" else None,
        teachers=teachers_of(request),
        watcher=watcher,
        group=group,
        keep_best=keep_best,
    )
    return Learnt(model, result, given, faces)


def _as_begun(request: Request, folder: Path, faces: FaceSet) -> "Network":
    """The model before its first step, and torch as its seed wants it: the same wherever it is."""
    import torch

    from fercore.models.layers import fit_normalisation
    from fercore.models.weights import read_weights

    torch.set_num_threads(request.threads or torch.get_num_threads())
    torch.backends.cudnn.deterministic = True
    torch.manual_seed(request.seed)
    model = build(request.model, **model_arguments(request))
    if request.start_from:
        model.load_state_dict(read_weights(folder / START))
    else:
        if request.recipe.pretrained:
            model.trunk.load_state_dict(read_weights(folder / TRUNK))
        fit_normalisation(model, faces.part("Training").images)
    return model


def _checkpoints(request: Request, folder: Path, faces: FaceSet, seconds: float) -> "Checkpoints":
    from fercore.training.checkpoint import Checkpoints

    data: dict[str, Any] = {"dataset": faces.fingerprint, "teacher": teacher_record(request)}
    if request.recipe.pretrained:
        data["pretrained"] = pretrained_record(request, folder)
    return Checkpoints(folder / CHECKPOINT, identity(request) | data, seconds=seconds)


def _check_same(faces: FaceSet, group: "ProcessGroup") -> None:
    """Raise `DataError` where a process of the group has other images or labels than the rest."""
    from fercore.models.precision import choose_precision

    others = group.from_leader(faces.fingerprint) != faces.fingerprint
    if group.any(others, choose_precision().device):  # all of them end with the sentence
        raise DataError(
            "The processes read different images or verdicts. Give all of them the same files."
        )


def _load(request: Request, watcher: Watcher, on_images: Callable[[int], None]) -> FaceSet:
    def progress(images: int) -> None:
        on_images(images)
        if watcher.stop_requested():
            raise Interrupted("It was cancelled while the data were read.")

    return request.faces(progress=progress)


def _relabelled(faces: FaceSet, request: Request, folder: Path) -> FaceSet:
    """The faces with the labels that are asked for on Training."""
    if request.labels:
        return relabelling.train_by_votes(faces, request.labels)
    verdicts = read_verdicts(folder)
    return faces if verdicts is None else relabelling.apply_to_training(faces, verdicts)


def with_hardware(request: Request) -> Request:
    """What was left to choose, chosen once, so that resuming elsewhere gives the same weights."""
    import torch

    from fercore.models.precision import choose_precision

    return replace(
        request,
        threads=request.threads or torch.get_num_threads(),
        precision=choose_precision(request.precision).dtype,
    )


def identity(request: Request) -> dict[str, Any]:
    """What tells a training from others, but for its data."""
    return {
        "model": request.model,
        "model_arguments": model_arguments(request),
        "recipe": request.recipe.to_json(),
        "seed": request.seed,
        "labels": request.labels,
    }


def model_arguments(request: Request) -> dict[str, Any]:
    """The recipe's for the model, and what the seed draws."""
    return model_entry(request.model).drawn(request.recipe.model_arguments, request.seed)


def pretrained_record(request: Request, folder: Path) -> PretrainedInfo | None:
    """The weights from elsewhere that the trunk begins with, for the training's record."""
    if not request.recipe.pretrained:
        return None
    digest = hashlib.sha256((folder / TRUNK).read_bytes()).hexdigest()
    return {"trunk": request.recipe.trunk, "weights": digest}


def teachers_of(request: Request) -> "list[Network]":
    """The models that answer for a share of the labels."""
    return [run.load_model() for run in teaching_runs(request.recipe)]


def teacher_record(request: Request) -> dict[str, Any] | list[dict[str, Any]] | None:
    """The teacher and its weights, for the training's record; a list where there are several."""
    records: list[dict[str, Any]] = [
        {"run_id": run.run_id, "weights": run.info["files"][WEIGHTS]}
        for run in teaching_runs(request.recipe)
    ]
    return records if len(records) > 1 else next(iter(records), None)
