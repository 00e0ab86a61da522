"""What is being looked at: models, images, cell, confidence, slice. One state, also in the URL.

Every `st.session_state` key that pages share is declared here. The widgets with these keys are
bound to the query parameters of the same name, so a link restores the view on any page.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import streamlit as st

from dashboard.base import loading
from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.scoring.evaluation import CLASS_METRICS, VIEWS
from fercore.scoring.predictions import PARTS

MODEL_A, MODEL_B, PART, TRUE, PREDICTED = "a", "b", "part", "true", "predicted"
CONFIDENCE = "confidence"  # percent, from and to
SLICE = "slice"  # 'property: name'
WHICH = "which"  # one of `VIEWS`
METRIC = "metric"  # one of `CLASS_METRICS`
_PAGE, _CLEARS = "page-shown", "times-cleared"
NO_MODEL, ANY = "none", "any"
WHOLE_RANGE = (0, 100)


@dataclass(frozen=True)
class Selection:
    """What the sidebar's widgets say. `b` is None where only one model is looked at.

    true, predicted: a class, or 'any'. confidence: percent, from and to. slice: 'property: name',
    or 'any'.
    """

    a: Run
    b: Run | None
    part: str
    true: str = ANY
    predicted: str = ANY
    confidence: tuple[int, int] = WHOLE_RANGE
    slice: str = ANY

    @cached_property
    def models(self) -> dict[str, Run]:
        """'A' and, where there is one, 'B'."""
        return {"A": self.a} | ({"B": self.b} if self.b else {})

    @property
    def paired_models(self) -> dict[str, Run]:
        """Those of them that a table of images holds: B only where it is about the same images."""
        return self.models if self.paired else {"A": self.a}

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from another selection."""
        runs = [part for run in self.models.values() for part in loading.identity(run)]
        return *runs, self.part, self.words

    @property
    def part_name(self) -> str:
        name = PARTS[self.part]
        return name if self.a.dataset == "FER2013" else f"{name} of {plain(self.a.dataset)}"

    @property
    def cell(self) -> tuple[str, str]:
        """The chosen cell of the confusion matrix: label and prediction, either may be 'any'."""
        return self.true, self.predicted

    @property
    def sample_filter(self) -> dict:
        """The selection as arguments of `evaluation.selected_samples`."""
        low, high = self.confidence
        return {
            "true": None if self.true == ANY else self.true,
            "predicted": None if self.predicted == ANY else self.predicted,
            "confidence": (low / 100, high / 100),
        }

    @property
    def words(self) -> str:
        """What is selected among the images, or ''."""
        low, high = self.confidence
        parts = [
            f"label **{self.true}**" if self.true != ANY else "",
            f"predicted **{self.predicted}**" if self.predicted != ANY else "",
            f"confidence **{low}–{high} %**" if self.confidence != WHOLE_RANGE else "",
            f"slice **{self.slice}**" if self.slice != ANY else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def paired(self) -> bool:
        """Whether both models were scored on the same images."""
        return self.b is not None and loading.predictions(self.a, self.part).same_images(
            loading.predictions(self.b, self.part)
        )


def current() -> Selection:
    """The selection as the sidebar's widgets have it. Stops the page where there is no run."""
    runs = {run.run_id: run for run in loading.runs()}
    if not runs:
        st.info(
            "There is no run yet. Start a training in the sidebar; on the synthetic faces, with "
            "the recipe 'quick', it takes less than a minute."
        )
        st.stop()
    first, second = default_pair(list(runs.values()))
    a = runs.get(st.session_state.get(MODEL_A, first), runs[first])
    b = runs.get(st.session_state.get(MODEL_B, second))
    state = st.session_state
    return Selection(
        a,
        b,
        state.get(PART, "private"),
        state.get(TRUE, ANY),
        state.get(PREDICTED, ANY),
        tuple(state.get(CONFIDENCE, WHOLE_RANGE)),
        state.get(SLICE, ANY),
    )


def current_with_predictions() -> Selection:
    """The selection, for pages that show results. Stops the page where there are none."""
    selection = current()
    for key, run in selection.models.items():
        if selection.part not in loading.metrics(run):
            st.info(
                f"{key} was not scored on these images: its dataset, {plain(run.dataset)}, has "
                "none. Choose other images or another run in the sidebar."
            )
            st.stop()
    return selection


def current_with_weights() -> Selection:
    """The selection, for pages that ask the models: without B where B has no weights.

    Stops the page where A has none.
    """
    selection = current()
    if not has_weights_or_say_so("A", selection.a):
        st.stop()
    if selection.b and not has_weights_or_say_so("B", selection.b):
        return replace(selection, b=None)
    return selection


def has_weights_or_say_so(key: str, run: Run) -> bool:
    """Whether model 'A' or 'B' can be asked; says where it is an ensemble."""
    try:
        run.weights_file()
    except RunError as error:
        st.info(f"{key}: {plain(error)}")
        return False
    return True


def default_pair(runs: list[Run]) -> tuple[str, str]:
    """The first two trained runs of two models under one recipe, else the first two runs.

    'none' for the second where there is one run.
    """
    trained = [run for run in runs if not run.members]
    for first, second in combinations(trained, 2):
        if first.info["model"] != second.info["model"] and first.recipe == second.recipe:
            return first.run_id, second.run_id
    first, *others = runs
    return first.run_id, others[0].run_id if others else NO_MODEL


def follow_link(page: str) -> None:
    """On arriving at another page, select what its link says.

    Widgets bound to the URL outlive the page, and one that has a value does not look there again.
    """
    arrived = st.session_state.get(_PAGE) not in (None, page)
    st.session_state[_PAGE] = page
    allowed = {TRUE: (ANY, *CLASSES), PREDICTED: (ANY, *CLASSES), WHICH: VIEWS}
    allowed[METRIC] = CLASS_METRICS
    for key, values in allowed.items():
        if arrived and st.query_params.get(key) in values:
            st.session_state[key] = st.query_params[key]


def choose_cell(true: str, predicted: str) -> None:
    """Select one cell of the confusion matrix, for every page; a second time takes it back."""
    state = st.session_state
    if (state.get(TRUE, ANY), state.get(PREDICTED, ANY)) == (true, predicted):
        true = predicted = ANY
    state[TRUE], state[PREDICTED] = true, predicted


def choose_label(label: str) -> None:
    """Select one label whatever is predicted, for every page; a second time takes it back."""
    choose_cell(label, ANY)


def choose_slice(title: str) -> None:
    """Select one slice, 'property: name', for every page; a second time takes it back."""
    st.session_state[SLICE] = ANY if st.session_state.get(SLICE) == title else title


def cell_query(true: str, predicted: str) -> dict[str, str]:
    """Query parameters of a link that keeps the view and selects one cell."""
    return st.query_params.to_dict() | {TRUE: true, PREDICTED: predicted}


@errors_kept("Clearing the selection")
def clear() -> None:
    """Select no label, prediction, confidence or slice."""
    choose_cell(ANY, ANY)
    st.session_state[SLICE] = ANY
    st.session_state[CONFIDENCE] = WHOLE_RANGE
    st.session_state[_CLEARS] = clears() + 1


def clears() -> int:
    """How often the selection was cleared in this session."""
    return st.session_state.get(_CLEARS, 0)
