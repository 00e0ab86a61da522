"""One training from start to finish: data, fit, predictions, a run in `artifacts/runs/`.

Until it is complete, the run's folder holds `request.json` (what was asked for), `status.json`
(where it stands), `history.jsonl` and `checkpoint.pt`. Another process stops the training by
putting a file named 'cancel' there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fercore import data
from fercore.artifacts import Run, is_shipped, local_folder, write_run
from fercore.data import FaceSet
from fercore.data.cache import cache_folder
from fercore.errors import Busy, ConfigError, FerError, RunError
from fercore.files import read_json, write_json, write_json_lines
from fercore.hardware import describe_hardware, describe_software, git_commit
from fercore.models import build, model_entry
from fercore.predictions import prediction_frame
from fercore.recipes import Recipe
from fercore.status import FILE as STATUS
from fercore.status import StatusFile

REQUEST, CHECKPOINT, LOG = "request.json", "checkpoint.pt", "log.txt"
LOCK = "lock"  # held by the training's process
CANCEL = "cancel"  # a file of this name asks the training to stop


@dataclass(frozen=True)
class Request:
    """What to train, and on what. `data` is a path, 'synthetic', or None for where FER2013 is."""

    run_id: str
    model: str
    recipe: Recipe
    seed: int = 0
    data: str | None = None
    precision: str = "auto"
    threads: int | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Request":
        return cls(**{**value, "recipe": Recipe.from_json(value["recipe"])})


def new_run_id(model: str, recipe: Recipe, seed: int) -> str:
    """A name that says what the run is, unused so far."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    base = f"{model}-{recipe.name}-s{seed}-{stamp}"
    names = [base, *(f"{base}-{n}" for n in range(2, 100))]
    return next(name for name in names if not local_folder(name).exists())


def prepare(request: Request, folder: Path | None = None) -> Path:
    """Create the run's folder with its request. Raises `RunError` where the name is taken.

    The folder is in `artifacts/runs/` unless one is given.
    """
    model_entry(request.model)
    if folder is None and is_shipped(request.run_id):
        raise RunError(f"There is a run '{request.run_id}' already. Choose another name.")
    folder = folder or local_folder(request.run_id)
    if (folder / REQUEST).exists() or (folder / "run.json").exists():
        raise RunError(f"There is a run '{request.run_id}' already. Choose another name.")
    if request.data not in (None, data.SYNTHETIC):  # it is resumed from anywhere
        request = replace(request, data=str(Path(request.data).resolve()))
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / REQUEST, request.to_json())
    return folder


def read_request(run_id: str, folder: Path | None = None) -> Request:
    """The request of a training that was begun. Raises `RunError` where nothing is to resume."""
    folder = folder or local_folder(run_id)
    if (folder / "run.json").exists():
        raise RunError(f"'{run_id}' is complete; there is nothing to resume.")
    if not (folder / REQUEST).is_file():
        raise RunError(f"There is no training '{run_id}' to resume.")
    try:
        return Request.from_json(read_json(folder / REQUEST))
    except (ValueError, KeyError, TypeError, ConfigError) as error:
        raise RunError(
            f"{run_id}: its request.json cannot be read by this version. Delete {folder}."
        ) from error


def run_experiment(
    request: Request,
    *,
    folder: Path | None = None,
    faces: FaceSet | None = None,
    on_step: Callable = lambda progress: None,
    on_epoch: Callable = lambda history: None,
    stop_requested: Callable[[], bool] = lambda: False,
    alongside: bool = False,
) -> Run:
    """Train as requested, going on from the folder's checkpoint where it has one.

    `folder` is in `artifacts/runs/` and `faces` are loaded as requested, unless given. One
    training runs at a time on a machine unless `alongside`. Raises `Busy` where another one holds
    the place, `Interrupted` when told to stop, and what the data raise; the
    folder's status then says so, and the checkpoint stays.
    """
    from fercore.training.fit import Interrupted, Watcher

    folder = folder or local_folder(request.run_id)
    status = StatusFile(folder)

    def record_step(progress) -> None:
        status.heartbeat(progress)
        on_step(progress)

    def record_epoch(history) -> None:
        write_json_lines(folder / "history.jsonl", map(asdict, history))
        on_epoch(history)

    def should_stop() -> bool:
        return stop_requested() or (folder / CANCEL).exists()

    with _held(folder / LOCK, "This training is running already, in another process."):
        try:
            with nullcontext() if alongside else _only_training():
                status.write("running", "reading the data")
                faces = data.load(request.data) if faces is None else faces
                watcher = Watcher(record_step, record_epoch, should_stop)
                run = _train_and_score(request, folder, faces, watcher, status)
        except Interrupted as stop:
            status.write("cancelled", str(stop))
            raise
        except Exception as error:
            status.write("failed", _sentence(error))
            raise
        finally:
            (folder / CANCEL).unlink(missing_ok=True)
    for name in (REQUEST, CHECKPOINT, STATUS, LOG, LOCK):
        with suppress(PermissionError):  # Windows keeps what a process has open
            (folder / name).unlink(missing_ok=True)
    return run


