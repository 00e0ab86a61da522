"""Who trains next: one training at a time on a machine, the others in the order they came.

Each that waits or trains holds the lock of a ticket in the cache folder. A lock dies with its
process, so one that was killed leaves nothing behind that could block the rest.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from fercore.data.cache import cache_folder
from fercore.jobs.locks import held, is_held
from fercore.training.records import Interrupted

_TICKET = re.compile("[0-9]{20}-[0-9]+")  # when it was drawn, and by which process
_POLL_SECONDS = 0.5
_YOUNG_SECONDS = 5.0  # a ticket's lock is taken a moment after its file appears


@contextmanager
def turn(
    *,
    on_wait: Callable[[int], None] = lambda ahead: None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Wait until it is this process's turn to train, then hold the machine's one place.

    `on_wait` gets the number of trainings ahead. Raises `Interrupted` when told to stop.
    """
    folder = cache_folder() / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    ticket = folder / f"{time.time_ns():020d}-{os.getpid()}"
    place = FileLock(cache_folder() / "training.lock")
    try:
        with held(ticket):
            while not _take(place, first=not (ahead := _ahead(ticket))):
                if stop_requested():
                    raise Interrupted("It was cancelled before its turn came.")
                on_wait(max(1, ahead))
                time.sleep(_POLL_SECONDS)
            yield
    finally:
        place.release()
        _clear(ticket)


def _take(place: FileLock, *, first: bool) -> bool:
    if not first:
        return False
    try:
        place.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _ahead(ticket: Path) -> int:
    """How many living tickets are older than this one; dead ones are cleared away."""
    tickets = (path for path in ticket.parent.iterdir() if _TICKET.fullmatch(path.name))
    return sum(_lives(path) for path in tickets if path.name < ticket.name and path.is_file())


def _lives(ticket: Path) -> bool:
    young = time.time() - int(ticket.name.split("-")[0]) / 1e9 < _YOUNG_SECONDS
    if is_held(ticket) or young:
        return True
    _clear(ticket)
    return False


def _clear(ticket: Path) -> None:
    with suppress(PermissionError):  # Windows keeps what another process reads just now
        ticket.unlink(missing_ok=True)
