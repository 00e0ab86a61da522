"""One training's life: its lock, its turn, its status, and what is left when it ends.

`learning` trains, `outcome` makes the run of it.
"""

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, replace
from pathlib import Path

from fercore.data import FaceSet
from fercore.errors import FerError
from fercore.files import write_json, write_json_lines
from fercore.jobs.learning import learn, with_hardware
from fercore.jobs.locks import held
from fercore.jobs.outcome import write_outcome
from fercore.jobs.request import CANCEL, REQUEST, Request, clear, with_commit
from fercore.jobs.status import LOCK, StatusFile
from fercore.jobs.turns import turn
from fercore.runs.artifacts import Run
from fercore.runs.commit import git_commit
from fercore.runs.folders import complete, local_folder
from fercore.runs.info import HISTORY
from fercore.runs.listing import read_run
from fercore.training.records import (
    CHECKPOINT_SECONDS,
    EpochRecord,
    Interrupted,
    Progress,
    Watcher,
)
from fercore.wording import count

_NO_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")  # torch's words
_RUNNING = "This training is running already, in another process."
_NO_PEER = ("Connection closed by peer", "Connection reset")  # gloo's
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PATIENCE = 2.0  # seconds; one that has said how it ended holds its lock a moment longer


def run_experiment(
    request: Request,
    *,
    folder: Path | None = None,
    faces: FaceSet | None = None,
    watcher: Watcher = Watcher(),
    alongside: bool = False,
    keep_best: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Run:
    """Train as requested, going on from the folder's checkpoint where it has one.

    A training that another process has completed meanwhile is returned as it is.

    `folder` is in `artifacts/runs/` and `faces` are loaded as requested, unless given. One
    training runs at a time on a machine, and the next one waits, unless `alongside`. With
    `keep_best` the epochs that are done make the run. Raises `Busy` where another process is at
    this very training, `Interrupted` when told to stop, and what the data raise; the folder's
    status then says so, and the checkpoint stays.
    """
    folder = folder or local_folder(request.run_id)
    status = StatusFile(folder)
    watcher = _recording(watcher, folder, status)
    with held(folder / LOCK, patience=_PATIENCE, refusal=_RUNNING):
        if complete(folder):  # another process completed it before this one held it
            run = read_run(folder)
        else:
            with _told(status, folder), nullcontext() if alongside else _turn(watcher, status):
                status.write("running", "reading the data")
                run = _train_and_score(
                    request, folder, faces, watcher, status, checkpoint_seconds, keep_best
                )
    clear(folder)
    return run


def _train_and_score(
    request: Request,
    folder: Path,
    faces: FaceSet | None,
    watcher: Watcher,
    status: StatusFile,
    checkpoint_seconds: float,
    keep_best: bool,
) -> Run:
    from fercore.training.parallel import ProcessGroup

    group = ProcessGroup()
    commit = git_commit()  # of the code that is at work, whatever comes meanwhile
    request, folder, keep_best = group.from_leader((with_hardware(request), folder, keep_best))
    write_json(folder / REQUEST, request.to_json())
    code = with_commit(folder, commit)
    learnt = learn(
        request,
        folder,
        watcher,
        group,
        faces=faces,
        on_images=lambda n: status.heartbeat(f"reading the data, {count(n)} images so far"),
        checkpoint_seconds=checkpoint_seconds,
        keep_best=keep_best,
    )
    status.write("running", "scoring the test images")
    return write_outcome(request, folder, learnt, code=code, processes=group.size)


@contextmanager
def _told(status: StatusFile, folder: Path) -> Iterator[None]:
    """One attempt at a training: what a killed one left goes, and the status says how it ends."""
    for left_by_a_killed_process in folder.glob(".*.tmp"):
        left_by_a_killed_process.unlink()
    try:
        yield
    except Interrupted as stop:
        _end(status, "cancelled", str(stop))
        raise
    except Exception as error:
        _end(status, "failed", sentence(error))
        raise
    finally:
        (folder / CANCEL).unlink(missing_ok=True)


def sentence(error: Exception) -> str:
    """What ended a training, in words for its user."""
    if isinstance(error, FerError):
        return str(error)
    if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
        return (
            "The machine ran out of memory. Close other programs or use a smaller batch, then "
            "resume."
        )
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return f"The disk refused ({error.strerror}). Make room, then resume."
    if isinstance(error, OSError):
        return f"A file could not be used ({error}). Put that right, then resume."
    if any(words in str(error) for words in _NO_PEER):
        return (
            "Another process of the group ended before its time. Resume goes on with all of them."
        )
    return f"The training stopped on an unexpected error: {type(error).__name__}: {error}"


def _recording(watcher: Watcher, folder: Path, status: StatusFile) -> Watcher:
    """The watcher, with everything also written to the folder's files, and stopped by one."""

    def on_step(progress: Progress) -> None:
        status.heartbeat("training", **asdict(progress))
        watcher.on_step(progress)

    def on_epoch(history: list[EpochRecord]) -> None:
        write_json_lines(folder / HISTORY, map(asdict, history))
        watcher.on_epoch(history)

    def stop_requested() -> bool:
        return watcher.stop_requested() or (folder / CANCEL).exists()

    return replace(watcher, on_step=on_step, on_epoch=on_epoch, stop_requested=stop_requested)


def _turn(watcher: Watcher, status: StatusFile) -> AbstractContextManager[None]:
    def on_wait(ahead: int) -> None:
        others = "another training" if ahead == 1 else f"{ahead} other trainings"
        status.write("queued", f"waiting for {others} on this machine to end")
        watcher.on_wait(ahead)

    return turn(on_wait=on_wait, stop_requested=watcher.stop_requested)


def _end(status: StatusFile, state: str, message: str) -> None:
    with suppress(OSError):  # where the disk is full, the lock that is gone says enough
        status.write(state, message)
