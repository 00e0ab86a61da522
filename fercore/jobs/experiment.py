"""One training from start to finish: data, fit, predictions, a run in `artifacts/runs/`."""

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from copy import deepcopy
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercore.analysis import review
from fercore.data import FaceSet
from fercore.errors import DataError, FerError
from fercore.files import write_json, write_json_lines
from fercore.jobs import transfer
from fercore.jobs.hardware import describe_hardware, describe_software, git_commit
from fercore.jobs.locks import held
from fercore.jobs.request import (
    CANCEL,
    CHECKPOINT,
    REQUEST,
    START,
    Request,
    clear,
    read_verdicts,
)
from fercore.jobs.status import LOCK, StatusFile
from fercore.jobs.turns import turn
from fercore.models import build
from fercore.runs.artifacts import Run, complete, find_run, local_folder, read_run, write_run
from fercore.scoring.predictions import prediction_frame
from fercore.training.records import CHECKPOINT_SECONDS, Interrupted, Progress, Watcher

if TYPE_CHECKING:
    from fercore.models.network import Network
    from fercore.training.parallel import Group

_NO_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")  # torch's words
_RUNNING = "This training is running already, in another process."
_NO_PEER = ("Connection closed by peer", "Connection reset")  # gloo's
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PATIENCE = 2.0  # seconds; one that has said how it ended holds its lock a moment longer


