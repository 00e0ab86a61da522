"""Cached reading of runs and images. Nothing here imports torch, except `predictor`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from fercore import data
from fercore.data import FaceSet
from fercore.data.cache import latest_fer2013, source_key
from fercore.data.stored_faces import find_stored
from fercore.errors import DataError
from fercore.labels import SIZE
from fercore.runs.artifacts import Run, find_run, list_runs
from fercore.scoring import evaluation
from fercore.scoring.evaluation import Comparison, class_table, compare
from fercore.scoring.predictions import Predictions


def runs() -> list[Run]:
    """Every complete run, shipped first."""
    return list_runs()


def predictions(run: Run, part: str) -> Predictions:
    return _predictions(run.run_id, run.info["created"], part)


@st.cache_resource(max_entries=60, show_spinner=False)
def _predictions(run_id: str, created: str, part: str) -> Predictions:
    return find_run(run_id).predictions(part)


def metrics(run: Run) -> dict:
    """Stored headline metrics, by part; parts without images are left out."""
    return _metrics(run.run_id, run.info["created"])


@st.cache_data(max_entries=60, show_spinner=False)
def _metrics(run_id: str, created: str) -> dict:
    return find_run(run_id).metrics()


def history(run: Run) -> pd.DataFrame:
    """One line per epoch."""
    return _history(run.run_id, run.info["created"])


@st.cache_data(max_entries=60, show_spinner=False)
def _history(run_id: str, created: str) -> pd.DataFrame:
    return find_run(run_id).history()


def classes(run: Run, part: str) -> pd.DataFrame:
    """Per-class metrics with intervals."""
    return _classes(run.run_id, run.info["created"], part)


@st.cache_data(max_entries=60, show_spinner=False)
def _classes(run_id: str, created: str, part: str) -> pd.DataFrame:
    return class_table(_predictions(run_id, created, part))


def comparison(a: Run, b: Run, part: str) -> Comparison:
    """Paired comparison of two runs on the same images."""
    return compare(predictions(a, part), predictions(b, part))


def class_differences(a: Run, b: Run, part: str) -> pd.DataFrame:
    """A minus B per class, with paired intervals."""
    return _paired("class_differences", *identity(a), *identity(b), part)


def cell_differences(a: Run, b: Run, part: str) -> pd.DataFrame:
    """A against B in every cell of the confusion matrix."""
    return _paired("cell_differences", *identity(a), *identity(b), part)


@st.cache_data(max_entries=60, show_spinner=False)
def _paired(measure: str, a: str, created_a: str, b: str, created_b: str, part: str):
    tables = _predictions(a, created_a, part), _predictions(b, created_b, part)
    return getattr(evaluation, measure)(*tables)


def samples(a: Run, b: Run | None, part: str) -> pd.DataFrame:
    """One line per image: what A, and B where given, say of it."""
    return _samples(*identity(a), *(identity(b) if b else (None, None)), part)


@st.cache_data(max_entries=20, show_spinner=False)
def _samples(a: str, created_a: str, b: str | None, created_b: str | None, part: str):
    of_b = _predictions(b, created_b, part) if b else None
    return evaluation.sample_table(_predictions(a, created_a, part), of_b)


def identity(run: Run) -> tuple[str, str]:
    """What tells a run from any other, one of the same name made later included."""
    return run.run_id, run.info["created"]


@dataclass(frozen=True)
class Images:
    """The pixels of a run's images, all or none.

    faces: uint8 (M, 48, 48). position: image hash → index in `faces`. missing: where there are
    none, a sentence that says why and what to do.
    """

    faces: np.ndarray
    position: dict[int, int]
    missing: str = ""

    def get(self, pixels: int) -> np.ndarray | None:
        index = self.position.get(int(pixels))
        return None if index is None else self.faces[index]


_NONE = np.empty((0, SIZE, SIZE), np.uint8)


class Source(NamedTuple):
    """Where images are read from, as `data.load` takes it; and what changes when the files do."""

    path: str | None
    stamp: str | None


def found_source() -> Path | str | None:
    """`data.find_source`; as if nothing was chosen where the settings are damaged, which the
    data panel says.
    """
    try:
        return data.find_source()
    except DataError:
        return None


def source_of(run: Run) -> Source:
    """Where the images a run was made on would be read from."""
    if run.dataset == data.SYNTHETIC:
        return Source(data.SYNTHETIC, None)
    path = find_stored(run.dataset) or found_source()
    return Source(str(path), stamp(path)) if path else Source(None, latest_fer2013())


def stamp(path: Path | str) -> str | None:
    """Another one whenever a file is another; in a folder that is looked up once a minute.

    None where nothing is there.
    """
    if path == data.SYNTHETIC or not os.path.exists(path):
        return None
    return _folder_stamp(str(path)) if os.path.isdir(path) else source_key(Path(path))


@st.cache_data(ttl=60, show_spinner=False)
def _folder_stamp(path: str) -> str:
    return source_key(Path(path))


def dataset(run: Run) -> FaceSet:
    """The dataset a run was made on, Training included. Raises `DataError` where it is not here."""
    return _dataset(source_of(run))


@st.cache_resource(max_entries=3, show_spinner="Reading the images …")
def _dataset(source: Source) -> FaceSet:
    return data.load(source.path)


def images(run: Run) -> Images:
    """The images that a run was scored on, looked up by their pixels' hashes."""
    source = source_of(run)
    if source == (None, None):
        return Images(_NONE, {}, _missing(run, others=False))
    try:
        found = _images(source, _dataset(source))
    except DataError as error:
        return Images(_NONE, {}, str(error))
    scored = [predictions(run, part).pixels for part in metrics(run)]
    if not any(int(pixels) in found.position for pixels in np.concatenate(scored)):
        return Images(_NONE, {}, _missing(run, others=True))
    return found


def _missing(run: Run, *, others: bool) -> str:
    """Why there are none; `others` says whether images of another dataset were found."""
    if run.dataset != "FER2013":
        return f"The images of {run.dataset} are not, or no more, on this machine."
    if others:
        return (
            "The dataset on this machine does not hold the images this run was scored on. Use the "
            "original fer2013.csv; its JPEG editions have other pixels."
        )
    return (
        "FER2013's images are not on this machine. Run `fercore data download`, or give the path "
        "of `fer2013.csv` in the sidebar under *Data*."
    )


@st.cache_resource(max_entries=3, show_spinner=False)
def _images(source: Source, _faces: FaceSet) -> Images:
    scored = _faces.where(_faces.usage != "Training")
    position = {int(pixels): index for index, pixels in enumerate(scored.pixel_hashes())}
    return Images(scored.images, position)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def predictor(run_id: str, created: str):
    """A run's model, ready to look at photos. Imports torch."""
    from fercore.predict.predictor import Predictor

    return Predictor.from_run(run_id)
