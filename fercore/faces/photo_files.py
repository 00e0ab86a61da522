"""The photos among files: by their names in folders and archives, and what is passed over."""

import glob
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from fercore.faces.photos import SUFFIXES
from fercore.paths import files_below, printable
from fercore.wording import count

# Pictures that cannot be read: they are tried all the same, so that each is told by its name.
_FOREIGN = {
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2", ".raw", ".svg", ".psd", ".jp2",
    ".jxl", ".pgm", ".ppm", ".tga", ".ico", ".eps", ".pdf",
}  # fmt: skip
_PICTURES = SUFFIXES | _FOREIGN
_SYSTEM = {"thumbs.db", "desktop.ini", "ehthumbs.db"}  # what Windows leaves in folders of pictures
_LISTED = 10


class Listing(NamedTuple):
    """Photos, each once and in order; a sentence for each path that stands for nothing, and for
    what was passed over.
    """

    photos: list[Path]
    problems: list[str]
    notes: list[str]


def is_photo(name: str) -> bool:
    """Whether a name has a picture's suffix, readable or not, and no part of it is hidden."""
    return PurePosixPath(name).suffix.lower() in _PICTURES and not is_hidden(name)


def is_hidden(name: str) -> bool:
    """Whether a part of a path begins with a dot, or is of macOS's or Windows' own making."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return hidden or (bool(parts) and parts[-1].lower() in _SYSTEM)


def passed_over(names: Iterable[str]) -> list[str]:
    """A sentence that counts and names the files that are no pictures; hidden ones are not told."""
    others = sorted(name for name in names if not is_photo(name) and not is_hidden(name))
    if not others:
        return []
    are = "file is no picture and is" if len(others) == 1 else "files are no pictures and are"
    return [f"{count(len(others))} {are} passed over: {listed(others)}."]


def listed(names: list[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(map(printable, names[:_LISTED]))
    return f"{shown} and {count(len(names) - _LISTED)} more" if len(names) > _LISTED else shown


def find_photos(paths: Iterable[str | Path]) -> Listing:
    """The files that paths, folders and patterns stand for.

    A folder stands for every picture in it and below, by its suffix; hidden ones are left out, and
    files that are no pictures are noted. A pattern may hold `**`. A file that is named is taken
    whatever its suffix.
    """
    photos: dict[Path, None] = {}
    problems, notes = [], []
    for path in map(Path, paths):
        if path.is_dir():
            found, told = _pictures_below(path)
            notes += told
            missing = "no picture is in this folder."
        elif path.exists() or not glob.has_magic(str(path)):
            found, missing = [path], ""
        else:
            matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
            found = [match for match in matches if match.is_file()]
            missing = "no file matches this pattern."
        if not found:
            problems.append(f"{printable(str(path))}: {missing}")
        photos |= dict.fromkeys(found)
    return Listing(list(photos), problems, notes)


def _pictures_below(folder: Path) -> tuple[list[Path], list[str]]:
    below = files_below(folder)
    names = [file.relative_to(folder).as_posix() for file in below.files]
    notes = [f"{printable(str(folder))}: {note}" for note in (*passed_over(names), *below.notes)]
    return [folder / name for name in names if is_photo(name)], notes
