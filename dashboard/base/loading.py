"""Cached reading of runs and images. Nothing here imports torch, except `predictor`."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard.base.plain import plain
from fercore import data
from fercore.analysis import relabelling, review
from fercore.analysis.relabelling import by_verdicts
from fercore.data import FaceSet, finding
from fercore.data.cache import entries, source_key
from fercore.data.votes import Votes
from fercore.errors import DataError, RunError
from fercore.groups.cells import Cell
from fercore.groups.finding import list_groups
from fercore.groups.group import Group, group_of
from fercore.labels import SIZE
from fercore.runs import origin
from fercore.runs.artifacts import Run
from fercore.runs.listing import list_runs
from fercore.runs.parts import part_names
from fercore.scoring.grouped import comparison as paired
from fercore.scoring.grouped import evaluation
from fercore.scoring.grouped.comparison import GroupComparison
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.grouped.samples import sample_table
from fercore.scoring.labelling import Labelling
from fercore.scoring.predictions import PARTS, Predictions

if TYPE_CHECKING:
    from fercore.predict.predictor import Predictor

T = TypeVar("T")


_LISTED: ContextVar[dict[str, Any]] = ContextVar("what this run of the script has listed")


@contextmanager
def listed_once() -> Iterator[None]:
    """Over a run of the script: what is on the disk is looked through once in it."""
    token = _LISTED.set({})
    try:
        yield
    finally:
        _LISTED.reset(token)


def _once(name: str, listed: Callable[[], list[T]]) -> list[T]:
    """A list of its own for whoever asks; in callbacks, fragments and dialogs a fresh one."""
    known = _LISTED.get({})
    if name not in known:
        known[name] = listed()
    return list(known[name])


def runs() -> list[Run]:
    """Every complete run, shipped first."""
    return _once("runs", list_runs)


def groups() -> list[Group]:
    """Every group of two seeds or more."""
    return _once("groups", lambda: list_groups(runs()))


def models() -> list[Group]:
    """What A and B may be: the groups of seeds, then each run for itself."""
    return [*groups(), *map(group_of, runs())]


def identity(run: Run) -> tuple[str, str, str, str]:
    """What tells a run from any other, one of the same name made later included, and from itself
    scored against other labels or on another set.
    """
    labels = run.labelling.version if run.labelling else ""
    return run.run_id, str(run.info["created"]), labels, run.seen_on


# The `hash_funcs` of whatever is cached by a model, a dataset, its votes or a path.
KNOWN_BY: dict[str | type[Any], Callable[[Any], Any]] = {
    Run: identity,
    Cell: identity,
    Group: lambda group: group.identity,
    FaceSet: lambda faces: faces.fingerprint,
    Votes: lambda votes: votes.fingerprint,
    type(Path()): str,
}


def labelling(model: Group, labels: str) -> Labelling | None:
    """What a model is scored against. Raises what `relabelling.labelling` does."""
    if labels == "verdicts":  # they change
        return by_verdicts(review.verdicts())
    errors = []
    for run in model.members:
        try:
            return _labelling(run, labels)
        except RunError as error:  # it cannot be read, perhaps: the others have the same images
            errors.append(error)
    raise errors[0]


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def _labelling(run: Run, labels: str) -> Labelling | None:
    return relabelling.labelling(labels, run.dataset, run.stored_frame)


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def predictions(model: Group, part: str) -> GroupPredictions:
    """What a group's seeds say of the images of a part."""
    return model.predictions(part)


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def run_predictions(run: Run, part: str) -> Predictions:
    """What a run says of the images of a part."""
    return run.predictions(part)


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def left_out(run: Run, part: str) -> int:
    """How many images of a part have none of the labels that a run is scored against."""
    return run.left_out(part)


def every_part() -> dict[str, str]:
    """What *Images* may be, in words: a run's own parts, then the other sets that runs know."""
    others = sorted({name for run in runs() for name in part_names(run)})
    return PARTS | {name: name for name in others}


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def metrics(run: Run) -> dict[str, Any]:
    """Stored headline metrics, by part; parts without images are left out."""
    return run.metrics()


def is_scored(model: Group, part: str) -> bool:
    """Whether there are predictions on the images of a part."""
    if model.single:
        return part in metrics(model.run)
    try:
        return len(predictions(model, part)) > 0
    except RunError:
        return False


@st.cache_data(max_entries=120, show_spinner=False, hash_funcs=KNOWN_BY)
def scores(model: Group, part: str) -> dict[str, Any]:
    """Headline metrics on a part: a run's as they are stored, a group's over its seeds."""
    stored: dict[str, Any] = metrics(model.run)[part] if model.single else {}
    return stored or evaluation.evaluate(predictions(model, part))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def history(run: Run) -> pd.DataFrame:
    """One line per epoch."""
    return run.history()


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def histories(model: Group) -> pd.DataFrame:
    """One line per epoch and seed."""
    return model.histories()


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def classes(model: Group, part: str) -> pd.DataFrame:
    """Per-class metrics with intervals."""
    return evaluation.class_table(predictions(model, part))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def class_values(model: Group, part: str) -> pd.DataFrame:
    """Per-class metrics of each seed."""
    return evaluation.class_values(predictions(model, part))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def comparison(a: Group, b: Group, part: str) -> GroupComparison:
    """Paired comparison on the same images."""
    return paired.compare(predictions(a, part), predictions(b, part))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def class_differences(a: Group, b: Group, part: str) -> pd.DataFrame:
    """A minus B per class, with paired intervals."""
    return evaluation.class_differences(predictions(a, part), predictions(b, part))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def cell_differences(a: Group, b: Group, part: str) -> pd.DataFrame:
    """A against B in every cell of the confusion matrix."""
    return evaluation.cell_differences(predictions(a, part), predictions(b, part))


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs=KNOWN_BY)
def samples(a: Group, b: Group | None, part: str) -> pd.DataFrame:
    """One line per image: what A, and B where given, say of it."""
    return sample_table(predictions(a, part), predictions(b, part) if b else None)


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


@st.cache_resource(max_entries=4, show_spinner="Loading the model …", hash_funcs=KNOWN_BY)
def predictor(run: Run) -> "Predictor":
    """A run's model, ready to look at photos. Imports torch."""
    from fercore.predict.predictor import Predictor

    return Predictor.from_run(run)