def run_experiment(
    request: Request,
    *,
    folder: Path | None = None,
    faces: FaceSet | None = None,
    watcher: Watcher = Watcher(),
    alongside: bool = False,
    keep_best: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Run:
    """Train as requested, going on from the folder's checkpoint where it has one.

    A training that another process has completed meanwhile is returned as it is.

    `folder` is in `artifacts/runs/` and `faces` are loaded as requested, unless given. One
    training runs at a time on a machine, and the next one waits, unless `alongside`. With
    `keep_best` the epochs that are done make the run. Raises `Busy` where another process is at
    this very training, `Interrupted` when told to stop, and what the data raise; the folder's
    status then says so, and the checkpoint stays.
    """
    folder = folder or local_folder(request.run_id)
    status = StatusFile(folder)
    watcher = _recording(watcher, folder, status)
    with held(folder / LOCK, patience=_PATIENCE, refusal=_RUNNING):
        if complete(folder):  # another process completed it before this one held it
            run = read_run(folder)
        else:
            with _told(status, folder), nullcontext() if alongside else _turn(watcher, status):
                status.write("running", "reading the data")
                run = _train_and_score(
                    request, folder, faces, watcher, status, checkpoint_seconds, keep_best
                )
    clear(folder)
    return run


@contextmanager
def _told(status: StatusFile, folder: Path) -> Iterator[None]:
    """One attempt at a training: what a killed one left goes, and the status says how it ends."""
    for left_by_a_killed_process in folder.glob(".*.tmp"):
        left_by_a_killed_process.unlink()
    try:
        yield
    except Interrupted as stop:
        _end(status, "cancelled", str(stop))
        raise
    except Exception as error:
        _end(status, "failed", sentence(error))
        raise
    finally:
        (folder / CANCEL).unlink(missing_ok=True)


def follow(watcher: Watcher) -> None:
    """Train along in a process that torchrun started beside the leader; nothing is written.

    Waits while the leader waits for its turn. Raises `Interrupted` when one of them is told to
    stop, which is all that the watcher is asked.
    """
    from fercore.training.parallel import Group, wait_for_leader

    if not wait_for_leader(watcher.stop_requested):
        return
    group = Group()
    request, folder = group.from_leader(None)
    with group.together():
        faces = _with_verdicts(_load(request, watcher), folder)
    _check_same(faces, group)
    _fit(request, faces, folder, watcher, group)


def _check_same(faces: FaceSet, group: "Group") -> None:
    """Raise `DataError` where a process of the group has other images or labels than the rest."""
    from fercore.models.precision import choose_precision

    others = group.from_leader(faces.fingerprint) != faces.fingerprint
    if group.any(others, choose_precision().device):  # all of them end with the sentence
        raise DataError(
            "The processes read different images or verdicts. Give all of them the same files."
        )


def sentence(error: Exception) -> str:
    """What ended a training, in words for its user."""
    if isinstance(error, FerError):
        return str(error)
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        return (
            "The machine ran out of memory. Close other programs or use a smaller batch, then "
            "resume."
        )
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return f"The disk refused ({error.strerror}). Make room, then resume."
    if isinstance(error, OSError):
        return f"A file could not be used ({error}). Put that right, then resume."
    if any(words in str(error) for words in _NO_PEER):
        return (
            "Another process of the group ended before its time. Resume goes on with all of them."
        )
    return f"The training stopped on an unexpected error: {type(error).__name__}: {error}"


def _recording(watcher: Watcher, folder: Path, status: StatusFile) -> Watcher:
    """The watcher, with everything also written to the folder's files, and stopped by one."""

    def on_step(progress: Progress) -> None:
        status.heartbeat("training", progress)
        watcher.on_step(progress)

    def on_epoch(history) -> None:
        write_json_lines(folder / "history.jsonl", map(asdict, history))
        watcher.on_epoch(history)

    def stop_requested() -> bool:
        return watcher.stop_requested() or (folder / CANCEL).exists()

    return replace(watcher, on_step=on_step, on_epoch=on_epoch, stop_requested=stop_requested)


def _turn(watcher: Watcher, status: StatusFile) -> AbstractContextManager:
    def on_wait(ahead: int) -> None:
        others = "another training" if ahead == 1 else f"{ahead} other trainings"
        status.write("queued", f"waiting for {others} on this machine to end")
        watcher.on_wait(ahead)

    return turn(on_wait=on_wait, stop_requested=watcher.stop_requested)


def _end(status: StatusFile, state: str, message: str) -> None:
    with suppress(OSError):  # where the disk is full, the lock that is gone says enough
        status.write(state, message)


def _train_and_score(
    request: Request,
    folder: Path,
    faces: FaceSet | None,
    watcher: Watcher,
    status: StatusFile,
    checkpoint_seconds: float,
    keep_best: bool,
) -> Run:
    from fercore.models.cost import count_parameters, flops_per_image
    from fercore.models.inference import for_inference, predict_probs
    from fercore.models.precision import REFERENCE, choose_precision
    from fercore.training.parallel import Group

    group, commit = Group(), git_commit()  # of the code that is at work, whatever comes meanwhile
    request, folder = group.from_leader((_with_hardware(request), folder))
    write_json(folder / REQUEST, request.to_json())
    with group.together():
        original = _load(request, watcher, status) if faces is None else faces
        faces = _with_verdicts(original, folder)
    _check_same(faces, group)
    model, result = _fit(
        request,
        faces,
        folder,
        watcher,
        group,
        checkpoint_seconds=checkpoint_seconds,
        keep_best=keep_best,
    )
    status.write("running", "scoring the test images")
    model.cpu()
    scored = original.where(original.usage != "Training")
    probs = predict_probs(for_inference(deepcopy(model)), scored.images, precision=REFERENCE)
    start = request.start_from and transfer.write_tables(
        request.start_from, folder, model, original
    )
    info = _identity(request) | {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {
            "name": original.name,
            "fingerprint": original.fingerprint,
            "counts": faces.counts(),
            "class_names": request.class_names or None,
            "validation": request.validation
            and {"share": request.validation, "seed": request.seed},
        },
        "start_from": start,
        "teacher": _teacher_record(request),
        "verdicts": _verdicts_record(folder),
        "selected_on": "PublicTest" if result.chosen else None,
        "best_epoch": result.best_epoch,
        "epochs_done": len(result.history),  # fewer than the recipe's where the best so far is kept
        "parameters": count_parameters(model),
        "flops_per_image": flops_per_image(model),
        "seconds": round(sum(record.seconds for record in result.history), 1),
        "hardware": describe_hardware(choose_precision().device, request.precision)
        | {"processes": group.size},
        "software": describe_software(),
        "git_commit": commit,
    }
    frame = prediction_frame(original, probs)
    return write_run(folder, info, model, [asdict(record) for record in result.history], frame)


def _load(request: Request, watcher: Watcher, status: StatusFile | None = None) -> FaceSet:
    def progress(images: int) -> None:
        if status:
            status.heartbeat(f"reading the data, {images} images so far")
        if watcher.stop_requested():
            raise Interrupted("It was cancelled while the data were read.")

    return request.faces(progress=progress)


def _with_verdicts(faces: FaceSet, folder: Path) -> FaceSet:
    verdicts = read_verdicts(folder)
    return faces if verdicts is None else review.apply_to_training(faces, verdicts)


def _verdicts_record(folder: Path) -> dict[str, Any] | None:
    table = read_verdicts(folder)
    if table is None:
        return None
    return {"hash": review.verdicts_hash(table), "count": len(table)}


def _teacher_record(request: Request) -> dict[str, Any] | None:
    if not request.recipe.teacher:
        return None
    teacher = find_run(request.recipe.teacher)
    return {"run_id": teacher.run_id, "weights": teacher.info["files"]["weights.safetensors"]}


def teacher_of(request: Request) -> "Network | None":
    """The model that answers for a share of the labels, where the recipe names one."""
    teacher = request.recipe.teacher
    return find_run(teacher).load_model() if teacher else None


def _with_hardware(request: Request) -> Request:
    """What was left to choose, chosen once, so that resuming elsewhere gives the same weights."""
    import torch

    from fercore.models.precision import choose_precision

    return replace(
        request,
        threads=request.threads or torch.get_num_threads(),
        precision=choose_precision(request.precision).dtype,
    )


def _identity(request: Request) -> dict[str, Any]:
    return {
        "model": request.model,
        "model_arguments": request.recipe.model_arguments,
        "recipe": request.recipe.to_json(),
        "seed": request.seed,
    }


def _fit(
    request: Request,
    faces: FaceSet,
    folder: Path,
    watcher: Watcher,
    group: "Group",
    *,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    keep_best: bool = False,
) -> tuple:
    """The trained model and its `Fit`; every process of the group does the same."""
    import torch

    from fercore.models.layers import fit_normalisation
    from fercore.models.precision import choose_precision
    from fercore.models.weights import read_weights
    from fercore.training.checkpoint import Checkpoints
    from fercore.training.fit import fit

    torch.set_num_threads(request.threads)
    torch.backends.cudnn.deterministic = True
    torch.manual_seed(request.seed)
    training = faces.part("Training")
    model = build(request.model, **request.recipe.model_arguments)
    if request.start_from:
        model.load_state_dict(read_weights(folder / START))
    else:
        fit_normalisation(model, training.images)
    result = fit(
        model,
        training,
        faces.part("PublicTest"),
        request.recipe,
        seed=request.seed,
        precision=choose_precision(request.precision),
        checkpoints=Checkpoints(
            folder / CHECKPOINT,
            _identity(request)
            | {"dataset": faces.fingerprint, "teacher": _teacher_record(request)},
            seconds=checkpoint_seconds,
        ),
        teacher=teacher_of(request),
        watcher=watcher,
        group=group,
        keep_best=keep_best,
    )
    return model, result
