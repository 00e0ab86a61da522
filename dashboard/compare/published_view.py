"""Published figures, each with how it was chosen; one of them beside the accuracies, if asked."""

import pandas as pd
import streamlit as st

from dashboard.base.selection import ANY
from fercore.study.references import Published, published
from fercore.wording import NO_BREAK_HYPHEN, percent

BESIDE = "beside"  # the key of the chosen one, or 'any' for none


def shown_beside() -> Published | None:
    """The published figure that is chosen to stand beside the accuracies."""
    chosen = st.session_state.get(BESIDE, ANY)
    return next((one for one in published() if one.key == chosen), None)


def published_figures() -> None:
    """The table, folded, and the choice of one."""
    with st.expander("Published figures and how they were chosen", icon=":material/menu_book:"):
        st.caption(
            "None of these is a baseline for the accuracies above: an epoch that was chosen on "
            "PrivateTest flatters its figure, other pictures and pretraining make another task. "
            "Single networks from scratch, chosen on PublicTest, lie at 71 to 73 %."
        )
        st.table(published_table().set_index("model"))
        names = {ANY: "none"} | {
            one.key: f"{one.model}, {percent(one.accuracy, 2)}" for one in published()
        }
        st.selectbox(
            "Beside the accuracies", list(names), format_func=names.__getitem__, key=BESIDE
        )


def published_table() -> pd.DataFrame:
    """A line for each, in words; a dash where nothing is known."""
    lines = [
        {
            "model": one.model,
            "PrivateTest": percent(one.accuracy, 2),
            "chosen on": one.selected_on,
            "pretraining": one.pretraining.replace("-", NO_BREAK_HYPHEN),
            "others reached, %": one.users_reached or "–",
            "source": one.source,
            "read in": one.basis,
        }
        for one in published()
    ]
    return pd.DataFrame(lines)
