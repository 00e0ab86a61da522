"""Clicks on figures and tables. Their callbacks run before the page is drawn, so that what they
choose is what the whole page shows.

Streamlit tells what is marked, not what was clicked: where nothing is marked any more, the click
was on what had been. What a second click means is for the callbacks: the selection may have been
changed elsewhere in between.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.base.charts import show_figure
from dashboard.base.failures import errors_kept
from dashboard.base.selection import clears

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

Point = dict[str, Any]  # as Plotly reports it: x, y, customdata, …


def clickable_figure(
    figure: go.Figure, key: str, choose: Callable[[Point], None], *, alt: str
) -> None:
    """A figure; `choose` gets the point that is clicked.

    A point with error bars or a marker on top of it is clicked as well as a bar.
    """
    name = _name(key)

    @errors_kept("The click")
    def take_click() -> None:
        _pass_on(name, st.session_state[name]["selection"]["points"], choose)

    show_figure(figure, key=name, on_select=take_click, selection_mode="points", alt=alt)


def clickable_table(
    table: "pd.DataFrame | Styler", key: str, choose: Callable[[int], None], **options
) -> None:
    """A table; `choose` gets the position of the row that is clicked.

    Sorting it in the browser does not change the positions. `options` are `st.dataframe`'s.
    """
    name = _name(key)

    @errors_kept("The click")
    def take_click() -> None:
        _pass_on(name, st.session_state[name]["selection"]["rows"], choose)

    st.dataframe(
        table, key=name, on_select=take_click, selection_mode="single-row", hide_index=True,
        **options,
    )  # fmt: skip


def _pass_on(name: str, marked: list, choose: Callable) -> None:
    last = f"{name}-last"
    if marked:
        st.session_state[last] = marked[0]
    if last in st.session_state:
        choose(st.session_state[last])


def _name(key: str) -> str:
    """The widget's key; another one once the selection is cleared, so that nothing stays marked."""
    return f"{key}-{clears()}"
