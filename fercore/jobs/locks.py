"""Locks that die with their process, and that can be asked for without being taken.

Where there is `fcntl` (Linux, macOS) they are POSIX record locks: `F_GETLK` says whether another
process holds one, and needs no right to write. A process is not told of its own, and loses one by
closing the file anywhere, so those are kept in a set. On Windows a locked byte cannot be read.
"""

import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fercore.errors import Busy

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_POLL_SECONDS = 0.02
_own: set[str] = set()  # what this process holds
_one_at_a_time = threading.Lock()


@contextmanager
def held(
    path: Path, *, patience: float = 0.0, refusal: str = "Another process is at it already."
) -> Iterator[None]:
    """Hold the lock at `path`; it is released with the process at the latest.

    Raises `Busy` with the sentence `refusal` where another holds it for `patience` seconds more.
    """
    name, deadline = str(path.resolve()), time.monotonic() + patience
    while (file := _take(name)) is None:
        if time.monotonic() > deadline:
            raise Busy(refusal)
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        with _one_at_a_time:
            _own.discard(name)
            os.close(file)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`."""
    name = str(path.resolve())
    with _one_at_a_time:
        if name in _own:
            return True
        try:
            file = os.open(name, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return _held_elsewhere(file)
        finally:
            os.close(file)


def _take(name: str) -> int | None:
    """The open file whose lock is now ours; None where it is another's."""
    with _one_at_a_time:
        if name in _own:
            return None
        file = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(file)
        except OSError:
            os.close(file)
            return None
        _own.add(name)
        return file


if sys.platform == "win32":

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _held_elsewhere(file: int) -> bool:
        try:
            os.read(file, 1)
        except PermissionError:
            return True
        return False

else:
    # struct flock: type, whence, start, length, pid; and the BSDs' order, macOS among them
    _LINUX, _BSD = "hhqqi", "qqihh"

    def _lock(file: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _held_elsewhere(file: int) -> bool:
        if sys.platform == "linux":
            asked = struct.pack(_LINUX, fcntl.F_WRLCK, 0, 0, 0, 0)
            kind: int = struct.unpack(_LINUX, fcntl.fcntl(file, fcntl.F_GETLK, asked))[0]
        else:
            asked = struct.pack(_BSD, 0, 0, 0, fcntl.F_WRLCK, 0)
            kind = struct.unpack(_BSD, fcntl.fcntl(file, fcntl.F_GETLK, asked))[3]
        return kind != fcntl.F_UNLCK
