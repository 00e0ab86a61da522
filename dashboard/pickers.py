"""The sidebar's choice of models A and B and of the images they are compared on."""

import streamlit as st

from dashboard import loading
from dashboard.selection import MODEL_A, MODEL_B, NO_MODEL, PART, default_pair
from fercore.predictions import PARTS


def pickers() -> None:
    """Select boxes for A, B and the part, bound to the URL."""
    titles = {run.run_id: run.title for run in loading.runs()}
    if not titles:
        return
    first, second = default_pair(list(titles))
    titles[NO_MODEL] = "no second model"
    runs = [run_id for run_id in titles if run_id != NO_MODEL]
    st.selectbox(
        ":blue[**Model A**]",
        runs,
        index=runs.index(first),
        format_func=titles.get,
        key=MODEL_A,
        bind="query-params",
        help="Drawn in blue on every page.",
    )
    options = [*runs, NO_MODEL]
    st.selectbox(
        ":orange[**Model B**]",
        options,
        index=options.index(second),
        format_func=titles.get,
        key=MODEL_B,
        bind="query-params",
        help="Drawn in orange on every page.",
    )
    st.selectbox(
        "Images",
        list(PARTS),
        format_func=PARTS.get,
        key=PART,
        bind="query-params",
        help="PrivateTest is scored once, at the end. 'Without duplicates' leaves out images whose "
        "exact pixels also occur in Training or PublicTest. PublicTest chose the epoch.",
    )
