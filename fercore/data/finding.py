"""The faces that something was made on, wherever they are: by their fingerprint and their pixels.

Which dataset is chosen says what comes next, not what an earlier run was scored on.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercore.data import SYNTHETIC, cache, find_source, load, synthetic
from fercore.data.faceset import FaceSet
from fercore.data.stored_faces import find_stored
from fercore.errors import DataError

_FER2013_ABSENT = (
    "FER2013's images are not on this machine. Get them in the dashboard or by 'fercore data "
    "download', or give the path of fer2013.csv, under Data in the sidebar or with --data."
)
_FER2013_OTHER = (
    "The dataset on this machine does not hold the images this run was scored on. Use the "
    "original fer2013.csv; its JPEG editions have other pixels."
)


def find_faces(
    name: str,
    fingerprint: str,
    pixels: NDArray[np.int64],
    *,
    progress: Callable[[int], None] | None = None,
) -> FaceSet:
    """The dataset of that fingerprint; where there is none, the one that holds most of `pixels`.

    name: the dataset's. pixels (N,): hashes of the images looked for. It is looked for at `places`
    and in the cache; what lies there unread is read where nothing in the cache will do, with
    `progress` as in `load`. Raises `DataError` where nothing holds a single one of the images.
    """
    if name == SYNTHETIC:
        return synthetic()
    entries = cache.entries()
    same = [key for key, meta in entries.items() if meta["fingerprint"] == fingerprint]
    if found := next(filter(None, map(cache.read_entry, same)), None):
        return found
    candidates, problems = [], []
    for place in places(name):
        try:
            faces = load(place, progress=progress)
        except DataError as error:
            problems.append(error)
            continue
        if faces.fingerprint == fingerprint:
            return faces
        candidates.append(faces)
    candidates += filter(None, map(cache.read_entry, entries))
    held = [int(np.isin(pixels, faces.pixel_hashes()).sum()) for faces in candidates]
    if any(held):
        return candidates[int(np.argmax(held))]
    if name != "FER2013":
        raise DataError(f"The images of {name} are not, or no more, on this machine.")
    if any(faces.name == "FER2013" for faces in candidates):
        raise DataError(_FER2013_OTHER)
    cache.read_fer2013()  # raises where what is cached is damaged
    raise problems[0] if problems else DataError(_FER2013_ABSENT)


def places(name: str) -> list[Path]:
    """Where a dataset of that name may lie outside the cache: the chosen source, the kept faces."""
    found: list[str | Path | None] = [find_stored(name)]
    with suppress(DataError):  # the settings are damaged, which is told where one may choose
        found.insert(0, find_source())
    return [place for place in dict.fromkeys(found) if isinstance(place, Path)]
