"""A folder, zip, tar or table seen as a flat list of files that is safe to read.

Archives are refused when a member's name climbs out of the archive, or when they would expand far
beyond what a face dataset needs.
"""

import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from pathlib import Path
from typing import Protocol

from fercore.data.archives import Gzip, Tar, Zip, holds_tar, is_gzip
from fercore.data.bounds import whole
from fercore.errors import DataError
from fercore.paths import files_below

_FOREIGN = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}  # what archives begin with


class Container(Protocol):
    """Files by name. `read` may yield in another order than asked: archives are read forward."""

    path: Path
    names: list[str]
    notes: list[str]  # sentences on what is in it and not among the names

    def open(self, name: str) -> AbstractContextManager[BufferedReader]: ...

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]: ...


class Folder:
    def __init__(self, path: Path, searched: Callable[[int], None] = lambda files: None) -> None:
        self.path = path
        files, self.notes = files_below(path, searched=searched)
        self.names = sorted(file.relative_to(path).as_posix() for file in files)

    def open(self, name: str) -> BufferedReader:
        return (self.path / name).open("rb")

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with self.open(name) as stream:
                yield name, whole(stream, self.path, name)


class SingleFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = [path.name]
        self.notes: list[str] = []

    def open(self, name: str) -> BufferedReader:
        return self.path.open("rb")

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        with self.path.open("rb") as stream:
            yield self.path.name, whole(stream, self.path, self.path.name)


def open_container(
    path: Path, *, searched: Callable[[int], None] = lambda files: None
) -> Container:
    """Tell by its content what `path` is. For `searched` see `files_below`.

    Raises `DataError` where it cannot be read.
    """
    if not os.path.exists(path):  # False also for a name too long and a folder closed to us
        raise DataError(f"{path}: there is no such file or folder. Check the path.")
    if path.is_dir():
        return Folder(path, searched)
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty. Download it again.")
    if kind := _foreign(path):
        raise DataError(
            f"{path}: archives of the kind {kind} are not read here. Unpack it and give the folder."
        )
    if zipfile.is_zipfile(path) or path.suffix == ".zip":
        return Zip(path)
    if is_gzip(path):
        return Tar(path) if holds_tar(path) else Gzip(path)
    if tarfile.is_tarfile(path):
        return Tar(path)
    return SingleFile(path)


def _foreign(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(8)
    return next((kind for sign, kind in _FOREIGN.items() if head.startswith(sign)), None)
