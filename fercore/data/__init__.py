"""Labelled faces: FER2013 in all its forms, anyone's own folders, and drawn ones.

`load()` is the door: it finds the source, reads it once, and memory-maps it afterwards.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from fercore.data import cache
from fercore.data.class_names import ClassNames, class_names
from fercore.data.faceset import FaceSet, face_set
from fercore.data.settings import chosen_class_names, chosen_data
from fercore.data.sources import read_source
from fercore.data.synthetic import synthetic
from fercore.data.validation import with_validation
from fercore.errors import DataError
from fercore.paths import given_path

__all__ = ["FaceSet", "face_set", "find_source", "load", "names_for", "read_before", "synthetic"]

SYNTHETIC: Final = "synthetic"  # the word that stands for the drawn set where a path is expected
Source = Literal["synthetic"] | Path | None  # None is FER2013, wherever it is found


def find_source(data: str | Path | None = None) -> Source:
    """Where the dataset is: `data`, then FERCORE_DATA, then the setting, else None.

    A path may be quoted, begin with `~`, or be a `file://`.
    """
    source = data or os.environ.get("FERCORE_DATA") or chosen_data()
    if source == SYNTHETIC:
        return SYNTHETIC
    return None if source is None else given_path(source)


def existing_source(data: str | Path | None = None) -> Source:
    """As `find_source`. Raises `DataError` where nothing is at the path."""
    source = find_source(data)
    # False also for a name too long and a folder closed to us
    if isinstance(source, Path) and not os.path.exists(source):
        raise DataError(f"{source}: there is no such file or folder. Check the path.")
    return source


def names_for(source: Path, given: ClassNames | str | None = None) -> ClassNames:
    """What a source's class names stand for: as given, else as chosen together with it."""
    if isinstance(given, ClassNames):
        return given
    return class_names(given or chosen_class_names(source))


def read_before(source: Path) -> FaceSet | None:
    """The dataset at a path that exists, where it was read before as it would be now."""
    return cache.read_entry(cache.source_key(source, str(names_for(source))))


def load(
    data: str | Path | None = None,
    *,
    names: ClassNames | str | None = None,
    validation: tuple[float, int] | None = None,
    progress: Callable[[int], None] | None = None,
) -> FaceSet:
    """The dataset at `data` (a path, or 'synthetic'), else wherever FER2013 is found.

    Looked for in FERCORE_DATA, the dashboard's setting, and the cache, in this order. The first
    load of a source parses it (`progress` gets the number of images so far, 0 while files are
    looked for, and may break it off by raising); later ones map the cache. `names` says what the
    source's own names for classes stand for, as a `ClassNames` or its specification ('raf-db',
    '1=surprise,contempt='); else the names chosen with it are used. `validation` is a share of
    Training, and the seed by which it is drawn, for a set without validation images. Raises
    `DataError` where nothing is found or the source is malformed, `ConfigError` for names or a
    share that make no sense.
    """
    if validation:
        return _split(data, names, validation, progress)
    source = existing_source(data)
    if source == SYNTHETIC:
        return synthetic()
    if source is None:
        faces = cache.read_fer2013()
        if faces is None:
            raise DataError(
                "FER2013 was not found. Give its path with --data or FERCORE_DATA, run "
                "'fercore data download', or use --data synthetic for drawn faces."
            )
        return faces
    names = names_for(source, names)
    searched = (lambda _: progress(0)) if progress else (lambda _: None)
    key = cache.source_key(source, str(names), searched=searched)
    return cache.read_entry(key) or cache.write_entry(
        key, read_source(source, names, progress=progress)
    )


def _split(
    data: str | Path | None,
    names: ClassNames | str | None,
    validation: tuple[float, int],
    progress: Callable[[int], None] | None,
) -> FaceSet:
    """The dataset with a validation part drawn from Training, in the cache as a set of its own."""
    faces, source = load(data, names=names, progress=progress), find_source(data)
    if not isinstance(source, Path):
        return with_validation(faces, *validation)
    share, seed = validation
    reading = f"{names_for(source, names)} validation {share} {seed}"
    key = cache.source_key(source, reading)
    return cache.read_entry(key) or cache.write_entry(key, with_validation(faces, share, seed))
