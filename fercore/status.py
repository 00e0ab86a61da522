"""Where a training stands, as a small file that other processes read."""

import time
from contextlib import suppress
from dataclasses import asdict
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from fercore.files import read_json, write_json

FILE = "status.json"
HEARTBEAT_SECONDS = 0.5


class StatusFile:
    """Writes `status.json`: state, a sentence, and the latest progress.

    States: 'starting', 'running', 'cancelled', 'failed'.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._written = 0.0

    def write(self, state: str, message: str = "", **progress: Any) -> None:
        write_json(self._path, {"state": state, "message": message, "progress": progress})
        self._written = time.monotonic()

    def heartbeat(self, progress: Any) -> None:
        """Record a progress dataclass, at most every `HEARTBEAT_SECONDS`."""
        if time.monotonic() - self._written < HEARTBEAT_SECONDS:
            return
        with suppress(PermissionError):  # on Windows, while another process reads the file
            self.write("running", "training", **asdict(progress))


def read_status(folder: Path) -> dict[str, Any]:
    """The status, or {} where none was written."""
    with suppress(FileNotFoundError, JSONDecodeError):
        return read_json(folder / FILE)
    return {}
