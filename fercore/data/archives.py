"""Zip, tar and gzip, read forward and within bounds. Nothing is ever extracted to disk."""

import gzip
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from fercore.data.bounds import (
    DAMAGED,
    MAX_NAMES,
    Bounded,
    Readable,
    bomb,
    check_names,
    damaged,
    expansion_limit,
    too_many,
    whole,
)
from fercore.errors import DataError
from fercore.paths import MAX_FILES

_BUFFER = 1 << 20
_MAX_HEADERS = 2 << 20  # bytes before one file of a tar: long names, a sparse file's map
_ENTRY = b"PK\1\2"  # what a file in a zip's table of contents begins with
# LZMA may ask for a dictionary of gigabytes, and few programs write it.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)


class Zip:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _check_contents(path)
            self._zip = zipfile.ZipFile(path)
        except (*DAMAGED, ValueError, NotImplementedError) as error:
            raise damaged(path) from error
        # PowerShell 5 writes backslashes between folders.
        members = [(m.filename.replace("\\", "/"), m) for m in self._zip.infolist()]
        members = [(name, member) for name, member in members if not name.endswith("/")]
        check_names(path, (name for name, _ in members))
        if sum(m.file_size for _, m in members) > expansion_limit(path):
            raise bomb(path)
        self.names = sorted(name for name, _ in members)
        self.notes: list[str] = []
        self._members = dict(members)

    def open(self, name: str) -> BufferedReader:
        member = self._members[name]
        try:
            if member.compress_type not in _METHODS:
                raise NotImplementedError
            stream = self._zip.open(member)
        except DAMAGED as error:
            raise damaged(self.path) from error
        except (RuntimeError, NotImplementedError) as error:
            raise DataError(
                f"{self.path}: '{name}' is encrypted or compressed in an uncommon way. Unpack the "
                "archive and give the folder."
            ) from error
        return _bounded(stream, self.path)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with self.open(name) as stream:
                yield name, whole(stream, self.path, name)

    def close(self) -> None:
        self._zip.close()


def _check_contents(path: Path) -> None:
    """Raise `DataError` where a zip's table of contents is too long, before it is all read."""
    tail = (64 << 10) + 200  # in which its end lies, behind a comment
    with path.open("rb") as stream:
        start = max(0, path.stat().st_size - tail)
        stream.seek(start)
        end = stream.read()
        small, large = end.rfind(b"PK\5\6"), end.rfind(b"PK\6\6")
        size = int.from_bytes(end[small + 12 : small + 16], "little") if small >= 0 else 0
        if large >= 0:
            size = max(size % 0xFFFFFFFF, int.from_bytes(end[large + 40 : large + 48], "little"))
        if size > MAX_NAMES:
            raise too_many(path)
        earliest = min((place for place in (small, large) if place >= 0), default=0)
        stream.seek(max(0, start + earliest - size))
        if stream.read().count(_ENTRY) > MAX_FILES:
            raise too_many(path)


class Tar:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.names: list[str] = []
        links, length = [], 0
        with self._members() as members:
            for member, content in members:
                if content:
                    self.names.append(member.name)
                elif member.issym() or member.islnk():
                    links.append(member.name)
                length += len(member.name)
                if length > MAX_NAMES:
                    raise too_many(path)
        self.names.sort()
        links.sort()
        told = f"It holds links, which are passed over: {', '.join(links[:5])}."
        self.notes = [told] if links else []
        check_names(path, self.names)

    @contextmanager
    def open(self, name: str) -> Iterator[BufferedReader]:
        """The first file of that name, as it streams by."""
        with self._members() as members:
            yield next(content for member, content in members if content and member.name == name)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = set(names)
        with self._members() as members:
            for member, content in members:
                if content and member.name in wanted:
                    yield member.name, whole(content, self.path, member.name)

    @contextmanager
    def _members(self) -> Iterator[Iterator[tuple[tarfile.TarInfo, BufferedReader | None]]]:
        """Each member with the content of a file, which is gone when the next one is asked for."""
        with gzip.open(self.path) if is_gzip(self.path) else self.path.open("rb") as stream:
            yield self._forward(Bounded(stream, self.path))

    def _forward(self, stream: Bounded) -> Iterator[tuple[tarfile.TarInfo, BufferedReader | None]]:
        limit = stream.bound
        stream.bound = min(limit, _MAX_HEADERS)
        try:
            with tarfile.open(fileobj=BufferedReader(stream, _BUFFER), mode="r|") as tar:
                for _ in range(MAX_FILES):
                    # tarfile reads whole what comes before a file, however long it says it is.
                    stream.bound = min(limit, tar.offset + _MAX_HEADERS)
                    member = tar.next()
                    if member is None:
                        return
                    if tar.offset > limit:  # which would be looked for, beyond any file's end
                        raise bomb(self.path)
                    content = tar.extractfile(member) if member.isfile() else None
                    stream.bound = limit
                    # These would grow with the archive, and are not asked again.
                    tar.members = []  # type: ignore[attr-defined]  # typeshed leaves it out
                    tar.pax_headers = {}
                    yield member, _bounded(content, self.path) if content else None
        except (*DAMAGED, ValueError, OverflowError, RecursionError) as error:
            raise damaged(self.path) from error
        raise too_many(self.path)


class Gzip:
    """A single file in gzip: its name is the archive's without '.gz'."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = [path.name.removesuffix(".gz")]
        self.notes: list[str] = []

    def open(self, name: str) -> BufferedReader:
        return _bounded(gzip.open(self.path), self.path)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for name in names:
            with self.open(name) as stream:
                yield name, whole(stream, self.path, name)


def is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def holds_tar(path: Path) -> bool:
    """Whether a gzip holds a tar, by its first block or its name."""
    try:
        with gzip.open(path) as stream:
            head = stream.read(512)
    except DAMAGED as error:
        raise damaged(path) from error
    return head[257:262] == b"ustar" or path.name.endswith((".tar.gz", ".tgz"))


def _bounded(stream: Readable, path: Path) -> BufferedReader:
    return BufferedReader(Bounded(stream, path), _BUFFER)
