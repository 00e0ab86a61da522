"""FER2013's download as a process of its own: begun, watched and ended through files.

One at a time on a machine, from the dashboard or from a terminal: its lock, its status and what has
come of the file lie in the cache folder, and whoever asks sees the same.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fercore.data import FaceSet
from fercore.data.cache import cache_folder
from fercore.data.download import Progress, get_fer2013
from fercore.data.fetching import forget_part, part_in
from fercore.data.settings import choose_data
from fercore.errors import DataError, FerError
from fercore.files import writing_to
from fercore.jobs.locks import held, is_held
from fercore.jobs.request import CANCEL, LOG
from fercore.jobs.spawning import spawned
from fercore.jobs.status import ALIVE, LOCK, STARTING, StatusFile, read_status, state_of
from fercore.jobs.status import FILE as STATUS
from fercore.shapes import Shape, number, optional, text, whole
from fercore.training.records import Interrupted
from fercore.wording import count, duration, megabytes

_BUSY = "FER2013 is being downloaded already. Wait for it, or cancel it in the dashboard."
_LOST = "The download's process is gone."
_UNDONE = "FER2013 is not downloaded"
_PROGRESS: Shape = {
    "source": text, "done": whole(), "total": optional(whole()), "seconds_left": optional(number()),
}  # fmt: skip


class Download(NamedTuple):
    """Where it stands. state: 'queued', 'running', 'cancelled', 'failed', 'lost', or '' where none
    was begun or the last one ended well. share: how much is done, 0 to 1; None where that is not
    known. kept: bytes of a part that the next one goes on with.
    """

    state: str
    message: str = ""
    share: float | None = None
    kept: int = 0

    @property
    def alive(self) -> bool:
        return self.state in ALIVE


def start() -> None:
    """Begin the download in a process of its own; nothing where one is under way.

    Raises `DataError` where nothing can be written.
    """
    folder = download_folder()
    if current().alive:
        return
    with writing_to(folder, _UNDONE, DataError, variable="FERCORE_CACHE"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CANCEL).unlink(missing_ok=True)
        StatusFile(folder).write("queued", STARTING)
        log = (folder / LOG).open("w")
    with log:
        spawned(["data", "download"], log)


def cancel() -> None:
    """Ask it to stop, wherever it was begun; what has come stays."""
    with writing_to(download_folder(), "The download goes on", DataError):
        (download_folder() / CANCEL).touch()


def forget() -> None:
    """Delete what has come of a download that does not run, and what was said of it."""
    folder = download_folder()
    if not is_held(folder / LOCK):
        with writing_to(folder, "It is not deleted", DataError):
            forget_part(folder)
            (folder / STATUS).unlink(missing_ok=True)


def current() -> Download:
    """Where the download on this machine stands."""
    folder = download_folder()
    status = read_status(folder, progress=_PROGRESS)
    if not status:
        return Download("")
    state, at = state_of(folder, status), status.get("progress", {})
    message = status.get("message", "") if state != "lost" else f"{_LOST} {_last_words(folder)}"
    share = min(at["done"] / at["total"], 1.0) if at and at["total"] else None
    part = part_in(folder)
    return Download(state, message, share, part.stat().st_size if part.exists() else 0)


def download_here(
    *,
    told: Callable[[Download], object] = lambda at: None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> FaceSet:
    """Download FER2013 in this process and choose it; `told` hears of it several times a second.

    Raises `Interrupted` when told to stop, here or by `cancel`, `Busy` where another process is at
    it, and what `get_fer2013` raises.
    """
    folder = download_folder()
    with writing_to(folder, _UNDONE, DataError, variable="FERCORE_CACHE"):
        folder.mkdir(parents=True, exist_ok=True)
    with held(folder / LOCK, refusal=_BUSY):
        status, pace = StatusFile(folder), _Pace()

        def tell(at: Progress) -> None:
            if stop_requested() or (folder / CANCEL).exists():
                raise Interrupted("The download was cancelled.")
            seconds = pace.seconds_left(at)
            message = _in_words(at, seconds)
            status.heartbeat(message, **at._asdict(), seconds_left=seconds)
            told(Download("running", message, at.done / at.total if at.total else None))

        try:
            faces = get_fer2013(folder, tell)
            choose_data(Path(faces.source))
        except Interrupted as interruption:
            status.write("cancelled", str(interruption))
            raise
        except FerError as error:
            status.write("failed", str(error))
            raise
        finally:
            (folder / CANCEL).unlink(missing_ok=True)
        (folder / STATUS).unlink(missing_ok=True)
        forget_part(folder)
    return faces


def download_folder() -> Path:
    """Where the file lies, and what tells of its download."""
    return cache_folder() / "fer2013"


def _last_words(folder: Path) -> str:
    """The last line that its process printed."""
    try:
        lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class _Pace:
    """How long the rest takes, by what has come since this began."""

    def __init__(self) -> None:
        self._source, self._first, self._since = "", 0, time.monotonic()

    def seconds_left(self, at: Progress) -> float | None:
        if at.source != self._source or at.done < self._first or not at.done:
            self._source, self._first, self._since = at.source, at.done, time.monotonic()
        come, seconds = at.done - self._first, time.monotonic() - self._since
        if not at.total or not come or seconds < 1:
            return None
        return (at.total - at.done) * seconds / come


def _in_words(at: Progress, seconds_left: float | None) -> str:
    """'12.3 of 96.7 MB from Kaggle · 25 s left'."""
    left = "" if seconds_left is None else f" · {duration(seconds_left)} left"
    if not at.source:
        return f"{count(at.done)} of {count(at.total or 0)} images read{left}"
    if not at.done:
        return f"asking {at.source}"
    of = f"{at.done / 1e6:.1f} of {megabytes(at.total)}" if at.total else megabytes(at.done)
    return f"{of} from {at.source}{left}"
