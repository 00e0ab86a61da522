"""Labelled faces: FER2013 in all its forms, anyone's own folders, and drawn ones.

`load()` is the door: it finds the source, reads it once, and memory-maps it afterwards.
"""

import os
from collections.abc import Callable
from pathlib import Path

from fercore.data import cache
from fercore.data.faceset import FaceSet, face_set
from fercore.data.settings import chosen_data
from fercore.data.sources import read_source
from fercore.data.synthetic import synthetic
from fercore.errors import DataError

__all__ = ["FaceSet", "face_set", "find_source", "load", "synthetic"]

SYNTHETIC = "synthetic"  # the word that stands for the drawn set where a path is expected


def find_source(data: str | Path | None = None) -> str | Path | None:
    """Where the dataset is: `data`, then FERCORE_DATA, then the setting, else None."""
    source = data or os.environ.get("FERCORE_DATA") or chosen_data()
    return source if source in (None, SYNTHETIC) else Path(source)


def load(
    data: str | Path | None = None, *, progress: Callable[[int], None] | None = None
) -> FaceSet:
    """The dataset at `data` (a path, or 'synthetic'), else wherever FER2013 is found.

    Looked for in FERCORE_DATA, the dashboard's setting, and the cache, in this order. The first
    load of a source parses it (`progress` gets the number of images so far); later ones map the
    cache. Raises `DataError` where nothing is found or the source is malformed.
    """
    source = find_source(data)
    if source == SYNTHETIC:
        return synthetic()
    if source is None:
        key = cache.latest_fer2013()
        if key is None:
            raise DataError(
                "FER2013 was not found. Give its path with --data or FERCORE_DATA, run "
                "'fercore data download', or use --data synthetic for drawn faces."
            )
        return cache.read_entry(key)
    if not os.path.exists(source):  # False also for a name too long and a folder closed to us
        raise DataError(f"{source}: there is no such file or folder. Check the path.")
    key = cache.source_key(source)
    return cache.read_entry(key) or cache.write_entry(key, read_source(source, progress=progress))
