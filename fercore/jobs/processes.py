"""Trainings as processes of their own: started, watched and ended through files.

A training that waits or runs holds the lock in its run's folder. The lock dies with its process,
so whether a training lives is asked of the lock, never of a process number.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from fercore.errors import RunError, TrainingError
from fercore.files import remove_folder, writing_to
from fercore.jobs.request import (
    CANCEL,
    CHECKPOINT,
    LOG,
    REQUEST,
    Request,
    clear,
    prepare,
    read_request,
)
from fercore.jobs.spawning import FERCORE, spawned
from fercore.jobs.status import ALIVE, STARTING, StatusFile, read_status, state_of
from fercore.jobs.status import FILE as STATUS
from fercore.places import environment
from fercore.runs.artifacts import FILES
from fercore.runs.folders import LOCAL, artifacts_folder, checked_run_id, complete, local_folder
from fercore.runs.info import HISTORY
from fercore.runs.measured import history_lines

_LOST = "Its process is gone. Resume goes on from its last checkpoint."
_RUNNING = "'{}' is running. Cancel it first."


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
        """A record of each finished epoch, as far as they can be read."""
        path = local_folder(self.run_id) / HISTORY
        try:
            return history_lines(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:  # before the first epoch there is none
            return []

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
    folder = local_folder(run_id)
    with writing_to(folder, f"'{run_id}' goes on: it cannot be asked to stop", RunError):
        (folder / CANCEL).touch()


def discard(run_id: str) -> None:
    """Delete a training that is not running, one that cannot be read too, with its checkpoint.

    Raises `RunError`.
    """
    folder = local_folder(run_id)
    _check_unfinished(folder)
    if not _of_a_training(folder):
        raise RunError(f"There is no training '{run_id}'.")
    if state_of(folder, read_status(folder)) in ALIVE:
        raise RunError(_RUNNING.format(run_id))
    with writing_to(folder.parent, f"'{run_id}' is not discarded", RunError):
        remove_folder(folder)


class Estimate(NamedTuple):
    seconds: float
    images_per_second: float


def estimate(request: Request) -> Estimate:
    """How long a training would take here, measured on a few steps in a process of its own.

    Raises `TrainingError` where it cannot be measured.
    """
    command = [*FERCORE, "jobs", "estimate", "--json"]
    asked = json.dumps(request.to_json())
    ended = subprocess.run(
        command, input=asked, capture_output=True, encoding="utf-8", env=environment()
    )
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
    return [job for job in _scan().values() if isinstance(job, Job)]


def unreadable_jobs() -> dict[str, str]:
    """By name, a sentence for each training that cannot be read."""
    return {name: found for name, found in _scan().items() if isinstance(found, str)}


def _scan() -> dict[str, Job | str]:
    """Every training that is no run yet, the newest first, or what is wrong with it, by name."""
    folders = filter(_to_be_told, (artifacts_folder() / LOCAL).glob("[!.]*"))
    found: dict[str, Job | str] = {}
    for folder in sorted(folders, key=_begun, reverse=True):
        try:
            found[folder.name] = find_job(folder.name)
        except RunError as error:
            if _to_be_told(folder) and not complete(folder):  # it may finish while we look
                found[folder.name] = str(error)
    return found


def _to_be_told(folder: Path) -> bool:
    begun = os.path.lexists(folder / REQUEST)
    return begun or (not complete(folder) and _of_a_training(folder))


def _of_a_training(folder: Path) -> bool:
    """Whether a training has, or had, its place there."""
    return any(os.path.lexists(folder / name) for name in (REQUEST, STATUS, CHECKPOINT, *FILES))


def _begun(folder: Path) -> float:
    try:
        return (folder / REQUEST).stat().st_mtime
    except OSError:
        return 0.0


def find_job(run_id: str) -> Job:
    """The training of that name. Raises `RunError` where there is none, or it is complete."""
    folder = local_folder(checked_run_id(run_id))
    _check_unfinished(folder)
    if not os.path.lexists(folder / REQUEST):
        if _of_a_training(folder):
            raise RunError(
                f"{run_id}: neither its run.json nor its request.json is there. Restore one of "
                f"them, or delete the rest (fercore jobs discard {run_id})."
            )
        raise RunError(f"There is no training '{run_id}' under way.")
    request, status = read_request(run_id), read_status(folder)
    state = state_of(folder, status)
    _check_unfinished(folder)  # it may have ended well while we looked
    message = _LOST if state == "lost" else status.get("message", "")
    progress, process = status.get("progress", {}), status.get("process", {})
    return Job(run_id, request, state, message, progress, status.get("updated", ""), process)


def _check_unfinished(folder: Path) -> None:
    if complete(folder):
        clear(folder)  # of a training that was killed just before it would have done so
        raise RunError(f"'{folder.name}' is finished: see `fercore runs show {folder.name}`.")


def _idle(run_id: str) -> Path:
    if find_job(run_id).alive:
        raise RunError(_RUNNING.format(run_id))
    return local_folder(run_id)


def _spawn(folder: Path, *options: str) -> None:
    low_priority = read_request(folder.name).low_priority
    with writing_to(folder, f"'{folder.name}' does not go on", RunError):
        (folder / CANCEL).unlink(missing_ok=True)
        StatusFile(folder).write("queued", STARTING)
        log = (folder / LOG).open("a")
    with log:
        spawned(["jobs", "run", folder.name, *options], log, low_priority=low_priority)
