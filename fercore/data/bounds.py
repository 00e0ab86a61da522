"""How much an archive may ask for: of bytes, of files, of names. Reading stops where it is more."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from fercore.errors import DataError
from fercore.paths import MAX_FILES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_EXPANDED = 2 << 30  # bytes; FER2013 as text takes 0.3 GB
MAX_RATIO = 200  # FER2013 compresses about 3 times
FREE_BYTES = 100 << 20  # below this no ratio is suspicious
MAX_MEMBER = 100 << 20  # bytes of one picture; a table is read line by line
MAX_NAMES = 32 << 20  # bytes of all names, a zip's whole table of contents; 300 000 take as many

# What the readers of archives raise on damaged ones.
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError,
    OSError,
)  # fmt: skip


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Bounded(io.RawIOBase):
    """A stream that refuses to yield more bytes than an honest archive of its size would.

    bound: how many bytes it yields at most; who reads may lower it for a while.
    """

    def __init__(self, stream: Readable, path: Path) -> None:
        self._stream, self._path, self._read = stream, path, 0
        self.bound = expansion_limit(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        if self._read > self.bound:
            raise bomb(self._path)
        try:
            chunk = self._stream.read(len(view))
        except DAMAGED as error:
            raise damaged(self._path) from error
        self._read += len(chunk)
        if self._read > expansion_limit(self._path):
            raise bomb(self._path)
        view[: len(chunk)] = chunk
        return len(chunk)


def expansion_limit(path: Path) -> int:
    """How many bytes an archive may expand to."""
    return min(MAX_EXPANDED, max(FREE_BYTES, MAX_RATIO * path.stat().st_size))


def damaged(path: Path) -> DataError:
    return DataError(f"{path}: the archive is damaged or cut short. Download it again.")


def bomb(path: Path) -> DataError:
    return DataError(
        f"{path}: refused, because it expands to far more than a face dataset needs "
        f"(over {expansion_limit(path) >> 20} MB). Unpack it yourself if you trust it."
    )


def too_many(path: Path) -> DataError:
    return DataError(
        f"{path}: it holds more than {MAX_FILES // 1000}\u2009000 files, or very long names. Give "
        "the dataset alone."
    )


def whole(stream: Readable, path: Path, name: str) -> bytes:
    """All of a file that is no table."""
    content = stream.read(MAX_MEMBER + 1)
    if len(content) > MAX_MEMBER:
        raise DataError(
            f"{path}: '{name}' is larger than {MAX_MEMBER >> 20} MB, as no picture of a face is. "
            "Remove it."
        )
    return content


def check_names(path: Path, names: Iterable[str]) -> None:
    """Raise `DataError` where a member's name leads out of the archive."""
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name.split("/")[0]:
            raise DataError(
                f"{path}: refused, because its member '{name}' climbs out of the archive."
            )
