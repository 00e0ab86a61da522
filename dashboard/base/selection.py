"""What is being looked at: models, images, cell, confidence, slice. One state, also in the URL.

Every `st.session_state` key that pages share is declared here. The query parameters of the same
names (see `parameters`) restore the view on any page.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from fercore.errors import DataError, RunError
from fercore.groups.group import Group, group_of
from fercore.runs.artifacts import Run
from fercore.runs.ensemble import members_of
from fercore.runs.words import seed_title
from fercore.scoring.predictions import PARTS

MODEL_A, MODEL_B, PART, TRUE = "a", "b", "part", "true"
LABELS = "labels"  # what is right: one of `labelling.LABELS`
PREDICTED, PREDICTED_B = "predicted", "predicted_b"  # what A says, what B says
CONFIDENCE = "confidence"  # percent, from and to
SLICE = "slice"  # 'property: name'
WHICH = "which"  # one of `VIEWS`
SEEDS_WRONG = "seeds-wrong"  # percent of a group's seeds, from and to
METRIC = "metric"  # one of `CLASS_METRICS`
LASSO = "lasso"  # indices, in the sample table, of the faces marked on the embedding's map
FACE = "face"  # the row of the face that is open, or None
ORDER_OF_FACE = "order-of-face"  # which of the page's orders it was opened from
_CLEARS = "times-cleared"
NO_MODEL, ANY = "none", "any"
WHOLE_RANGE = (0, 100)


@dataclass(frozen=True)
class Selection:
    """What the sidebar's widgets say. `b` is None where only one model is looked at.

    true: the label; predicted, predicted_b: what A and B say; a class each, or 'any'. confidence:
    percent, from and to, of the model `of`. slice: 'property: name', or 'any'.
    """

    a: Group
    b: Group | None
    part: str
    true: str = ANY
    predicted: str = ANY
    predicted_b: str = ANY
    confidence: tuple[int, int] = WHOLE_RANGE
    slice: str = ANY
    of: str = "a"

    @cached_property
    def models(self) -> dict[str, Group]:
        """'A' and, where there is one, 'B'."""
        return {"A": self.a} | ({"B": self.b} if self.b else {})

    @property
    def runs(self) -> dict[str, Run]:
        """Of each its only run, or the one that is the median of its seeds on PublicTest."""
        return {key: model.run for key, model in self.models.items()}

    @property
    def paired_models(self) -> dict[str, Group]:
        """Those of them that a table of images holds: B only where it is about the same images."""
        return self.models if self.pair else {"A": self.a}

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from another selection."""
        models = [str(model.identity) for model in self.models.values()]
        return *models, self.part, self.words

    @property
    def labels(self) -> str:
        """What is right, a key of `labelling.LABELS`."""
        return self.a.labelling.name if self.a.labelling else "dataset"

    @property
    def part_name(self) -> str:
        if self.part not in PARTS:
            return plain(self.a.dataset)
        name = PARTS[self.part]
        return name if self.a.dataset == "FER2013" else f"{name} of {plain(self.a.dataset)}"

    @property
    def cells(self) -> dict[str, tuple[str, str]]:
        """The chosen cell of each confusion matrix: label and prediction, either may be 'any'.

        'A against B': what A says, and what B says.
        """
        return {
            "A": (self.true, self.predicted),
            "B": (self.true, self.predicted_b),
            "A against B": (self.predicted, self.predicted_b),
        }

    @property
    def label_alone(self) -> str | None:
        """The label, where it is chosen whatever is predicted."""
        return self.true if self.cells["A against B"] == (ANY, ANY) else None

    @property
    def sample_filter(self) -> dict[str, Any]:
        """The selection as arguments of `samples.selected_samples`."""
        chosen = {"true": self.true, "a_says": self.predicted, "b_says": self.predicted_b}
        low, high = self.confidence
        return {name: None if value == ANY else value for name, value in chosen.items()} | {
            "confidence": (low / 100, high / 100),
            "of": self.of,
        }

    @property
    def words(self) -> str:
        """What is selected among the images, or ''."""
        low, high = self.confidence
        parts = [
            cell_in_words(self.true, self.predicted, self.predicted_b),
            f"{self.of.upper()}'s confidence **{low}–{high} %**"
            if self.confidence != WHOLE_RANGE
            else "",
            f"slice **{plain(self.slice)}**" if self.slice != ANY else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def chips(self) -> dict[str, str]:
        """What is selected among the images, in a word or two each, by its key."""
        low, high = self.confidence
        chosen = {
            TRUE: ("Label", self.true),
            PREDICTED: ("A says", self.predicted),
            PREDICTED_B: ("B says", self.predicted_b),
            SLICE: ("Slice", plain(self.slice) if self.slice != ANY else ANY),
            CONFIDENCE: (
                "Confidence",
                f"{low}–{high} %" if self.confidence != WHOLE_RANGE else ANY,
            ),
        }
        return {key: f"{title}: {value}" for key, (title, value) in chosen.items() if value != ANY}

    @cached_property
    def pair(self) -> tuple[Group, Group] | None:
        """A and B, where both were scored on the same images."""
        if self.b is None:
            return None
        of_a, of_b = (loading.predictions(model, self.part) for model in (self.a, self.b))
        return (self.a, self.b) if of_a.same_images(of_b) else None

    @property
    def samples(self) -> pd.DataFrame:
        """A line for each image, with what A says of it and, where they are a pair, B."""
        return loading.samples(self.a, self.b if self.pair else None, self.part)


def current() -> Selection:
    """The selection as the sidebar's widgets have it, whatever images are chosen: A and B on the
    sets that they were made on. Stops the page where there is no run.
    """
    return _selected(lambda model: model)


def _selected(seen: Callable[[Group], Group]) -> Selection:
    """The same with A and B as `seen` has them."""
    models = {model.name: model for model in loading.models()}
    if not models:
        st.info(
            "There is no run yet. Start a training in the sidebar; on the synthetic faces, with "
            "the recipe 'quick', it takes less than a minute."
        )
        st.stop()
    first, second = default_pair(list(models.values()))
    state = st.session_state
    a = models.get(state.get(MODEL_A, first), models[first])
    b = models.get(state.get(MODEL_B, second))
    a, b = _against(state.get(LABELS, "dataset"), seen(a), b and seen(b))
    said_b = state.get(PREDICTED_B, ANY) if b else ANY
    return Selection(
        a,
        b,
        state.get(PART, "private"),
        state.get(TRUE, ANY),
        state.get(PREDICTED, ANY),
        said_b,
        tuple(state.get(CONFIDENCE, WHOLE_RANGE)),
        state.get(SLICE, ANY),
        "b" if said_b != ANY and state.get(PREDICTED, ANY) == ANY else "a",
    )


def _against(labels: str, a: Group, b: Group | None) -> tuple[Group, Group | None]:
    """A and B, scored against those labels; as they are, which is said, where there are none."""
    try:
        laid_on_a = loading.labelling(a, labels)
        laid_on_b = loading.labelling(b, labels) if b else None
    except (DataError, RunError) as error:
        st.info(f"{plain(error)} The figures here are against the dataset's own labels.")
        return a, b
    return a.labelled(laid_on_a), b and b.labelled(laid_on_b)


def by_the_datasets_labels(selection: Selection, what: str) -> Selection:
    """The same against the dataset's own labels, for a page that is about them; says so.

    what: of the page.
    """
    if selection.labels == "dataset":
        return selection
    st.caption(f"{what} by the dataset's own labels, whatever is chosen in the sidebar.")
    return replace(
        selection, a=selection.a.labelled(None), b=selection.b and selection.b.labelled(None)
    )


def current_with_predictions() -> Selection:
    """The selection, for pages that show results. Stops the page where there are none."""
    part = st.session_state.get(PART, "private")
    problems: list[str] = []

    def seen(model: Group) -> Group:
        try:
            return model.on(part)
        except RunError as error:
            problems.append(str(error))
            return model

    selection = _selected(seen)
    for problem in dict.fromkeys(problems):
        st.info(f"{plain(problem)} Choose other images or another model in the sidebar.")
    if problems:
        st.stop()
    for key, model in selection.models.items():
        if not loading.is_scored(model, selection.part):
            st.info(
                f"{key} was not scored on these images: its dataset, {plain(model.dataset)}, has "
                "none. Choose other images or another model in the sidebar."
            )
            st.stop()
    return selection


def current_with_probabilities() -> Selection:
    """The selection, for pages that need to know how sure a model is: without B where B says labels
    alone. Stops the page where A does.
    """
    selection = current_with_predictions()
    return _with_those_that(selection, partial(_has_probabilities_or_say_so, part=selection.part))


def current_with_weights() -> Selection:
    """The selection, for pages that ask the models: of a group one seed, and without B where B
    cannot be asked.

    Stops the page where A cannot.
    """
    return _with_those_that(one_seed_each(current()), _can_be_asked_or_say_so)


def current_with_answers() -> Selection:
    """As `current_with_weights`, for pages that need the models' answers alone: an ensemble's
    members are asked in its place.
    """
    return _with_those_that(one_seed_each(current()), answers_or_say_so)


def answers_or_say_so(key: str, model: Group) -> bool:
    """Whether 'A' or 'B' can be asked about a face, an ensemble through its members; says where
    not.
    """
    if not model.run.members:
        return _can_be_asked_or_say_so(key, model)
    return _there_or_say_so(key, partial(members_of, model.run))


def _with_those_that(selection: Selection, fit: Callable[[str, Group], bool]) -> Selection:
    if not fit("A", selection.a):
        st.stop()
    if selection.b and not fit("B", selection.b):
        return replace(selection, b=None)
    return selection


def one_seed_each(selection: Selection) -> Selection:
    """The same with one run in the place of each group, the median of its seeds on PublicTest;
    says so.
    """
    groups = {key: model for key, model in selection.models.items() if not model.single}
    if not groups:
        return selection
    seeds = (
        f"of {key} it is {seed_title(model.run)}, the median of {model.count} on PublicTest"
        for key, model in groups.items()
    )
    st.caption(f"This page goes by one seed of a group: {'; '.join(seeds)}.")
    b = selection.b and group_of(selection.b.run)
    return replace(selection, a=group_of(selection.a.run), b=b)


def _has_probabilities_or_say_so(key: str, model: Group, part: str) -> bool:
    if any(table.labels_only for table in loading.predictions(model, part).tables):
        st.info(
            f"{key}: '{plain(model.name)}' was imported as predicted labels alone. How sure it is "
            "of them is not known, so there is nothing to draw here. Import its probabilities, or "
            "choose another run."
        )
        return False
    return True


def _can_be_asked_or_say_so(key: str, model: Group) -> bool:
    return _there_or_say_so(key, model.run.model_file)


def has_weights_or_say_so(key: str, run: Run) -> bool:
    """Whether model 'A' or 'B' was trained here and its weights kept; says where not."""
    return _there_or_say_so(key, run.weights_file)


def _there_or_say_so(key: str, file: Callable[[], object]) -> bool:
    try:
        file()
    except RunError as error:
        st.info(f"{key}: {plain(error)}")
        return False
    return True


def default_pair(models: list[Group]) -> tuple[str, str]:
    """The first two trained models of two architectures under one recipe, groups of seeds before
    single runs; else the first two.

    'none' for the second where there is one.
    """
    trained = [model for model in models if model.members[0].trained]
    for first, second in combinations(trained, 2):
        if (
            first.single == second.single
            and first.model != second.model
            and first.recipe == second.recipe
            and first.dataset == second.dataset
        ):
            return first.name, second.name
    first, *others = models
    return first.name, others[0].name if others else NO_MODEL


def cell_in_words(true: str, said_a: str, said_b: str) -> str:
    """'B says **neutral** where the label says **sad**'; any of the three may be 'any'."""
    said = [f"{key} says **{name}**" for key, name in (("A", said_a), ("B", said_b)) if name != ANY]
    label = f"the label says **{true}**"
    if true == ANY:
        return " where ".join(reversed(said))
    return f"{' and '.join(said)} where {label}" if said else label


def fitting_view() -> str:
    """The one of `VIEWS` that holds all faces of the chosen cell."""
    state = st.session_state
    true, said_a = state[TRUE], state[PREDICTED]
    said_b = ANY if state.get(MODEL_B) == NO_MODEL else state[PREDICTED_B]
    if ANY not in (said_a, said_b) or (true in (said_a, said_b) and true != ANY):
        return "all"
    return "B wrong" if said_b != ANY else "A wrong"


def choose_cell(true: str = ANY, predicted: str = ANY, predicted_b: str = ANY) -> None:
    """Select a label, and what A and B say, for every page; a second time takes it back."""
    cell = {TRUE: true, PREDICTED: predicted, PREDICTED_B: predicted_b}
    if all(st.session_state.get(key, ANY) == value for key, value in cell.items()):
        cell = dict.fromkeys(cell, ANY)
    for key, value in cell.items():
        st.session_state[key] = value


def choose_slice(title: str) -> None:
    """Select one slice, 'property: name', for every page; a second time takes it back."""
    st.session_state[SLICE] = ANY if st.session_state.get(SLICE) == title else title


@errors_kept("Going back to the dataset's labels")
def the_datasets_labels() -> None:
    st.session_state[LABELS] = "dataset"


@errors_kept("Clearing the selection")
def clear(*keys: str) -> None:
    """Select no label, prediction, confidence or slice; or none of those of `keys`."""
    whole = {TRUE: ANY, PREDICTED: ANY, PREDICTED_B: ANY, SLICE: ANY, CONFIDENCE: WHOLE_RANGE}
    st.session_state.update({key: whole[key] for key in keys or whole})
    st.session_state[_CLEARS] = clears() + 1


def clears() -> int:
    """How often the selection was cleared in this session."""
    return st.session_state.get(_CLEARS, 0)
