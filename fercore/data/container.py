"""A folder, zip or tar seen as a flat list of files that is safe to read.

Nothing is ever extracted to disk. Archives are refused when a member's name climbs out
of the archive, or when they would expand far beyond what a face dataset needs.
"""

import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from fercore.errors import DataError
from fercore.paths import MAX_FILES, files_below

MAX_EXPANDED = 2 << 30  # bytes; FER2013 as text takes 0.3 GB
MAX_RATIO = 200  # FER2013 compresses about 3 times
FREE_BYTES = 100 << 20  # below this no ratio is suspicious
MAX_MEMBER = 200 << 20  # bytes of one picture; a table is read line by line
MAX_DIRECTORY = 32 << 20  # bytes of a zip's table of contents; 300 000 names take about as many

_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError,
    OSError,
)  # fmt: skip
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

    def open(self, name: str) -> BinaryIO: ...

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]: ...


class Bounded(io.RawIOBase):
    """A stream that refuses to yield more bytes than an honest archive of its size would."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream, self._path, self._read = stream, path, 0
        self._limit = expansion_limit(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            chunk = self._stream.read(len(buffer))
        except _DAMAGED as error:
            raise damaged(self._path) from error
        self._read += len(chunk)
        if self._read > self._limit:
            raise _bomb(self._path)
        buffer[: len(chunk)] = chunk
        return len(chunk)


def expansion_limit(path: Path) -> int:
    """How many bytes an archive may expand to."""
    return min(MAX_EXPANDED, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))


def damaged(path: Path) -> DataError:
    return DataError(f"{path}: the archive is damaged or cut short. Download it again.")


def _bomb(path: Path) -> DataError:
    return DataError(
        f"{path}: refused, because it expands to far more than a face dataset needs "
        f"(over {expansion_limit(path) >> 20} MB). Unpack it yourself if you trust it."
    )


def _too_many(path: Path) -> DataError:
    return DataError(
        f"{path}: it holds more than {MAX_FILES // 1000}\u2009000 files. Give the dataset alone."
    )


def _whole(stream: BinaryIO, path: Path, name: str) -> bytes:
    """All of a file that is no table."""
    content = stream.read(MAX_MEMBER + 1)
    if len(content) > MAX_MEMBER:
        raise DataError(
            f"{path}: '{name}' is larger than {MAX_MEMBER >> 20} MB, as no picture of a face is. "
            "Remove it."
        )
    return content


def _directory_size(path: Path) -> int:
    """Of a zip's table of contents in bytes, as its end says, before it is read into memory."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - (64 << 10) - 200))
        end = stream.read()
    small, large = end.rfind(b"PK\5\6"), end.rfind(b"PK\6\6")
    size = int.from_bytes(end[small + 12 : small + 16], "little") if small >= 0 else 0
    if large >= 0:
        size = max(size % 0xFFFFFFFF, int.from_bytes(end[large + 40 : large + 48], "little"))
    return size


def _check_names(path: Path, names: Iterable[str]) -> None:
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name.split("/")[0]:
            raise DataError(
                f"{path}: refused, because its member '{name}' climbs out of the archive."
            )


class Folder:
    def __init__(self, path: Path, searched: Callable[[int], None] = lambda files: None) -> None:
        self.path = path
        files, self.notes = files_below(path, searched=searched)
        self.names = sorted(file.relative_to(path).as_posix() for file in files)

    def open(self, name: str) -> BinaryIO:
        return (self.path / name).open("rb")

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with self.open(name) as stream:
                yield name, _whole(stream, self.path, name)


class Zip:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if _directory_size(path) > MAX_DIRECTORY:
                raise _too_many(path)
            self._zip = zipfile.ZipFile(path)
        except (*_DAMAGED, ValueError, NotImplementedError) as error:
            raise damaged(path) from error
        # PowerShell 5 writes backslashes between folders.
        members = [(m.filename.replace("\\", "/"), m) for m in self._zip.infolist()]
        members = [(name, member) for name, member in members if not name.endswith("/")]
        _check_names(path, (name for name, _ in members))
        if sum(m.file_size for _, m in members) > expansion_limit(path):
            raise _bomb(path)
        self.names, self.notes = sorted(name for name, _ in members), []
        self._members = dict(members)

    def open(self, name: str) -> BinaryIO:
        try:
            member = self._zip.open(self._members[name])
        except _DAMAGED as error:
            raise damaged(self.path) from error
        except (RuntimeError, NotImplementedError) as error:
            raise DataError(
                f"{self.path}: '{name}' is encrypted or compressed in an uncommon way. Unpack the "
                "archive and give the folder."
            ) from error
        return io.BufferedReader(Bounded(member, self.path), 1 << 20)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with self.open(name) as stream:
                yield name, _whole(stream, self.path, name)

    def close(self) -> None:
        self._zip.close()


class Tar:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.names, links = [], []
        with self._members() as members:
            for member in members:
                if member.isfile():
                    self.names.append(member.name)
                elif member.issym() or member.islnk():
                    links.append(member.name)
        self.names.sort()
        links.sort()
        self.notes = [f"It holds links, which are passed over: {', '.join(links[:5])}."] * any(
            links
        )
        _check_names(path, self.names)

    @contextmanager
    def _members(self) -> Iterator[Iterator[tarfile.TarInfo]]:
        opener = gzip.open if path_is_gzip(self.path) else open
        with opener(self.path, "rb") as raw:
            stream = io.BufferedReader(Bounded(raw, self.path), 1 << 20)
            try:
                with tarfile.open(fileobj=stream, mode="r|") as tar:
                    self._tar = tar
                    yield self._forward(tar)
            except _DAMAGED as error:
                raise damaged(self.path) from error

    def _forward(self, tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        for number, member in enumerate(tar):
            if number >= MAX_FILES:
                raise _too_many(self.path)
            tar.members = []  # which would grow with the archive, and is not asked again
            yield member

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(next(content.read() for _, content in self._contents([name])))

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name, content in self._contents(names):
            yield name, _whole(content, self.path, name)

    def _contents(self, names: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        wanted = set(names)
        with self._members() as members:
            for member in members:
                if member.isfile() and member.name in wanted:
                    yield member.name, self._tar.extractfile(member)


class Gzip:
    """A single file in gzip: its name is the archive's without '.gz'."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names, self.notes = [path.name.removesuffix(".gz")], []

    def open(self, name: str) -> BinaryIO:
        return io.BufferedReader(Bounded(gzip.open(self.path), self.path), 1 << 20)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with self.open(name) as stream:
                yield name, _whole(stream, self.path, name)


class SingleFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.names, self.notes = [path.name], []

    def open(self, name: str) -> BinaryIO:
        return self.path.open("rb")

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        with self.path.open("rb") as stream:
            yield self.path.name, _whole(stream, self.path, self.path.name)


def path_is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


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
    if path_is_gzip(path):
        return Tar(path) if _holds_tar(path) else Gzip(path)
    if tarfile.is_tarfile(path):
        return Tar(path)
    return SingleFile(path)


def _foreign(path: Path) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(8)
    return next((kind for sign, kind in _FOREIGN.items() if head.startswith(sign)), None)


def _holds_tar(path: Path) -> bool:
    try:
        with closing(gzip.open(path)) as stream:
            head = stream.read(512)
    except _DAMAGED as error:
        raise damaged(path) from error
    return head[257:262] == b"ustar" or path.name.endswith((".tar.gz", ".tgz"))
