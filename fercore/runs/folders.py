"""Where runs lie. In a checkout all of them lie in `artifacts/`; where fercore is installed, the
shipped ones lie in the package and new ones in the user's data folder. `FERCORE_ARTIFACTS` moves
`artifacts/`, or the new ones.
"""

import os
from pathlib import Path

import platformdirs

from fercore.errors import RunError
from fercore.files import safe_name
from fercore.places import INSTALLED, PROJECT
from fercore.runs.info import INFO

SHIPPED, LOCAL, STUDIES = "shipped", "runs", "studies"


def artifacts_folder() -> Path:
    """Where runs and studies are made."""
    if given := os.environ.get("FERCORE_ARTIFACTS"):
        return Path(given)
    return Path(platformdirs.user_data_dir("fercore")) if INSTALLED else PROJECT / "artifacts"


def shipped_artifacts() -> Path:
    """Where the runs and studies lie that come with the project."""
    return PROJECT / "artifacts" if INSTALLED else artifacts_folder()


def folder_in(place: str) -> Path:
    return (shipped_artifacts() if place == SHIPPED else artifacts_folder()) / place


def local_folder(run_id: str) -> Path:
    """The folder of a run made on this machine, whether or not it exists."""
    return artifacts_folder() / LOCAL / checked_run_id(run_id)


def study_run_folder(study: str, run_id: str) -> Path:
    """Where a study's training keeps its checkpoint, and later its weights."""
    return artifacts_folder() / STUDIES / checked_run_id(study) / LOCAL / checked_run_id(run_id)


def checked_run_id(run_id: str) -> str:
    """`run_id`, if it may become a folder's name; raises `RunError` otherwise."""
    if not safe_name(run_id):
        group = " A group is several runs, and this takes one of them." if "@" in run_id else ""
        raise RunError(
            f"'{run_id}' is no run's name: use letters, digits, '-', '_' and '.'.{group}"
        )
    return run_id


def complete(folder: Path) -> bool:
    """Whether a run was completed in `folder`, one that can be read or not."""
    return os.path.lexists(folder / INFO)


def remedy(folder: Path) -> str:
    if folder.parent.name == SHIPPED:
        return "It came with the project: get its files from there again."
    return "Restore the file, or delete the run and train it again."
