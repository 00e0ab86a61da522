"""The sidebar's choice of models A and B, of the images, and of what is looked at among them."""

from collections.abc import Sequence

import streamlit as st

from dashboard.base import loading
from dashboard.base.plain import plain
from dashboard.base.selection import (
    ANY,
    CONFIDENCE,
    MODEL_A,
    MODEL_B,
    NO_MODEL,
    PART,
    PREDICTED,
    PREDICTED_B,
    SLICE,
    TRUE,
    WHOLE_RANGE,
)
from fercore.labels import CLASSES
from fercore.runs.artifacts import unreadable_runs
from fercore.runs.words import run_title
from fercore.scoring.predictions import PARTS
from fercore.scoring.slices import SLICES, slice_title


def model_pickers() -> None:
    """Widgets for A, B and the part; `parameters` has their values."""
    for problem in unreadable_runs():
        st.warning(plain(problem))
    runs = loading.runs()
    if not runs:
        return
    about = {run.run_id: [plain(run_title(run)), *filter(None, [plain(run.note)])] for run in runs}
    for key, label, options in (
        (MODEL_A, "Model A", list(about)),
        (MODEL_B, "Model B", [*about, NO_MODEL]),
    ):
        help_ = "A is drawn in blue, B in orange, on every page."
        chosen = st.selectbox(label, options, _at_first(options, key), key=key, help=help_)
        st.caption("  \n".join(about.get(chosen, ["one model alone"])))
    st.selectbox(
        "Images",
        list(PARTS),
        _at_first(list(PARTS), PART),
        format_func=PARTS.__getitem__,
        key=PART,
        help="PrivateTest is scored once, at the end. 'Without duplicates' leaves out images whose "
        "exact pixels also occur in Training or PublicTest. PublicTest chose the epoch.",
    )


def narrowing() -> None:
    """Widgets for what is selected among the images, folded; what is chosen stands on the page."""
    if not loading.runs():
        return
    with st.expander("Narrow down", icon=":material/filter_alt:", key="narrow-down"):
        _cell()
        _slice_and_confidence()


def _cell() -> None:
    alone = st.session_state[MODEL_B] == NO_MODEL
    for label, key, meaning in (
        ("Label", TRUE, "The expression the dataset says."),
        ("A says", PREDICTED, "The expression that A finds most probable."),
        ("B says", PREDICTED_B, "The expression that B finds most probable."),
    ):
        off = key == PREDICTED_B and alone
        says = (ANY, *CLASSES)
        st.selectbox(label, says, _at_first(says, key), key=key, help=meaning, disabled=off)


def _slice_and_confidence() -> None:
    slices = (ANY, *(slice_title(name, part) for name, parts in SLICES.items() for part in parts))
    st.selectbox(
        "Slice",
        slices,
        _at_first(slices, SLICE),
        key=SLICE,
        help="Images that have something in common: how bright they are, whether raters agree on "
        "them. The page Slices compares them all.",
    )
    st.slider(
        "Confidence, %",
        *WHOLE_RANGE,
        key=CONFIDENCE,
        help="The probability that a model gives to what it says: A, or B where only what B says "
        "is chosen.",
    )


def _at_first(options: Sequence[str], key: str) -> int:
    """What the browser shows until it hears of the value; a click may come before that."""
    chosen = st.session_state[key]
    return options.index(chosen) if chosen in options else 0
