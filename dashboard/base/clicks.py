"""Clicks on figures and tables. Their callbacks run before the page is drawn, so that what they
choose is what the whole page shows.

Streamlit tells what is marked, by its number, not what was clicked. In a table the selection
decides what is marked, whatever line that is by now; a figure whose points stand for something
else is another figure. Where nothing is marked any more, the click was on what had been. What a
second click means is for the callbacks: the selection may have been changed elsewhere in between.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.base.charts import show_figure
from dashboard.base.failures import errors_kept
from dashboard.base.selecting import clears

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

Line = TypeVar("Line", bound=Hashable)
Point = dict[str, Any]  # as Plotly reports it: x, y, customdata, …


def clickable_figure(
    figure: go.Figure, key: str, choose: Callable[[Point], None], *, alt: str
) -> None:
    """A figure; `choose` gets the point that is clicked.

    A point with error bars or a marker on top of it is clicked as well as a bar.
    """
    name = f"{key}-{_meaning(figure)}-{clears()}"  # nothing stays marked once all is cleared
    last, way = f"{name}-last", f"{key}-choose"
    # A session keeps the callback of each figure that it has seen, and a page's own function all
    # that the page held: only the latest one is kept, and told where it lies.
    st.session_state[way] = choose

    @errors_kept("The click")
    def take_click() -> None:
        marked = st.session_state[name]["selection"]["points"]
        if marked:
            st.session_state[last] = marked[0]
        if last in st.session_state:
            st.session_state[way](st.session_state[last])

    show_figure(figure, key=name, on_select=take_click, selection_mode="points", alt=alt)


def _meaning(figure: go.Figure) -> int:
    """Another number where a click on the same point would mean something else."""
    points = [(trace.name, trace.x, trace.y, trace.customdata) for trace in figure.data]
    return crc32(repr(points).encode())


def clickable_table(
    table: "pd.DataFrame | Styler",
    key: str,
    lines: Sequence[Line],
    choose: Callable[[Line], object],
    *,
    chosen: Line | None = None,
    **options: Any,
) -> None:
    """A table; `choose` gets the one of `lines` that is clicked: what each row stands for.

    `chosen` is the line that is selected now, if any; where several rows stand for it, the one
    that was clicked stays marked. Sorting it in the browser does not change the rows' numbers.
    `options` are `st.dataframe`'s.
    """
    which = f"{key}-which"  # of the rows that stand for one line
    rows = [row for row, line in enumerate(lines) if line == chosen]
    marked = rows[st.session_state.get(which, 0) :][:1] or rows[:1]

    @errors_kept("The click")
    def take_click() -> None:
        clicked = st.session_state[key]["selection"]["rows"]
        if clicked == marked:  # the browser tells what it was told to mark
            return
        if clicked:
            line = lines[clicked[0]]
            st.session_state[which] = sum(other == line for other in lines[: clicked[0]])
            choose(line)
        elif chosen is not None:
            choose(chosen)

    st.session_state[key] = {"selection": {"rows": marked, "columns": [], "cells": []}}
    st.dataframe(
        table, key=key, on_select=take_click, selection_mode="single-row", hide_index=True,
        **options,
    )  # fmt: skip
