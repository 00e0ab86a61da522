"""A verdict on the label of one image: a button and a key for each, and a note to it."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st

from dashboard.base import outcomes
from dashboard.base.access import may_write, write_or_say_why
from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from fercore.analysis import review
from fercore.analysis.review import NOTE_LENGTH, VERDICTS, Verdict
from fercore.errors import FerError
from fercore.labels import CLASSES
from fercore.wording import minute

KEYS = {"right": "1", "ambiguous": "2", "unusable": "3"}
CLASS_KEYS = dict(zip(CLASSES, "ADFHSUN"))  # of 'wrong': which expression it should be
HELP = {
    "right": "The face shows what the label says.",
    "ambiguous": "More than one label would do.",
    "unusable": "No face, a drawing, an empty or broken image.",
}
_OUTCOME = "verdict-outcome"


class Labelled(NamedTuple):
    """An image's hash, its row in the dataset of that name, and its label."""

    pixels: int
    row: int
    dataset: str
    label: str

    @property
    def owner(self) -> str:
        """What its widgets go by: a copy with another label has some of its own."""
        return f"{self.pixels}-{self.label}"


def verdict_buttons(image: Labelled, go_on: Callable[[], None]) -> None:
    """A press is a verdict; `go_on` is called once it is kept. Nothing where none may be given."""
    if not may_write().allowed:
        return
    offer = partial(_button, image, _current(image.pixels), go_on)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for verdict, key in KEYS.items():
            offer(key, verdict)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("Should be", width="content")
        for expression, key in CLASS_KEYS.items():
            if expression != image.label:
                offer(key, "wrong", expression)
    if not outcomes.tell(_OUTCOME, small=True):
        st.caption("A verdict on the label is kept, and the next face opens.")


def _button(
    image: Labelled,
    current: Verdict | None,
    go_on: Callable[[], None],
    key: str,
    verdict: str,
    should_be: str = "",
) -> None:
    """One verdict, filled where it is the one that was given. The next face's buttons are others:
    a key that is pressed twice says nothing of a face that was not yet seen.
    """
    given = current and (current.label, current.verdict, current.should_be)
    st.button(
        should_be or VERDICTS[verdict], shortcut=key,
        key=f"verdict-{should_be or verdict}-{image.owner}",
        type="primary" if given == (image.label, verdict, should_be) else "secondary",
        help=HELP.get(verdict, f"Label wrong, should be {should_be}."),
        on_click=_save, args=(image, verdict, should_be, current, go_on),
    )  # fmt: skip


def verdict_note(image: Labelled) -> None:
    """The verdict so far, a note that goes with it, and how to take it back."""
    current = _current(image.pixels)
    if current:
        st.markdown(f"Your verdict: **{verdict_words(current)}** · {minute(current.updated)} UTC")
    if not write_or_say_why(f"review-{image.owner}"):
        return
    if current and current.label != image.label:
        st.info(
            f"It was given where the same picture is labelled **{current.label}** "
            f"(row {current.row}); another one replaces it."
        )
    # Ignored until something else is asked for: a verdict takes along a note that is still being
    # written, and so does closing the dialog, which keeps it for the next look. It belongs to the
    # verdict it was written under: a newer one, of whomever, comes with its own note.
    st.text_area(
        "Note",
        value=current.note if current else "",
        max_chars=NOTE_LENGTH,
        height=80,
        key=_note_key(image, current),
        on_change="ignore",
        persist_state="session",
        placeholder="Kept with the verdict: write it, then press one of those above.",
    )
    st.button(
        "Remove",
        disabled=current is None,
        key=f"verdict-remove-{image.owner}",
        on_click=_remove,
        args=(image, current),
        help="Takes the verdict back, and its note.",
    )


def _current(pixels: int) -> Verdict | None:
    """The verdict so far. Where it cannot be read the form stays, and what was typed with it."""
    seen = f"verdict-seen-{pixels}"
    try:
        st.session_state[seen] = review.find(pixels)
    except FerError as error:
        st.error(plain(error))
    current: Verdict | None = st.session_state.get(seen)
    return current


def verdict_words(verdict: Verdict) -> str:
    """'Label wrong, should be sad'."""
    words = VERDICTS[verdict.verdict]
    return f"{words}, should be {verdict.should_be}" if verdict.should_be else words


@errors_kept("Saving the verdict")
def _save(
    image: Labelled,
    verdict: str,
    should_be: str,
    current: Verdict | None,
    go_on: Callable[[], None],
) -> None:
    written = _note_key(image, current)
    note = st.session_state.get(written, current.note if current else "")
    said = Verdict(image.pixels, image.row, image.dataset, image.label, verdict, should_be, note)

    def act() -> str:
        review.save(said)
        return f"Saved. Row {image.row}: {verdict_words(said)}"

    if outcomes.keep_of(_OUTCOME, act):
        st.session_state.pop(written, None)  # it is the new verdict's now
        go_on()


@errors_kept("Removing the verdict")
def _remove(image: Labelled, current: Verdict | None) -> None:

    def act() -> str:
        review.remove(image.pixels)
        return "Removed."

    if outcomes.keep_of(_OUTCOME, act):
        for written in (_note_key(image, current), _note_key(image, None)):
            st.session_state[written] = ""


def _note_key(image: Labelled, current: Verdict | None) -> str:
    return f"verdict-note-{image.owner}-{current.updated if current else ''}"
