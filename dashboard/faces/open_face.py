"""Which face is open: kept in the selection, so that a link opens it too."""

import streamlit as st

from dashboard.base.address import NOT_HERE
from dashboard.base.failures import errors_kept
from dashboard.base.selection import FACE


@errors_kept("Opening the face")
def open_soon(face: int) -> None:
    """A dialog cannot be opened from a callback: the page opens it when it is drawn."""
    st.session_state[FACE] = face


@errors_kept("Closing the face")
def close() -> None:
    """For the dialog that is dismissed."""
    st.session_state[FACE] = None


def no_such_face(named: str, images: str) -> None:
    """The sentence for a link to a face that is not among the images."""
    close()
    st.warning(
        f"The link names the face {named}, which is not among {images}. No face is open.",
        icon=NOT_HERE,
    )
