"""This machine's own folder of a study, into which what is new is written.

own: that folder. read: where the study is read, another one until the first training is added.
All raise `RunError` where the system refuses to write.
"""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from fercore.errors import Busy, RunError
from fercore.files import appearing, writing_to


def begin(own: Path, read: Path) -> None:
    """Make the folder, with what is shipped in it, unless it is there."""
    with _refused(own):
        if own != read:
            with suppress(FileExistsError), appearing(own) as made:
                shutil.copytree(read, made, dirs_exist_ok=True)
        own.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing_in(own: Path, read: Path) -> Iterator[None]:
    """Over what writes: one process after the other."""
    begin(own, read)
    with _refused(own), FileLock(own / "lock"):
        yield


@contextmanager
def scoring_in(own: Path, read: Path) -> Iterator[None]:
    """While PrivateTest is scored. Raises `Busy` where another process is at it."""
    begin(own, read)
    lock = FileLock(own / "scoring.lock", timeout=0)
    with _refused(own):
        try:
            lock.acquire()
        except Timeout as error:
            raise Busy(f"Another process is scoring study '{own.name}'.") from error
    try:
        yield
    finally:
        lock.release()


def _refused(own: Path) -> AbstractContextManager[None]:
    return writing_to(own, f"Study '{own.name}' stays as it was", RunError)
