"""Faces in a row: previous, next, which of how many, and a link, for a dialog about one face."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from dashboard.base import address
from dashboard.base.failures import errors_kept
from dashboard.base.keys import FACE, ORDER_OF_FACE
from dashboard.faces.open_face import go_to
from fercore.wording import count


class Place(NamedTuple):
    """Where the open face stands among the faces of an order; None where there is none such.

    number: from 1. before, after: the faces next to it, by what the URL knows them.
    """

    number: int | None
    of: int
    before: int | None
    after: int | None

    def go_on(self) -> None:
        """To the one after it, where there is one."""
        if self.after is not None:
            go_to(self.after)


def place_of(face: int, faces: Sequence[int]) -> Place:
    """A face that is not among them has the first one after it."""
    if face not in faces:
        return Place(None, len(faces), None, next(iter(faces), None))
    at = faces.index(face)
    before = faces[at - 1] if at else None
    return Place(at + 1, len(faces), before, faces[at + 1] if at + 1 < len(faces) else None)


def order_of_open(orders: Mapping[str, Sequence[int]]) -> list[int]:
    """The order that the open face was opened from; of a link, the first one that has it."""
    named = orders.get(st.session_state.get(ORDER_OF_FACE) or "", ())
    fitting = [faces for faces in (named, *orders.values()) if st.session_state[FACE] in faces]
    return list(next(iter(fitting), next(iter(orders.values()), ())))


def row_of_faces(faces: Sequence[int]) -> Place:
    """The buttons, the place in words, and the link."""
    place = place_of(st.session_state[FACE], faces)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Previous", icon=":material/chevron_left:", shortcut="K", key="go-previous",
            disabled=place.before is None, on_click=_step, args=(faces, "before"),
        )  # fmt: skip
        st.button(
            "Next", icon=":material/chevron_right:", shortcut="J", key="go-next",
            disabled=place.after is None, on_click=_step, args=(faces, "after"),
        )  # fmt: skip
        st.markdown(_in_words(place), width="content")
        with st.popover("Link", icon=":material/link:"):
            st.caption("Opens this face, on this page, with what is selected.")
            st.code(address.shown(), language=None, wrap_lines=True)
    return place


@errors_kept("Going to the next face")
def _step(faces: Sequence[int], where: str) -> None:
    """From the face that is open by now: a key may be pressed again before the next one is seen."""
    face = getattr(place_of(st.session_state[FACE], faces), where)
    if face is not None:
        go_to(face)


def _in_words(place: Place) -> str:
    of = count(place.of)
    return f"not among these {of}" if place.number is None else f"**{count(place.number)} of {of}**"
