"""Parsed datasets, kept in the platform's cache folder and memory-mapped from there.

An entry's key is a hash over the source's path, size and modification time (for a folder, those
of every file in it), so that looking one up does not mean reading the source again.
`FERCORE_CACHE` moves the folder.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import platformdirs

from fercore.data.faceset import FaceSet
from fercore.files import read_json, remove_folder, write_json
from fercore.paths import files_below

FORMAT = 2  # of what is read from a source: another one, and it is read again
_ARRAYS = ("images", "labels", "usage", "row")


def cache_folder() -> Path:
    return Path(os.environ.get("FERCORE_CACHE") or platformdirs.user_cache_dir("fercore"))


def source_key(path: Path, reading: str = "") -> str:
    """Key of the cache entry for a source that exists; `reading` says how else it is read."""
    path = path.resolve()
    digest = hashlib.sha256(os.fsencode(f"{FORMAT}:{path}"))
    for file in files_below(path).files if path.is_dir() else [path]:
        stat = file.stat()
        digest.update(os.fsencode(f"{file}:{stat.st_size}:{stat.st_mtime_ns};"))
    digest.update(reading.encode())
    return digest.hexdigest()[:24]


def read_entry(key: str) -> FaceSet | None:
    """The cached dataset, its images memory-mapped; None where there is none."""
    folder = _datasets() / key
    if not (folder / "meta.json").is_file():
        return None
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r" if name == "images" else None)
        for name in _ARRAYS
    }
    meta = read_json(folder / "meta.json")
    return FaceSet(**arrays, **{**meta, "notes": tuple(meta["notes"])})


def write_entry(key: str, faces: FaceSet) -> FaceSet:
    """Store a dataset whole or not at all, and return it as later loads will see it."""
    _datasets().mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=_datasets()))
    try:
        for name in _ARRAYS:
            np.save(temporary / f"{name}.npy", getattr(faces, name))
        meta = {k: v for k, v in vars(faces).items() if k not in _ARRAYS}
        write_json(temporary / "meta.json", meta)
        temporary.rename(_datasets() / key)
    except OSError:
        if not (_datasets() / key / "meta.json").is_file():  # else another process was first
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return read_entry(key)


def forget(source: Path) -> None:
    """Delete what is cached of a source, as it is now and as it once was."""
    for meta in _datasets().glob("[!.]*/meta.json"):
        if Path(read_json(meta)["source"]).resolve() == source.resolve():
            remove_folder(meta.parent)


def latest_fer2013() -> str | None:
    """Key of the newest cached dataset that is FER2013, by its name."""
    metas = sorted(_datasets().glob("[!.]*/meta.json"), key=lambda p: p.stat().st_mtime)
    keys = [meta.parent.name for meta in metas if read_json(meta)["name"] == "FER2013"]
    return keys[-1] if keys else None


def _datasets() -> Path:
    return cache_folder() / "datasets"
