"""The sidebar's choice of models A and B and of the images they are compared on."""

import streamlit as st

from dashboard import loading
from dashboard.selection import MODEL_A, MODEL_B, NO_MODEL, PART, default_pair
from fercore.artifacts import unreadable_runs
from fercore.predictions import PARTS


def pickers() -> None:
    """Select boxes for A, B and the part, bound to the URL."""
    for problem in unreadable_runs():
        st.warning(problem)
    titles = {run.run_id: run.title for run in loading.runs()}
    if not titles:
        return
    runs = list(titles)
    for key, label, options, default in (
        (MODEL_A, ":blue[**Model A**]", runs, default_pair(runs)[0]),
        (MODEL_B, ":orange[**Model B**]", [*runs, NO_MODEL], default_pair(runs)[1]),
    ):
        chosen = st.selectbox(
            label,
            options,
            index=options.index(default),
            key=key,
            bind="query-params",
            help="A is drawn in blue, B in orange, on every page.",
        )
        st.caption(titles.get(chosen, "one model alone"))
    st.selectbox(
        "Images",
        list(PARTS),
        format_func=PARTS.get,
        key=PART,
        bind="query-params",
        help="PrivateTest is scored once, at the end. 'Without duplicates' leaves out images whose "
        "exact pixels also occur in Training or PublicTest. PublicTest chose the epoch.",
    )
