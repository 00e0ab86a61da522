"""Trainings as processes of their own: started, watched and ended through files.

A running training holds the lock in its run's folder. The lock dies with its process, so whether
a training lives is asked of the lock, never of a process number.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from fercore.artifacts import LOCAL, artifacts_folder, checked_run_id, local_folder
from fercore.errors import RunError
from fercore.experiment import CANCEL, LOCK, LOG, REQUEST, Request, prepare, read_request
from fercore.status import StatusFile, read_status

_LOST = "Its process is gone. The last finished epoch is saved."
STARTUP_SECONDS = 60  # from the start of a process to its lock; imports take about three


@dataclass(frozen=True)
class Job:
    """A training that is not (yet) a complete run.

    state: 'starting', 'running', 'cancelled', 'failed', or 'lost' where its process is gone.
    progress: epoch, epochs, step, steps, loss, accuracy, images_per_second, seconds_left; or {}.
    """

    run_id: str
    request: Request
    state: str
    message: str
    progress: dict[str, Any]

    @property
    def alive(self) -> bool:
        return self.state in ("starting", "running")


def start(request: Request) -> None:
    """Begin a training in a process of its own. Raises `RunError` where its name is taken."""
    _spawn(prepare(request))


def resume(run_id: str) -> None:
    """Go on with a cancelled, failed or lost training. Raises `RunError` where it is running."""
    read_request(run_id)
    if find_job(run_id).alive:
        raise RunError(f"'{run_id}' is running already.")
    _spawn(local_folder(run_id))


def cancel(run_id: str) -> None:
    """Ask a training to stop: at its next step it ends, keeping its last epoch's checkpoint.

    Raises `RunError` where no training of that name is under way.
    """
    if find_job(run_id).alive:
        (local_folder(run_id) / CANCEL).touch()


def discard(run_id: str) -> None:
    """Delete a training that is not running, with its checkpoint. Raises `RunError`."""
    if find_job(run_id).alive:
        raise RunError(f"'{run_id}' is running. Cancel it first.")
    folder = local_folder(run_id)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def list_jobs() -> list[Job]:
    """Trainings that are under way or were broken off, newest first."""
    requests = (artifacts_folder() / LOCAL).glob(f"*/{REQUEST}")
    newest = sorted(requests, key=lambda path: path.stat().st_mtime, reverse=True)
    jobs = []
    for path in newest:
        # It may finish while we look; and one that cannot be read is no reason to hide the others.
        with suppress(RunError, FileNotFoundError):
            jobs.append(find_job(path.parent.name))
    return jobs


def find_job(run_id: str) -> Job:
    """The training of that name. Raises `RunError` where there is none, or it is complete."""
    folder = local_folder(checked_run_id(run_id))
    if not (folder / REQUEST).is_file() or (folder / "run.json").is_file():
        raise RunError(f"There is no training '{run_id}' under way.")
    request, status = read_request(run_id), read_status(folder)
    state = _state(folder, status)
    message = _LOST if state == "lost" else status.get("message", "")
    return Job(run_id, request, state, message, status.get("progress", {}))


def _state(folder: Path, status: dict[str, Any]) -> str:
    written = status.get("state", "lost")
    if written == "starting":
        young = time.time() - (folder / "status.json").stat().st_mtime < STARTUP_SECONDS
        return "starting" if young or _locked(folder) else "lost"
    return "lost" if written == "running" and not _locked(folder) else written


def _locked(folder: Path) -> bool:
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True


def _spawn(folder: Path) -> None:
    (folder / CANCEL).unlink(missing_ok=True)
    StatusFile(folder).write("starting", "starting")
    command = [sys.executable, "-m", "fercore", "train", "--resume", folder.name]
    with (folder / LOG).open("a") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows
        )
    if hasattr(os, "setpriority"):  # the pages stay quick while it trains
        os.setpriority(os.PRIO_PROCESS, process.pid, 10)
