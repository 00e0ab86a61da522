"""Trainings as processes of their own: started, watched and ended through files.

A training that waits or runs holds the lock in its run's folder. The lock dies with its process,
so whether a training lives is asked of the lock, never of a process number.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from fercore.errors import RunError, TrainingError
from fercore.files import remove_folder
from fercore.jobs.request import CANCEL, LOG, REQUEST, Request, prepare, read_request
from fercore.jobs.status import ALIVE, STARTING, StatusFile, read_status, state_of
from fercore.runs.artifacts import LOCAL, artifacts_folder, checked_run_id, local_folder

_LOST = "Its process is gone. Resume goes on from its last checkpoint."
_NICENESS = 10


@dataclass(frozen=True)
class Job:
    """A training that is not a complete run.

    state: 'queued', 'running', 'cancelled', 'failed', or 'lost' where its process is gone.
    progress: epoch, epochs, step, steps, loss, accuracy, images_per_second, seconds_left; or {}.
    updated: when its process last said so, UTC, ISO form. process: its pid and when it began.
    """

    run_id: str
    request: Request
    state: str
    message: str
    progress: dict[str, Any]
    updated: str
    process: dict[str, Any]

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """A record of each finished epoch."""
        path = local_folder(self.run_id) / "history.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def epochs_done(self) -> int:
        return len(self.history)


def start(request: Request) -> str:
    """Begin a training in a process of its own; where another one runs, it waits for its turn.

    Returns its name. Raises what `prepare` raises.
    """
    folder = prepare(request)
    _spawn(folder)
    return folder.name


def resume(run_id: str) -> None:
    """Go on with a cancelled, failed or lost training. Raises `RunError` where it is running."""
    _spawn(_idle(run_id))


def keep_best(run_id: str) -> None:
    """Make a run of a training that was broken off, with its best weights so far.

    Raises `RunError` where it is running, or has not finished an epoch.
    """
    folder = _idle(run_id)
    if not find_job(run_id).epochs_done:
        raise RunError(f"'{run_id}' has not finished an epoch, so there are no weights to keep.")
    _spawn(folder, "--keep-best")


def cancel(run_id: str) -> None:
    """Ask a training to stop, waiting or running: what it has done stays.

    Raises `RunError` where no training of that name is under way.
    """
    job = find_job(run_id)
    if not job.alive:
        raise RunError(f"'{run_id}' is not running: it is {job.state}.")
    (local_folder(run_id) / CANCEL).touch()


def discard(run_id: str) -> None:
    """Delete a training that is not running, with its checkpoint. Raises `RunError`."""
    try:
        remove_folder(_idle(run_id))
    except OSError as error:
        raise RunError(f"'{run_id}' is not discarded: {error.strerror or error}.") from error


class Estimate(NamedTuple):
    seconds: float
    images_per_second: float


def estimate(request: Request) -> Estimate:
    """How long a training would take here, measured on a few steps in a process of its own.

    Raises `TrainingError` where it cannot be measured.
    """
    recipe, options = request.recipe, {"threads": request.threads, "from": request.start_from}
    options |= {"recipe": recipe.name, "epochs": recipe.epochs, "batch-size": recipe.batch_size}
    options |= {"data": request.data, "precision": request.precision, "seed": request.seed}
    options |= {"classes": request.class_names or None, "validation": request.validation}
    command = [sys.executable, "-m", "fercore", "train", request.model, "--estimate", "--json"]
    command += [f"--{name}={value}" for name, value in options.items() if value is not None]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        reason = ended.stderr.strip().removeprefix("Error: ")
        raise TrainingError(f"The time could not be measured. {reason}")
    found = json.loads(ended.stdout)
    return Estimate(found["seconds"], found["images_per_second"])


def spare_threads() -> int:
    """One processor thread fewer than the machine has, at least one."""
    return max(1, (os.cpu_count() or 2) - 1)


def list_jobs() -> list[Job]:
    """Trainings that are under way or were broken off, newest first."""
    found = []
    for path in (artifacts_folder() / LOCAL).glob(f"[!.]*/{REQUEST}"):
        # It may finish while we look; and one that cannot be read is no reason to hide the others.
        with suppress(RunError, FileNotFoundError):
            found.append((path.stat().st_mtime, find_job(path.parent.name)))
    return [job for _, job in sorted(found, key=itemgetter(0), reverse=True)]


def find_job(run_id: str) -> Job:
    """The training of that name. Raises `RunError` where there is none, or it is complete."""
    folder = local_folder(checked_run_id(run_id))
    _check_unfinished(folder)
    if not (folder / REQUEST).is_file():
        raise RunError(f"There is no training '{run_id}' under way.")
    request, status = read_request(run_id), read_status(folder)
    state = state_of(folder, status)
    _check_unfinished(folder)  # it may have ended well while we looked
    message = _LOST if state == "lost" else status.get("message", "")
    progress, process = status.get("progress", {}), status.get("process", {})
    return Job(run_id, request, state, message, progress, status.get("updated", ""), process)


def _check_unfinished(folder: Path) -> None:
    if (folder / "run.json").is_file():
        raise RunError(f"'{folder.name}' is finished: see `fercore runs show {folder.name}`.")


def _idle(run_id: str) -> Path:
    if find_job(run_id).alive:
        raise RunError(f"'{run_id}' is running. Cancel it first.")
    return local_folder(run_id)


def _spawn(folder: Path, *options: str) -> None:
    (folder / CANCEL).unlink(missing_ok=True)
    StatusFile(folder).write("queued", STARTING)
    command = [sys.executable, "-m", "fercore", "train", "--resume", folder.name, *options]
    low_priority = read_request(folder.name).low_priority
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS if low_priority else 0
    with (folder / LOG).open("a") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=flags,
        )
    if low_priority and hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
