"""Paths as people give them, and the files that lie below one."""

import os
import re
from collections import deque
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple
from urllib.request import url2pathname

from fercore.errors import DataError

MAX_DEPTH = 8  # levels below a folder that are looked into; a dataset's own are two or three
MAX_FILES = 300_000  # in and below a folder; the largest sets of faces have about as many
_TOLD_EACH = 1000  # files


class Below(NamedTuple):
    """The files in a folder and below it, sorted, and sentences on what was not followed."""

    files: list[Path]
    notes: list[str]


def files_below(folder: Path, *, searched: Callable[[int], object] = lambda files: None) -> Below:
    """All files in a folder and below. Links to folders are followed, each folder once.

    `searched` gets the number of files so far, now and then, and may end the search by raising.
    What lies deeper than `MAX_DEPTH` is left out, and said. Raises `DataError` where there are more
    than `MAX_FILES`.
    """
    files, notes = list[Path](), list[str]()
    seen: set[tuple[int, int]] = set()
    waiting, links = deque([(folder, 0)]), deque[tuple[Path, int]]()
    deeper = ""
    while waiting or links:
        place, depth = waiting.popleft() if waiting else links.popleft()
        name = printable(place.relative_to(folder).as_posix())
        if depth > MAX_DEPTH:
            deeper = deeper or name
            continue
        for entry in _entries(place, name, seen, notes):
            path, link = place / entry.name, entry.is_symlink()
            if os.path.isdir(path) if link else entry.is_dir():
                (links if link else waiting).append((path, depth + 1))
            elif os.path.isfile(path) if link else entry.is_file():
                files.append(path)
                if len(files) % _TOLD_EACH == 0:
                    searched(len(files))
            elif link:
                name = printable(path.relative_to(folder).as_posix())
                notes.append(f"'{name}' is a link to nothing.")
        if len(files) > MAX_FILES:
            raise DataError(
                f"{printable(str(folder))}: more than {MAX_FILES // 1000}\u2009000 files lie in it "
                "and below. Give the dataset's own folder."
            )
    if deeper:
        notes.append(
            f"What lies more than {MAX_DEPTH} folders deep is not looked at, such as '{deeper}'."
        )
    return Below(sorted(files), notes)


def _entries(
    place: Path, name: str, seen: set[tuple[int, int]], notes: list[str]
) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name, unless it was `seen`; or a note on why that is not told."""
    try:
        stat, entries = place.stat(), list(os.scandir(place))
    except OSError as error:
        notes.append(f"'{printable(place.name)}' cannot be opened ({error.strerror}).")
        return []
    if (stat.st_dev, stat.st_ino) in seen:
        notes.append(f"'{name}' is a link to a folder that is read already.")
        return []
    seen.add((stat.st_dev, stat.st_ino))
    return sorted(entries, key=attrgetter("name"))


def printable(name: str) -> str:
    """A file's name as it can be printed and stored, whatever its bytes are."""
    return name.encode("utf-8", "backslashreplace").decode()


def given_path(text: str | Path) -> Path:
    """The path that a person typed or pasted: in quotation marks, as `file://`, or with `~`."""
    remote = str(text).startswith(("\\\\", "//"))  # Windows would sign in at that computer
    if not remote and os.path.exists(text):  # whatever its name looks like
        return Path(text)
    path = str(text).strip()
    for first, last in ('""', "''", "“”", "„“", "‘’", "«»", "``"):
        if len(path) > 1 and path.startswith(first) and path.endswith(last):
            path = path[1:-1].strip()
    if path.lower().startswith("file:"):
        path = url2pathname(re.sub(r"(?i)^file:(//(localhost)?(?=/))?", "", path))
    return Path(os.path.expanduser(path))
