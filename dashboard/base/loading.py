"""Cached reading of runs. Nothing here imports torch, except `predictor`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import streamlit as st

from dashboard.base.turns import out_of_turn
from fercore.analysis import relabelling, review
from fercore.analysis.relabelling import by_verdicts
from fercore.data import FaceSet
from fercore.data.votes import Votes
from fercore.errors import RunError
from fercore.groups.cells import Cell
from fercore.groups.finding import list_groups
from fercore.groups.group import Group, group_of
from fercore.runs.artifacts import Run
from fercore.runs.listing import Listing, look_through_runs
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


def _once(name: str, look: Callable[[], T]) -> T:
    """What there is on the disk; in callbacks, fragments and dialogs it is looked for anew."""
    known = _LISTED.get({})
    if name not in known:
        known[name] = look()
    found: T = known[name]
    return found


def _listing() -> Listing:
    return _once("runs", look_through_runs)


def runs() -> list[Run]:
    """Every complete run, shipped first."""
    return list(_listing().runs)


def unreadable_runs() -> list[str]:
    """A sentence for each complete run that cannot be read."""
    return list(_listing().problems)


def groups() -> list[Group]:
    """Every group of two seeds or more."""
    return list(_once("groups", lambda: list_groups(runs())))


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


@st.cache_resource(max_entries=4, show_spinner="Loading the model …", hash_funcs=KNOWN_BY)
@out_of_turn()
def predictor(run: Run) -> "Predictor":
    """A run's model, ready to look at photos. Imports torch."""
    from fercore.predict.predictor import Predictor

    return Predictor.from_run(run)
