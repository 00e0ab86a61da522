"""Results that take seconds and follow from files alone, kept so that a fresh server has them.

They lie in the cache folder under a hash of their inputs and of the code that computes them.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException

from fercore.data.cache import cache_folder, tell_unwritable
from fercore.files import appearing, remove_folder

Tables = dict[str, pd.DataFrame]
_NEWEST = 12  # of one name; older ones go


def kept(name: str, inputs: Iterable[str | bytes], compute: Callable[[], Tables]) -> Tables:
    """The tables of `compute`, from the cache folder where they are there for these inputs.

    A cache that cannot be read or written costs time and never a result; the log says so once.
    """
    folder = cache_folder() / "results" / f"{name}-{_digest(inputs)}"
    try:
        return _read(folder)
    except (OSError, ValueError, ArrowException):
        tables = compute()
    try:
        _write(folder, tables)
        _forget_older(folder.parent, name)
    except OSError as error:
        tell_unwritable(cache_folder(), error.strerror or str(error))
    return tables


def _read(folder: Path) -> Tables:
    files = list(folder.glob("*.parquet"))
    if not files:
        raise FileNotFoundError(folder)
    return {path.stem: pd.read_parquet(path) for path in files}


def _write(folder: Path, tables: Tables) -> None:
    _remove(folder)  # one that could not be read
    with suppress(FileExistsError), appearing(folder) as made:  # another thread may be first
        for name, table in tables.items():
            table.to_parquet(made / f"{name}.parquet")


def _forget_older(results: Path, name: str) -> None:
    with suppress(FileNotFoundError):  # another thread forgets them too
        own = sorted(results.glob(f"{name}-*"), key=lambda path: path.stat().st_mtime)
        for path in own[:-_NEWEST]:
            _remove(path)


def _remove(folder: Path) -> None:
    """At once, so that nobody reads the half of it."""
    with suppress(FileNotFoundError):
        remove_folder(folder)


def _digest(inputs: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256(_code())
    for value in inputs:
        digest.update(hashlib.sha256(value.encode() if isinstance(value, str) else value).digest())
    return digest.hexdigest()[:24]


@cache
def _code() -> bytes:
    """A hash of the package's source."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()
