"""What a person may change of a run made on this machine: its name, its note, whether it stays."""

import shutil
from pathlib import Path

from fercore.errors import RunError
from fercore.files import remove_folder, replacing, write_json, writing_to
from fercore.runs.artifacts import NOTE, NOTE_LENGTH, Run
from fercore.runs.folders import complete, local_folder
from fercore.runs.info import INFO
from fercore.runs.listing import read_run
from fercore.runs.writing import new_folder


def rename_run(run: Run, new_id: str) -> Run:
    """Give a run made on this machine another name, and return it.

    The run is copied whole under its new name before the old one goes, so that a crash leaves one
    of the two, or both, and never half a run. Raises `RunError` for a shipped run or a name that is
    taken.
    """
    _check_local(run, "renamed")
    refused = writing_to(run.folder.parent, f"'{run.run_id}' keeps its name", RunError)
    with refused, new_folder(new_id) as copy:
        shutil.copytree(run.folder, copy, dirs_exist_ok=True)
        write_json(copy / INFO, run.info | {"run_id": new_id})
    delete_run(run)
    return read_run(local_folder(new_id))


def annotate_run(run: Run, note: str) -> None:
    """Write a person's note beside a run made on this machine; an empty one removes it.

    Raises `RunError` for a shipped run, and for more than `NOTE_LENGTH` characters.
    """
    _check_local(run, "annotated")
    note = note.strip()
    if len(note) > NOTE_LENGTH:
        raise RunError(f"The note has {len(note)} characters; {NOTE_LENGTH} fit.")
    with writing_to(run.folder, f"The note of '{run.run_id}' stays as it was", RunError):
        if not note:
            (run.folder / NOTE).unlink(missing_ok=True)
            return
        with replacing(run.folder / NOTE) as temporary:
            temporary.write_text(note, encoding="utf-8")


def delete_run(run: Run) -> None:
    """Delete a run made on this machine. Raises `RunError` for a shipped one."""
    _check_local(run, "deleted")
    _remove(run.folder)


def delete_unreadable(run_id: str) -> None:
    """Delete a run made on this machine that `unreadable_runs` names. Raises `RunError`."""
    folder = local_folder(run_id)
    if not complete(folder):
        raise RunError(f"There is no run '{run_id}' made on this machine.")
    _remove(folder)


def _remove(folder: Path) -> None:
    with writing_to(folder.parent, f"'{folder.name}' is not deleted", RunError):
        remove_folder(folder)


def _check_local(run: Run, done: str) -> None:
    if run.shipped:
        raise RunError(f"'{run.run_id}' is shipped with the project and is not {done}.")
