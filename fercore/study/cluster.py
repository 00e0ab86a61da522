"""A study's trainings as Ray tasks, on this machine or a cluster; results come back as run folders.

Each worker trains in its own cache folder, so a task that is tried again on the same machine goes
on from its last epoch. Every node needs fercore with the extra 'cluster'; the images travel.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fercore.data import FaceSet
from fercore.data.cache import cache_folder
from fercore.errors import ConfigError
from fercore.files import replacing
from fercore.jobs.experiment import sentence
from fercore.jobs.request import Request
from fercore.runs.info import INFO
from fercore.runs.listing import read_run
from fercore.study.runner import (
    Clock,
    Outcome,
    StudyProgress,
    check_cells,
    outcome_of,
    train_cell,
    variant_of,
)
from fercore.study.store import StudyStore
from fercore.training.records import Interrupted, Watcher

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.util.queue import Queue

    Task = ObjectRef[dict[str, bytes]]  # a run folder's files by name

LOCAL = "local"  # the address that starts a cluster on this machine
POLL_SECONDS = 0.5
RETRIES = 2  # where a node is lost
CONNECT_SECONDS = 5


def run_on_ray(
    store: StudyStore,
    requests: list[Request],
    faces: FaceSet,
    *,
    address: str = LOCAL,
    gpus: float = 0,
    on_progress: Callable[[StudyProgress], None] = lambda progress: None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Train what is not finished yet, as many at once as the cluster has room for.

    Each training takes its request's `threads` CPUs (1 where none are given) and `gpus`. Raises
    `ConfigError` where Ray is missing or the address does not answer, `Interrupted` when told to
    stop.
    """
    check_cells(store, requests, faces)
    with _connected(address):
        import ray
        from ray.util.queue import Queue

        epochs, images = Queue(actor_options={"num_cpus": 0}), ray.put(faces)
        clock = Clock(requests, store.finished(), on_progress)
        tasks = {
            _submit(request, images, store, epochs, gpus): request
            for request in requests
            if request.run_id not in store.finished()
        }
        broken = _collect(tasks, store, epochs, clock, stop_requested)
    return outcome_of(store, requests, broken)


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """With a cluster, or one that is started here; raises `ConfigError` where there is none."""
    try:
        import ray
    except ImportError as error:
        raise ConfigError("Ray is not installed. Run: pip install 'fercore[cluster]'") from error

    _check_answer(address)
    ray.init(
        address=None if address == LOCAL else address,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
    )
    try:
        yield
    finally:
        ray.shutdown()


def _submit(
    request: Request, images: "ObjectRef[FaceSet]", store: StudyStore, epochs: "Queue", gpus: float
) -> "Task":
    """The Ray task of one training, on as many CPUs as it has threads."""
    import ray

    request = replace(request, threads=request.threads or 1)
    task = ray.remote(_train).options(
        num_cpus=request.threads, num_gpus=gpus, max_retries=RETRIES, name=request.run_id
    )
    return task.remote(request, images, store.name, epochs)


def _collect(
    tasks: "dict[Task, Request]",
    store: StudyStore,
    epochs: "Queue",
    clock: Clock,
    stop_requested: Callable[[], bool],
) -> dict[str, str]:
    """Keep each training's results as it ends; the sentences on those that broke, by name."""
    import ray

    broken: dict[str, str] = {}
    while tasks:
        if stop_requested():
            for task in tasks:
                ray.cancel(task, force=True)
            raise Interrupted("The study was stopped.")
        done, _ = ray.wait(list(tasks), timeout=POLL_SECONDS)
        while not epochs.empty():
            clock.at(*epochs.get())
        for task in done:
            request = tasks.pop(task)
            try:
                _gather(store, request, ray.get(task))
            except Exception as error:  # whatever broke this one, the others go on
                broken[request.run_id] = sentence(getattr(error, "cause", None) or error)
            clock.ended(request.run_id, well=request.run_id not in broken)
    return broken


def _check_answer(address: str) -> None:
    """Raise `ConfigError` where nothing listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address in (LOCAL, "auto"):
        return
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"No Ray cluster answers at '{address}'. Give HOST:PORT, 'auto' or 'local'."
        ) from error


def _train(request: Request, faces: FaceSet, study: str, epochs: "Queue") -> dict[str, bytes]:
    """In a worker: the training, and its run folder's files."""
    folder = cache_folder() / "studies" / study / request.run_id
    run = train_cell(
        request,
        folder,
        faces,
        Watcher(on_epoch=lambda history: epochs.put((request.run_id, len(history)))),
        alongside=True,
    )
    return {path.name: path.read_bytes() for path in run.folder.iterdir() if path.is_file()}


def _gather(store: StudyStore, request: Request, files: dict[str, bytes]) -> None:
    folder: Path = store.run_folder(request.run_id)
    folder.mkdir(parents=True, exist_ok=True)
    for name in sorted(files, key=INFO.__eq__):  # last, as in every run
        with replacing(folder / name) as temporary:
            temporary.write_bytes(files[name])
    store.add(read_run(folder), variant=variant_of(request))
