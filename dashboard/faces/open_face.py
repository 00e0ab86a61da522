"""Which face is open: kept in the selection, so that a link opens it too."""

import streamlit as st

from dashboard.base import parameters
from dashboard.base.address import choose_instead
from dashboard.base.failures import errors_kept
from dashboard.base.keys import FACE, ORDER_OF_FACE


@errors_kept("Opening the face")
def open_soon(face: int, order: str | None = None) -> None:
    """A dialog cannot be opened from a callback: the page opens it when it is drawn.

    order: the name of the order in which one goes on from it, where the page has several.
    """
    st.session_state[FACE] = face
    st.session_state[ORDER_OF_FACE] = order


@errors_kept("Going on")
def go_to(face: int) -> None:
    """Another face in the dialog that is open, which alone is drawn anew."""
    st.session_state[FACE] = face
    parameters.keep_face()


@errors_kept("Closing the face")
def close() -> None:
    """For the dialog that is dismissed."""
    st.session_state[FACE] = None


def no_such_face(named: str, images: str) -> None:
    """The sentence for a link to a face that is not among the images."""
    sentence = f"The link names the face {named}, which is not among {images}. No face is open."
    choose_instead(FACE, None, sentence)
