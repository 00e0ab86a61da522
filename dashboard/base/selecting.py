"""What changes the selection: a click on a cell, a chip taken back."""

import streamlit as st

from dashboard.base import keys
from dashboard.base.failures import errors_kept
from dashboard.base.selection import ANY, NO_MODEL, WHOLE_RANGE


def fitting_view() -> str:
    """The one of `samples.VIEWS` that holds all faces of the chosen cell."""
    state = st.session_state
    true, said_a = state[keys.TRUE], state[keys.PREDICTED]
    said_b = ANY if state.get(keys.MODEL_B) == NO_MODEL else state[keys.PREDICTED_B]
    if ANY not in (said_a, said_b) or (true in (said_a, said_b) and true != ANY):
        return "all"
    return "B wrong" if said_b != ANY else "A wrong"


def choose_cell(true: str = ANY, predicted: str = ANY, predicted_b: str = ANY) -> None:
    """Select a label, and what A and B say, for every page; a second time takes it back."""
    cell = dict(zip(keys.CELL, (true, predicted, predicted_b)))
    if all(st.session_state.get(key, ANY) == value for key, value in cell.items()):
        cell = dict.fromkeys(cell, ANY)
    for key, value in cell.items():
        st.session_state[key] = value


def choose_slice(title: str) -> None:
    """Select one slice, 'property: name', for every page; a second time takes it back."""
    st.session_state[keys.SLICE] = ANY if st.session_state.get(keys.SLICE) == title else title


@errors_kept("Going back to the dataset's labels")
def the_datasets_labels() -> None:
    st.session_state[keys.LABELS] = "dataset"


@errors_kept("Swapping A and B")
def swap() -> None:
    state = st.session_state
    state[keys.MODEL_A], state[keys.MODEL_B] = state[keys.MODEL_B], state[keys.MODEL_A]


@errors_kept("Clearing the selection")
def clear(*of: str) -> None:
    """Select no label, prediction, confidence or slice; or none of those of the keys."""
    whole = dict.fromkeys((*keys.CELL, keys.SLICE), ANY) | {keys.CONFIDENCE: WHOLE_RANGE}
    st.session_state.update({key: whole[key] for key in of or whole})
