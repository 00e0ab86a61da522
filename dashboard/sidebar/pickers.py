"""The sidebar's choice of models A and B, and of the images that are looked at."""

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
    SLICE,
    TRUE,
    WHOLE_RANGE,
    default_pair,
)
from fercore.labels import CLASSES
from fercore.runs.artifacts import unreadable_runs
from fercore.scoring.predictions import PARTS
from fercore.scoring.slices import SLICES, slice_title


def pickers() -> None:
    """Widgets for A, B, the part, and what is selected in it, bound to the URL."""
    for problem in unreadable_runs():
        st.warning(plain(problem))
    runs = loading.runs()
    if not runs:
        return
    about = {run.run_id: [plain(run.title), *filter(None, [plain(run.note)])] for run in runs}
    names, (first, second) = list(about), default_pair(runs)
    for key, label, options, default in (
        (MODEL_A, "Model A", names, first),
        (MODEL_B, "Model B", [*names, NO_MODEL], second),
    ):
        chosen = st.selectbox(
            label,
            options,
            index=options.index(default),
            key=key,
            bind="query-params",
            help="A is drawn in blue, B in orange, on every page.",
        )
        st.caption("  \n".join(about.get(chosen, ["one model alone"])))
    st.selectbox(
        "Images",
        list(PARTS),
        format_func=PARTS.get,
        key=PART,
        bind="query-params",
        help="PrivateTest is scored once, at the end. 'Without duplicates' leaves out images whose "
        "exact pixels also occur in Training or PublicTest. PublicTest chose the epoch.",
    )
    left, right = st.columns(2)
    for place, label, key, meaning in (
        (left, "Label", TRUE, "The expression the dataset says."),
        (right, "Predicted", PREDICTED, "The expression the model found most probable."),
    ):
        place.selectbox(label, (ANY, *CLASSES), key=key, bind="query-params", help=meaning)
    st.selectbox(
        "Slice",
        (ANY, *(slice_title(name, part) for name, parts in SLICES.items() for part in parts)),
        key=SLICE,
        bind="query-params",
        help="Images that have something in common: how bright they are, whether raters agree on "
        "them. The page Slices compares them all.",
    )
    st.slider(
        "Confidence, %",
        *WHOLE_RANGE,
        value=WHOLE_RANGE,
        key=CONFIDENCE,
        bind="query-params",
        help="The probability that the model gives to what it says.",
    )
