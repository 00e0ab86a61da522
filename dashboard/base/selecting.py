"""What changes the selection: a click on a cell, a chip taken back."""

import streamlit as st

from dashboard.base.failures import errors_kept
from dashboard.base.selection import (
    ANY,
    CONFIDENCE,
    LABELS,
    MODEL_B,
    NO_MODEL,
    PREDICTED,
    PREDICTED_B,
    SLICE,
    TRUE,
    WHOLE_RANGE,
)

_CLEARS = "times-cleared"


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
