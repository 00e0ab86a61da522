"""Clicks on figures and tables. Their callbacks run before the page is drawn, so that what they
choose is what the whole page shows.

Streamlit tells what is marked, by its number, not what was clicked, and a browser may mark
something else than it told: one that draws a figure anew forgets its mark, and the same point,
clicked again, is no news. So each click makes the figure another one, in which nothing is marked;
and a table that marks other rows than those of the selection gives place to another one. What a
second click means is for the callbacks: the selection may have been changed elsewhere in between.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.base.charts import show_figure
from dashboard.base.failures import errors_kept

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
    state, clicks = st.session_state, f"{key}-clicks"
    name = f"{key}-{state.setdefault(clicks, 0)}"

    def take_click() -> None:
        if marked := state[name]["selection"]["points"]:
            state[clicks] += 1
            choose(marked[0])

    show_figure(
        figure, key=name, on_select=_latest(key, take_click), selection_mode="points", alt=alt
    )


def _latest(key: str, act: Callable[[], None]) -> Callable[[], None]:
    """A callback that does what was given last under this key. A session keeps the callbacks of
    all figures and tables that it has seen, and a page's function holds all that the page held.
    """
    way = f"{key}-way"
    st.session_state[way] = act

    @errors_kept("The click")
    def call() -> None:
        st.session_state[way]()

    return call


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
    state = st.session_state
    which = f"{key}-which"  # of the rows that stand for one line
    rows = [row for row, line in enumerate(lines) if line == chosen]
    marked = rows[state.get(which, 0) :][:1] or rows[:1]
    name = _that_marks(key, marked)

    def take_click() -> None:
        clicked = state[name]["selection"]["rows"]
        if clicked == marked:  # the browser tells what it was told to mark
            return
        if clicked:
            line = lines[clicked[0]]
            state[which] = sum(other == line for other in lines[: clicked[0]])
            choose(line)
        elif chosen is not None:
            choose(chosen)

    state[name] = {"selection": {"rows": marked, "columns": [], "cells": []}}
    st.dataframe(
        table, key=name, on_select=_latest(key, take_click), selection_mode="single-row",
        hide_index=True, **options,
    )  # fmt: skip


def _that_marks(key: str, marked: list[int]) -> str:
    """The name of the table, another one where the browser marks other rows: a browser that is
    told what it was told before takes it for no news, though it was clicked in between.
    """
    state, number = st.session_state, f"{key}-number"
    name = f"{key}-{state.setdefault(number, 0)}"
    if name in state and state[name]["selection"]["rows"] != marked:
        state[number] += 1
    return f"{key}-{state[number]}"
