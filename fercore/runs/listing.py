"""Which runs there are: listed, found by name, read from their folders."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fercore.errors import ConfigError, RunError
from fercore.files import file_stamp
from fercore.runs.artifacts import Run
from fercore.runs.folders import (
    LOCAL,
    SHIPPED,
    checked_run_id,
    complete,
    folder_in,
    remedy,
    study_run_folder,
)
from fercore.runs.info import INFO, read_info
from fercore.training.recipes import Recipe


class Listing(NamedTuple):
    """The complete runs that can be read, and a sentence for each of the others."""

    runs: list[Run]
    problems: list[str]


def list_runs() -> list[Run]:
    """Every complete run that can be read: shipped ones by name, then this machine's, newest first.

    FER2013's shipped runs come before those on other sets.
    """
    return look_through_runs().runs


def unreadable_runs() -> list[str]:
    """A sentence for each complete run that cannot be read."""
    return look_through_runs().problems


def look_through_runs() -> Listing:
    """`list_runs` and `unreadable_runs` of one look at the disk."""
    runs: list[Run] = []
    problems: list[str] = []
    for place in (SHIPPED, LOCAL):
        for folder in sorted(folder_in(place).glob("[!.]*")):
            if not complete(folder):
                continue
            try:
                found = _read_once(folder, file_stamp(folder / INFO))
            except RunError as error:
                found = str(error)
            if isinstance(found, str):
                problems.append(found)
            else:
                runs.append(replace(found))  # its own: what it reads later goes with it
    newest_first = sorted(runs, key=lambda run: run.info["created"], reverse=True)
    local = [run for run in newest_first if not run.shipped]
    shipped = [run for run in runs if run.shipped]
    shipped.sort(key=lambda run: (run.dataset != "FER2013", run.run_id))
    return Listing(shipped + local, problems)


@lru_cache(maxsize=1000)
def _read_once(folder: Path, _stamp: str) -> Run | str:
    """The run in `folder`, or what is wrong with it; read again when its run.json changes.

    Raises `RunError`, and keeps nothing, where the system refused to read: that may pass.
    """
    try:
        return read_run(folder)
    except RunError as error:
        if isinstance(error.__cause__, OSError):
            raise
        return str(error)


def find_run(run_id: str) -> Run:
    """The complete run of that name, this machine's before shipped. Raises `RunError`."""
    checked_run_id(run_id)
    for place in (LOCAL, SHIPPED):
        folder = folder_in(place) / run_id
        if complete(folder):
            return read_run(folder)
    known = ", ".join(run.run_id for run in list_runs()) or "none yet"
    raise RunError(f"There is no complete run '{run_id}'. Runs here: {known}.")


def find_trained(name: str) -> Run:
    """The run of that name; or of 'STUDY/NAME', a study's training with the weights that it ended
    with, which its folder on this machine keeps. Raises `RunError`.
    """
    study, _, run_id = name.rpartition("/")
    if not study:
        return find_run(name)
    folder = study_run_folder(study, run_id)
    if not complete(folder):
        raise RunError(f"The weights of '{name}', a study's training, are not here ({folder}).")
    run = read_run(folder)
    return replace(run, info={**run.info, "run_id": name})


def is_shipped(run_id: str) -> bool:
    """Whether a run of that name comes with the project."""
    return (folder_in(SHIPPED) / checked_run_id(run_id)).exists()


def read_run(folder: Path) -> Run:
    """The run in `folder`. Raises `RunError` where it is damaged or of another kind."""
    info = read_info(folder, remedy(folder))
    try:
        return Run(folder, info, Recipe.from_json(info["recipe"]))
    except ConfigError as error:
        raise RunError(f"{folder.name}: {error} {remedy(folder)}") from error
