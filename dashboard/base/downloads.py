"""The numbers behind a page as a file."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.base.plain import file_name
from fercore.csv_tables import csv_text
from fercore.groups.group import Group


def csv_button(
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    *,
    models: Mapping[str, Group] | None = None,
    label: str = "Download as CSV",
    **about: str | None,
) -> None:
    """A download of the figures behind a page; a function is called only when they are wanted.

    models: by key, those that the table is about; `about` are more columns that say of what it
    is, as `part`, where they are not None. All of them are in the file's name.
    """
    models = models or {}
    more = {column: value for column, value in about.items() if value is not None}
    names = "_".join([name, *(model.name for model in models.values()), *more.values()])

    def text() -> bytes:
        lines = table() if callable(table) else table
        return csv_text(lines, **_columns_of(lines, models), **more).encode()

    st.download_button(
        label,
        data=text,
        file_name=file_name(names) + ".csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _columns_of(table: pd.DataFrame, models: Mapping[str, Group]) -> dict[str, Any]:
    """Columns that name the runs or groups and their dataset: by the line where it is one's."""
    laid = [model.labelling.name for model in models.values() if model.labelling]
    labels = {"labels": laid[0]} if laid else {}  # all are scored against the same
    if "model" in table:
        return labels | {
            "model": table["model"],
            "run": [models[key].name for key in table["model"]],
            "dataset": [models[key].dataset for key in table["model"]],
        }
    if not models:
        return {}
    first, *more = models.values()
    named = {f"run_{key.lower()}": model.name for key, model in models.items()}
    return (named if more else {"run": first.name}) | {"dataset": first.dataset} | labels


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The models' tables below each other, with a column that tells whose a line is."""
    return pd.concat(tables, names=["model"]).reset_index("model")
