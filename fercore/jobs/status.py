"""Where a training stands, as a small file that other processes read."""

import math
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fercore.files import read_json, write_json
from fercore.jobs.locks import is_held
from fercore.shapes import Shape, misfit, number, one_of, text, whole

FILE = "status.json"
LOCK = "lock"  # held by the training's process
ALIVE = ("queued", "running")
STARTING = "starting"  # the message of one whose process has not taken its lock yet
STARTUP_SECONDS = 60  # from the start of a process to its lock; imports take about three
HEARTBEAT_SECONDS = 0.5
TRAINING: Shape = {
    "epoch": whole(1), "epochs": whole(1), "step": whole(), "steps": whole(1),
    "loss": number(), "accuracy": number(0, 1), "images_per_second": number(),
    "seconds_left": number(),
}  # fmt: skip
_SHAPES: dict[str, Shape] = {
    "state": one_of(*ALIVE, "cancelled", "failed"),
    "message": text,
    "updated": text,
    "process": {"pid": whole(), "started": text},
}  # fmt: skip


class StatusFile:
    """Writes `status.json`: state, a sentence, the latest progress, the time, and the process.

    States: 'queued', 'running', 'cancelled', 'failed'.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._written = 0.0
        self._begun = _now()

    def write(self, state: str, message: str = "", **progress: Any) -> None:
        status = {
            "state": state,
            "message": message,
            "progress": progress,
            "updated": _now(),
            "process": {"pid": os.getpid(), "started": self._begun},
        }
        write_json(self._path, status)
        self._written = time.monotonic()

    def heartbeat(self, message: str, **progress: Any) -> None:
        """Say that it runs, and how far it is, at most every `HEARTBEAT_SECONDS`."""
        if time.monotonic() - self._written < HEARTBEAT_SECONDS:
            return
        with suppress(PermissionError):  # on Windows, while another process reads the file
            self.write("running", message, **progress)


def read_status(folder: Path, *, progress: Shape = TRAINING) -> dict[str, Any]:
    """What of the status can be read: {} where none was written, without what is odd in it.

    progress: the shape of what tells how far it is.
    """
    try:
        status = read_json(folder / FILE)
    except (OSError, ValueError):
        return {}
    if not isinstance(status, dict):
        return {}
    shapes = _SHAPES | {"progress": progress}
    known = {name: status[name] for name in shapes if name in status}
    return {name: value for name, value in known.items() if not misfit(value, shapes[name])}


def state_of(folder: Path, status: dict[str, Any]) -> str:
    """The state that its status says, or 'lost' where its process is gone without a word."""
    written: str = status.get("state", "lost")
    if written not in ALIVE or is_held(folder / LOCK):
        return written
    starting = status.get("message") == STARTING
    return "queued" if starting and _age(folder / FILE) < STARTUP_SECONDS else "lost"


def _age(path: Path) -> float:
    """Seconds since a file was written; without end where it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
