"""Which paths of this machine may be named in the app.

All of them, where it serves this machine only. Where others are served, or may be
(`FERCORE_ALLOW_WRITE=1`, a sign-in), those under the folders that whoever runs it names in
`FERCORE_FOLDERS`, as `PATH` lists them; links that lead out of them are not followed. Uploads need
no folder.
"""

import os
from collections.abc import Callable
from pathlib import Path

from dashboard.base.access import ALLOW, serves_this_machine_only, sign_in_configured
from fercore.errors import DataError
from fercore.paths import files_below, printable

FOLDERS = "FERCORE_FOLDERS"


def allowed_path(path: Path, *, searched: Callable[[int], object] = lambda files: None) -> Path:
    """`path`, where it may be read from here, links followed.

    `searched` is that of `files_below`. Raises `DataError` elsewhere: one sentence for what may not
    be read and for what is not there, so that it tells nothing of either; and where something below
    `path` is a link that leads out.
    """
    if _all_open():
        return path
    folders = _folders()
    real = _real(path, folders)
    if not real or not _inside(real, folders) or not os.path.exists(real):
        raise DataError(
            "Nothing that may be read from here is at this path. Whoever runs this app names the "
            f"folders that may, in {FOLDERS}."
        )
    if real.is_dir() and (out := _way_out(real, folders, searched)):
        raise DataError(
            f"'{out}' leads to where nothing may be read from here. Whoever runs this app can name "
            f"that folder too, in {FOLDERS}."
        )
    return real


def _all_open() -> bool:
    return serves_this_machine_only() and not os.environ.get(ALLOW) and not sign_in_configured()


def _folders() -> list[Path]:
    named = os.environ.get(FOLDERS, "").split(os.pathsep)
    return [Path(folder).expanduser().resolve() for folder in named if folder.strip()]


def _real(path: Path, folders: list[Path]) -> Path | None:
    """Where a path leads. On another drive than the folders' nothing is asked.

    Windows would sign in at any computer that is named as `\\\\computer\\share`.
    """
    if path.drive.casefold() not in {"", *(folder.drive.casefold() for folder in folders)}:
        return None
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name that cannot be one
        return None


def _inside(real: Path, folders: list[Path]) -> bool:
    return any(real.is_relative_to(folder) for folder in folders)


def _way_out(folder: Path, folders: list[Path], searched: Callable[[int], object]) -> str | None:
    """The first file or folder below that lies elsewhere than its name says, outside `folders`."""
    files = files_below(folder, searched=searched).files
    places = {file.parent for file in files} | {file for file in files if file.is_symlink()}
    for place in sorted(places):
        if not _inside(place.resolve(), folders):
            return printable(place.relative_to(folder).as_posix())
    return None
