"""Parsed datasets, kept in the platform's cache folder and memory-mapped from there.

An entry's key is a hash over the source's path, size and modification time (for a folder, those
of every file in it), so that looking one up does not mean reading the source again.
`FERCORE_CACHE` moves the folder.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import platformdirs

from fercore.data.faceset import FaceSet
from fercore.errors import DataError
from fercore.files import read_json, remove_folder, write_json
from fercore.labels import CLASSES, SIZE, USAGES
from fercore.paths import files_below
from fercore.shapes import misfit, text

FORMAT = 2  # of what is read from a source: another one, and it is read again
_ARRAYS = {"images": "u1", "labels": "i8", "usage": "U", "row": "i8"}
_META = {"name": text, "fingerprint": text, "source": text, "notes": [text]}
_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    return Path(os.environ.get("FERCORE_CACHE") or platformdirs.user_cache_dir("fercore"))


def source_key(
    path: Path, reading: str = "", *, searched: Callable[[int], None] = lambda files: None
) -> str:
    """Key of the cache entry for a source that exists; `reading` says how else it is read.

    For `searched` see `files_below`. Raises `DataError` for a folder of too many files, and where
    a file cannot be looked at.
    """
    path = path.resolve()
    digest = hashlib.sha256(os.fsencode(f"{FORMAT}:{path}"))
    for file in files_below(path, searched=searched).files if path.is_dir() else [path]:
        try:
            stat = file.stat()
        except OSError as error:
            raise DataError(f"{file}: it cannot be read ({error.strerror or error}).") from error
        digest.update(os.fsencode(f"{file}:{stat.st_size}:{stat.st_mtime_ns};"))
    digest.update(reading.encode())
    return digest.hexdigest()[:24]


def read_entry(key: str) -> FaceSet | None:
    """The cached dataset, its images memory-mapped; None where there is none that is whole."""
    folder = _datasets() / key
    try:
        meta = read_json(folder / "meta.json")
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "images" else None)
            for name in _ARRAYS
        }
    except (OSError, ValueError, EOFError, SyntaxError, TokenError):  # np.load's, of what is odd
        return None
    if misfit(meta, _META) or not _whole(arrays):
        return None
    try:
        return FaceSet(**arrays, **meta | {"notes": tuple(meta["notes"])})
    except TypeError:  # another version's
        return None


def _whole(arrays: dict[str, np.ndarray]) -> bool:
    """Whether these are arrays of one dataset, as `write_entry` stores them."""
    if any(kind not in arrays[name].dtype.str for name, kind in _ARRAYS.items()):
        return False
    count, labels = len(arrays["images"]), arrays["labels"]
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != dict.fromkeys(_ARRAYS, (count,)) | {"images": (count, SIZE, SIZE)} or not count:
        return False
    known = set(np.unique(arrays["usage"]).tolist()) <= set(USAGES)
    return known and labels.min() >= 0 and labels.max() < len(CLASSES)


def write_entry(key: str, faces: FaceSet) -> FaceSet:
    """Store a dataset whole or not at all, and return it as later loads will see it.

    Where nothing can be written it stays in memory, and the log says so once.
    """
    try:
        _store(key, faces)
    except OSError as error:
        tell_unwritable(cache_folder(), error.strerror or str(error))
    return read_entry(key) or faces


@lru_cache(maxsize=100)
def tell_unwritable(folder: Path, reason: str) -> None:
    """Log, once, that nothing is kept in the cache."""
    _log.warning(
        "%s: nothing can be kept there (%s), so it is computed anew each time. Make the folder "
        "writable, or name another in FERCORE_CACHE.",
        folder,
        reason,
    )


def _store(key: str, faces: FaceSet) -> None:
    _datasets().mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=_datasets()))
    try:
        for name in _ARRAYS:
            np.save(temporary / f"{name}.npy", getattr(faces, name))
        write_json(
            temporary / "meta.json", {k: v for k, v in vars(faces).items() if k not in _ARRAYS}
        )
        if os.path.lexists(_datasets() / key) and read_entry(key) is None:  # damaged
            remove_folder(_datasets() / key)
        temporary.rename(_datasets() / key)
    except OSError:
        if read_entry(key) is None:  # else another process was first
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def entries() -> dict[str, dict[str, Any]]:
    """The cached datasets, the newest first: key → name, fingerprint, source, notes."""
    return {folder.name: meta for folder, meta in reversed(_entries())}


def forget(source: Path) -> None:
    """Delete what is cached of a source, as it is now and as it once was."""
    for folder, meta in _entries():
        if Path(meta["source"]).resolve() == source.resolve():
            remove_folder(folder)


def latest_fer2013() -> str | None:
    """Key of the newest cached dataset that is FER2013, by its name."""
    return next((folder.name for folder in _fer2013()), None)


def read_fer2013() -> FaceSet | None:
    """The newest cached FER2013 that is whole; None where none is cached.

    Raises `DataError` where all that are cached are damaged.
    """
    folders = _fer2013()
    found = next(filter(None, (read_entry(folder.name) for folder in folders)), None)
    if folders and found is None:
        raise DataError(
            f"{folders[0]}: the cached FER2013 is damaged. Delete that folder, and give the path "
            "of fer2013.csv with --data, FERCORE_DATA or in the sidebar."
        )
    return found


def _fer2013() -> list[Path]:
    """The folders of cached datasets called FER2013, the newest first."""
    folders = [folder for folder, meta in _entries() if meta["name"] == "FER2013"]
    return folders[::-1]


def _entries() -> list[tuple[Path, dict[str, Any]]]:
    """The folders of cached datasets with their description, the oldest first."""
    found = []
    for path in _datasets().glob("[!.]*/meta.json"):
        try:
            meta, written = read_json(path), path.stat().st_mtime
        except (OSError, ValueError):
            continue
        if not misfit(meta, _META):
            found.append((written, path.parent, meta))
    return [(folder, meta) for _, folder, meta in sorted(found, key=lambda one: one[:2])]


def _datasets() -> Path:
    return cache_folder() / "datasets"
