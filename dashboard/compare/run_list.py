"""The table of runs, each with its learning curve and with buttons: as A, as B, delete."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.badges import LOOKS
from dashboard.base.failures import errors_kept
from dashboard.base.keys import MODEL_A, MODEL_B
from dashboard.compare.run_manager import confirm_deleting, name_column, run_table
from fercore.errors import RunError
from fercore.glossary import explained
from fercore.runs.artifacts import Run

_WHOLE = ("run", "PrivateTest", "model", "recipe", "PublicTest", "dataset")  # columns never cut
_BUTTONS = {MODEL_A: "as A", MODEL_B: "as B"}
_DELETE = "Delete …"
CLICKED = "{}-clicked"  # by column, the key under which Streamlit says which row's button it was
ASKED = "delete-asked"  # the name of the run whose button was clicked


def run_list(runs: list[Run], *, deletable: bool) -> None:
    """`deletable`: whether those made on this machine have a button that asks, then deletes."""
    table = run_table(runs)
    curves = pd.Series(map(_curve, runs), table.index, dtype=object)
    table.insert(list(table.columns).index("note"), "learning curve", curves)
    names = tuple(run.run_id for run in runs)
    columns: dict[str, Any] = {
        **{title: name_column(table[title]) for title in _WHOLE},
        "learning curve": st.column_config.LineChartColumn(help=explained("learning curve")),
        "marks": st.column_config.MultiselectColumn(
            width=16 + max(sum(22 + 7 * len(mark) for mark in marks) for marks in table["marks"]),
            options=list(LOOKS),
            color=[colour for colour, _ in LOOKS.values()],
            disabled=True,
        ),
    }
    for place, (key, title) in enumerate(_BUTTONS.items(), start=1):
        table.insert(place, title, title)
        columns[title] = st.column_config.ButtonColumn(
            "", type="tertiary", width=60, key=CLICKED.format(title), on_click=take_as,
            args=(key, names),
        )  # fmt: skip
    if deletable and any(not run.shipped for run in runs):
        table["delete"] = [None if run.shipped else _DELETE for run in runs]
        columns["delete"] = st.column_config.ButtonColumn(
            "", type="tertiary", key=CLICKED.format("delete"), on_click=ask_to_delete, args=(names,)
        )
    st.dataframe(table, hide_index=True, height="content", column_config=columns)
    asked = st.session_state.pop(ASKED, None)
    for run in runs:
        if run.run_id == asked and not run.shipped:
            confirm_deleting(run)


# Rows may have moved since the table was drawn: callbacks go by the names that it had then.


@errors_kept("The click")
def ask_to_delete(names: Sequence[str]) -> None:
    """Ask, once the page is drawn, whether the run in whose row the button was clicked shall go."""
    st.session_state[ASKED] = _clicked("delete", names)


@errors_kept("The click")
def take_as(key: str, names: Sequence[str]) -> None:
    """Show as model A or B, by its key, the run in whose row the button was clicked."""
    st.session_state[key] = _clicked(_BUTTONS[key], names)


def _clicked(column: str, names: Sequence[str]) -> str:
    return names[st.session_state[CLICKED.format(column)]["row"]]


def _curve(run: Run) -> list[float] | None:
    """Accuracy on PublicTest by epoch, in percent; None where it is not known."""
    if not run.trained:
        return None
    try:
        return (100 * loading.history(run)["val_accuracy"].dropna()).round(1).tolist()
    except RunError:
        return None
