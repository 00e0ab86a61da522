"""Which paths of this machine may be named in the app.

All of them, where it serves this machine only. Where others are served, or may be
(`FERCORE_ALLOW_WRITE=1`, a sign-in), those under the folders that whoever runs it names in
`FERCORE_FOLDERS`, as `PATH` lists them. Uploads need no folder.
"""

import os
from pathlib import Path

from dashboard.base.access import ALLOW, serves_this_machine_only, sign_in_configured
from fercore.errors import DataError

FOLDERS = "FERCORE_FOLDERS"


def allowed_path(path: Path) -> Path:
    """`path`, where it may be read from here, links followed.

    Raises `DataError` elsewhere: one sentence for what may not be read and for what is not there,
    so that it tells nothing of either.
    """
    if _all_open():
        return path
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, a name that cannot be one
        real = None
    if real and any(real.is_relative_to(folder) for folder in _folders()) and real.exists():
        return real
    raise DataError(
        "Nothing that may be read from here is at this path. Whoever runs this app names the "
        f"folders that may, in {FOLDERS}."
    )


def _all_open() -> bool:
    return serves_this_machine_only() and not os.environ.get(ALLOW) and not sign_in_configured()


def _folders() -> list[Path]:
    named = os.environ.get(FOLDERS, "").split(os.pathsep)
    return [Path(folder).expanduser().resolve() for folder in named if folder.strip()]
