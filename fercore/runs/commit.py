"""By which code a run was made: the commit, and whether the code had been changed since."""

import subprocess
from pathlib import Path

CHANGED = "-dirty"  # at the end of a commit: the code was in none
THEN = " then "  # between two commits, where a training was resumed by other code


def git_commit() -> str | None:
    """The code's commit, with '-dirty' where the package was changed since.

    None outside a checkout of its own: the commit of a project that fercore is installed into says
    nothing about fercore.
    """
    try:
        if Path(_git("rev-parse", "--show-toplevel")) != _package().parent:
            return None
        changed = _git("status", "--porcelain", "--", ".")
        return _git("describe", "--always", "--abbrev=12") + (CHANGED if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def from_uncommitted_code(commit: str | None) -> bool:
    """Whether the code had been changed since a run's commit, or one of those that trained it."""
    return CHANGED in (commit or "")


def _package() -> Path:
    return Path(__file__).resolve().parents[1]


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_package()), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
