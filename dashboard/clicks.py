"""Clicks on figures and tables. Their callbacks run before the page is drawn, so that what they
choose is what the whole page shows.
"""

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.figures import STATIC
from dashboard.selection import clears

Point = dict[str, Any]  # as Plotly reports it: x, y, customdata, …


def clickable_figure(
    figure: go.Figure, key: str, choose: Callable[[Point | None], None], *, alt: str
) -> None:
    """A figure; `choose` gets the point that is clicked, None where a second click takes it back.

    A point with error bars or a marker on top of it is clicked as well as a bar.
    """
    name = _name(key)

    def take_click() -> None:
        marked = st.session_state[name]["selection"]["points"]
        choose(marked[0] if marked else None)

    st.plotly_chart(
        figure, key=name, on_select=take_click, selection_mode="points", config=STATIC, alt=alt
    )


def clickable_table(
    table: pd.DataFrame, key: str, choose: Callable[[int | None], None], **options
) -> None:
    """A table; `choose` gets the position of the row that is clicked, None where it is taken back.

    Sorting it in the browser does not change the positions. `options` are `st.dataframe`'s.
    """
    name = _name(key)

    def take_click() -> None:
        rows = st.session_state[name]["selection"]["rows"]
        choose(rows[0] if rows else None)

    st.dataframe(
        table, key=name, on_select=take_click, selection_mode="single-row", hide_index=True,
        **options,
    )  # fmt: skip


def _name(key: str) -> str:
    """The widget's key; another one once the selection is cleared, so that nothing stays marked."""
    return f"{key}-{clears()}"
