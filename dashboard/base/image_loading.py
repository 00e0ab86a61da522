"""Cached reading of the images that runs were made on, wherever they are on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.base.loading import KNOWN_BY, run_predictions
from dashboard.base.plain import plain
from dashboard.base.turns import out_of_turn
from fercore import data
from fercore.data import FaceSet, finding
from fercore.data.cache import entries, source_key
from fercore.errors import DataError
from fercore.groups.cells import Cell
from fercore.labels import SIZE
from fercore.runs import origin
from fercore.runs.artifacts import Run


@dataclass(frozen=True)
class Images:
    """The pixels of a run's images, as far as they are on this machine.

    faces: uint8 (M, 48, 48). position: image hash → index in `faces`. missing: where there are
    none, a sentence that says why and what to do. partly: where some are not here, how many are.
    """

    faces: NDArray[np.uint8]
    position: dict[int, int]
    missing: str = ""
    partly: str = ""

    def __contains__(self, pixels: int) -> bool:
        return int(pixels) in self.position

    def __getitem__(self, pixels: int) -> NDArray[np.uint8]:
        """The face uint8 (48, 48) with that hash."""
        return np.asarray(self.faces[self.position[int(pixels)]])

    def get(self, pixels: int) -> NDArray[np.uint8] | None:
        """The same; None where it is not here."""
        index = self.position.get(int(pixels))
        return None if index is None else np.asarray(self.faces[index])


_NONE = np.empty((0, SIZE, SIZE), np.uint8)

Place = tuple[str, str | None]  # a path or a cache entry's key, and what changes when it does


def found_source() -> Path | str | None:
    """`data.find_source`; as if nothing was chosen where the settings are damaged, which the
    data panel says.
    """
    try:
        return data.find_source()
    except DataError:
        return None


def places(run: Run) -> tuple[Place, ...]:
    """What there is on this machine to find a run's images in; another one when that changes."""
    read = tuple((key, meta["fingerprint"]) for key, meta in entries().items())
    return tuple((str(path), stamp(path)) for path in finding.places(run.dataset)) + read


def stamp(path: Path | str) -> str | None:
    """Another one whenever a file is another; in a folder that is looked up once a minute.

    None where nothing is there.
    """
    if path == data.SYNTHETIC or not os.path.exists(path):
        return None
    return _folder_stamp(str(path)) if os.path.isdir(path) else source_key(Path(path))


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def _folder_stamp(path: str) -> str:
    return source_key(Path(path))


def dataset(run: Run) -> FaceSet:
    """The dataset a run was made on, Training included, or the copy of it that is here.

    Raises `DataError` where none of the run's images is.
    """
    found = _dataset(run, places(run))
    if isinstance(found, str):
        raise DataError(found)
    return found


def _its_dataset(run: Run) -> tuple[str, str]:
    return run.dataset, run.info["dataset"]["fingerprint"]


@st.cache_resource(
    max_entries=4,
    show_spinner="Reading the images …",
    hash_funcs=dict.fromkeys((Run, Cell), _its_dataset),
)
@out_of_turn()
def _dataset(run: Run, where: tuple[Place, ...]) -> FaceSet | str:
    """The dataset, or why there is none: that is not looked for anew on every page either."""
    try:
        return origin.faces_of(run)
    except DataError as error:
        return str(error)


def images(run: Run) -> Images:
    """The images that a run was scored on, looked up by their pixels' hashes."""
    try:
        faces = dataset(run)
    except DataError as error:
        return Images(_NONE, {}, plain(error))
    return Images(faces.images, _position(faces), partly=_partly(run, faces))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def _partly(run: Run, faces: FaceSet) -> str:
    """How many of the images that a run was scored on are among some faces, where not all are."""
    position = _position(faces)
    scored = [run_predictions(run, part).pixels for part in ("public", "private")]
    here = [int(pixels) in position for pixels in np.concatenate(scored)]
    return "" if all(here) else plain(origin.partly(run, faces, sum(here), len(here)))


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=KNOWN_BY)
def _position(faces: FaceSet) -> dict[int, int]:
    return {int(pixels): index for index, pixels in enumerate(faces.pixel_hashes())}
