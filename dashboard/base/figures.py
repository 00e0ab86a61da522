"""How pages show figures: built once, still under the mouse's wheel."""

import pickle
from collections.abc import Callable
from typing import Any, ParamSpec

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from fercore.scoring.grouped.predictions import GroupPredictions

# Clicks select, and nothing zooms by accident.
STATIC = {"displayModeBar": False, "scrollZoom": False}
P = ParamSpec("P")

# Tables are told apart by their bytes: Streamlit's own way is twenty times slower.
_CONTENT: dict[str | type[Any], Callable[[Any], Any]] = {
    pd.DataFrame: pickle.dumps,
    pd.Series: pickle.dumps,
    GroupPredictions: lambda table: (table.labels, table.probs),
}


def drawn_once(figure: Callable[P, go.Figure]) -> Callable[P, go.Figure]:
    """A figure that is asked for again, by whichever visitor, is the same object: building it is
    most of a page's time. Whoever gets it shows it and changes nothing.
    """
    return st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=_CONTENT)(figure)