def follow() -> None:
    """Train along in a process that torchrun started beside the leader; nothing is written."""
    from fercore.training.fit import Watcher
    from fercore.training.parallel import Group

    group = Group()
    request = group.from_leader(None)
    _fit(request, data.load(request.data), Path(), Watcher(), group)


def _train_and_score(
    request: Request, folder: Path, faces: FaceSet, watcher: Any, status: StatusFile
) -> Run:
    from fercore.inference import predict_probs
    from fercore.models.cost import count_parameters, flops_per_image
    from fercore.precision import REFERENCE, choose_precision
    from fercore.training.parallel import Group

    group = Group()
    request = group.from_leader(_settled(request))
    write_json(folder / REQUEST, request.to_json())
    model, result = _fit(request, faces, folder / CHECKPOINT, watcher, group)
    status.write("running", "scoring the test images")
    scored = faces.where(faces.usage != "Training")
    probs = predict_probs(model.cpu(), scored.images, precision=REFERENCE)
    info = _identity(request) | {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": {
            "name": faces.name, "fingerprint": faces.fingerprint, "counts": faces.counts(),
        },
        "selected_on": "PublicTest",
        "best_epoch": result.best_epoch,
        "parameters": count_parameters(model),
        "flops_per_image": flops_per_image(model),
        "seconds": round(sum(record.seconds for record in result.history), 1),
        "hardware": describe_hardware(choose_precision().device, request.precision)
        | {"processes": group.size},
        "software": describe_software(),
        "git_commit": git_commit(),
    }  # fmt: skip
    frame = prediction_frame(faces, probs)
    return write_run(folder, info, model, [asdict(record) for record in result.history], frame)


def _settled(request: Request) -> Request:
    """What was left to choose, chosen once, so that resuming elsewhere gives the same weights."""
    import torch

    from fercore.precision import choose_precision

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


def _fit(request: Request, faces: FaceSet, checkpoint: Path, watcher: Any, group: Any) -> tuple:
    """The trained model and its `Fit`; every process of the group does the same."""
    import torch

    from fercore.models.layers import fit_normalisation
    from fercore.precision import choose_precision
    from fercore.training.fit import fit

    torch.set_num_threads(request.threads)
    torch.backends.cudnn.deterministic = True
    torch.manual_seed(request.seed)
    training = faces.part("Training")
    model = build(request.model, **request.recipe.model_arguments)
    fit_normalisation(model, training.images)
    result = fit(
        model,
        training,
        faces.part("PublicTest"),
        request.recipe,
        seed=request.seed,
        precision=choose_precision(request.precision),
        identity=_identity(request) | {"dataset": faces.fingerprint},
        checkpoint=checkpoint,
        watcher=watcher,
        group=group,
    )
    return model, result


def _only_training() -> AbstractContextManager:
    """Hold this machine's one place for a training."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    return _held(
        cache_folder() / "training.lock",
        "Another training is running on this machine. Wait for it or cancel it; two at once "
        "would slow both down several times.",
    )


@contextmanager
def _held(path: Path, refusal: str) -> Iterator[None]:
    """Hold a lock, which dies with its process. Raises `Busy` where another has it."""
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout as error:
        raise Busy(refusal) from error


def _sentence(error: Exception) -> str:
    if isinstance(error, FerError):
        return str(error)
    if isinstance(error, MemoryError):
        return "The machine ran out of memory. Close other programs or use a smaller batch."
    if isinstance(error, OSError):
        return f"The disk refused ({error.strerror}). Make room, then resume."
    return f"The training stopped on an unexpected error: {type(error).__name__}: {error}"
