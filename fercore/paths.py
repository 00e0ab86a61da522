"""Paths as people give them, and the files that lie below one."""

import os
import re
from collections import deque
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple
from urllib.request import url2pathname


class Below(NamedTuple):
    """The files in a folder and below it, sorted, and sentences on what was not followed."""

    files: list[Path]
    notes: list[str]


def files_below(folder: Path) -> Below:
    """All files in a folder and below. Links to folders are followed, each folder once."""
    files, notes, seen = [], [], set()
    waiting, links = deque([folder]), deque()
    while waiting or links:
        place = waiting.popleft() if waiting else links.popleft()
        try:
            stat, entries = place.stat(), list(os.scandir(place))
        except OSError as error:
            notes.append(f"'{printable(place.name)}' cannot be opened ({error.strerror}).")
            continue
        if (stat.st_dev, stat.st_ino) in seen:
            name = printable(place.relative_to(folder).as_posix())
            notes.append(f"'{name}' is a link to a folder that is read already.")
            continue
        seen.add((stat.st_dev, stat.st_ino))
        for entry in sorted(entries, key=attrgetter("name")):
            path, link = place / entry.name, entry.is_symlink()
            if os.path.isdir(path) if link else entry.is_dir():
                (links if link else waiting).append(path)
            elif os.path.isfile(path) if link else entry.is_file():
                files.append(path)
            elif link:
                name = printable(path.relative_to(folder).as_posix())
                notes.append(f"'{name}' is a link to nothing.")
    return Below(sorted(files), notes)


def printable(name: str) -> str:
    """A file's name as it can be printed and stored, whatever its bytes are."""
    return name.encode("utf-8", "backslashreplace").decode()


def given_path(text: str | Path) -> Path:
    """The path that a person typed or pasted: in quotation marks, as `file://`, or with `~`."""
    if os.path.exists(text):  # whatever its name looks like
        return Path(text)
    path = str(text).strip()
    for first, last in ('""', "''", "“”", "„“", "‘’", "«»", "``"):
        if len(path) > 1 and path.startswith(first) and path.endswith(last):
            path = path[1:-1].strip()
    if path.lower().startswith("file:"):
        path = url2pathname(re.sub(r"(?i)^file:(//(localhost)?(?=/))?", "", path))
    return Path(os.path.expanduser(path))
