"""Confusion: which expression is taken for which, by A, by B, and the difference."""

from collections.abc import Mapping
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from dashboard.base import loading, theme
from dashboard.base.clicks import Point, clickable_figure
from dashboard.base.parameters import NORMALISATIONS
from dashboard.base.selection import (
    ANY,
    PREDICTED,
    PREDICTED_B,
    TRUE,
    choose_cell,
    current_with_predictions,
)
from dashboard.base.widgets import csv_button, heading, letter, models_line, one_of
from dashboard.compare.confusion_figures import Counts, confusion_figure, difference_figure
from fercore import wording
from fercore.labels import CLASSES
from fercore.runs.words import run_title
from fercore.scoring.metrics import confusion_matrix
from fercore.scoring.statistics import LEVEL

selection = current_with_predictions()
heading(
    "Confusion",
    "Each row is a label, each column what the model said; the diagonal is right, everything else "
    "wrong. Click a cell, or choose its label and prediction in the sidebar, to see its faces.",
)
models_line(selection)

tables = {key: loading.predictions(run, selection.part) for key, run in selection.models.items()}
counts = {key: confusion_matrix(table.labels, table.predicted) for key, table in tables.items()}
normalise = one_of("Percent and colour", NORMALISATIONS, "normalise")


# What the rows and the columns of each matrix select.
AXES = {
    "A": (TRUE, PREDICTED),
    "B": (TRUE, PREDICTED_B),
    "A − B": (TRUE, PREDICTED),
    "A against B": (PREDICTED, PREDICTED_B),
}


def clickable(place: DeltaGenerator, figure: go.Figure, view: str) -> None:
    rows, columns = AXES[view]

    def take_click(point: Point) -> None:
        choose_cell(**{rows: point["y"], columns: point["x"]})

    with place:
        clickable_figure(figure, f"confusion-{view}", take_click, alt=f"Confusion matrix {view}")


def told(sentence: str, row: NDArray[np.bool_], matches: NDArray[np.bool_]) -> None:
    """How many of the images of `row` lie in a cell; both bool (N,)."""
    found, of_row = int((row & matches).sum()), int(row.sum())
    share = wording.percent(found / max(of_row, 1))
    st.markdown(f"{sentence}: {theme.count(found)} of {theme.count(of_row)} images, {share}")


def confusion_lines(counts: Mapping[str, Counts], differences: pd.DataFrame | None) -> pd.DataFrame:
    """A line per cell: each model's count and share of the label, and whether they differ."""
    lines = pd.DataFrame(product(CLASSES, CLASSES), columns=["label", "predicted"])
    for key, matrix in counts.items():
        lines[f"{key.lower()}_count"] = matrix.ravel()
        shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        lines[f"{key.lower()}_share"] = shares.ravel()
    return lines if differences is None else lines.merge(differences, on=["label", "predicted"])


cell = st.container(border=True)
places = st.columns(len(tables))
for place, (key, matrix) in zip(places, counts.items()):
    figure = confusion_figure(
        matrix, title=f"{key} · {run_title(selection.models[key])}", normalise=normalise,
        selected=selection.cells[key],
    )  # fmt: skip
    clickable(place, figure, key)

with cell:
    chosen = {matrix: pair for matrix, pair in selection.cells.items() if ANY not in pair}
    if not chosen:
        st.markdown("No cell is chosen. Click one, or pick a label and a prediction.")
    elif selection.pair and "A against B" in chosen:
        said_a, said_b = chosen["A against B"]
        in_row, in_column = (
            tables[key].predicted == CLASSES.index(name)
            for key, name in zip("AB", (said_a, said_b))
        )
        told(
            f"{letter('B')} says **{said_b}** where {letter('A')} says **{said_a}**",
            in_row, in_column,
        )  # fmt: skip
    else:
        true, said = next(iter(chosen.values()))
        for key, table in tables.items():
            told(
                f"{letter(key)} says **{said}** where the label says **{true}**",
                table.labels == CLASSES.index(true), table.predicted == CLASSES.index(said),
            )  # fmt: skip

differences = None
if selection.pair:
    st.subheader("A against B", anchor=False)
    st.caption(
        "Left: images, and points of the row, that A puts into a cell more often than B. A star: "
        "beyond chance (exact sign test on the images that they treat differently, corrected for "
        "49 cells after Holm). Right: what B says where A says something; on the diagonal they "
        "agree, right or wrong."
    )
    left, right = st.columns(2)
    differences = loading.cell_differences(*selection.pair, selection.part)
    corrected = differences.pivot(index="label", columns="predicted", values="p_holm")
    marked = corrected.loc[list(CLASSES), list(CLASSES)].to_numpy() < LEVEL
    clickable(
        left,
        difference_figure(
            counts["A"], counts["B"], title="A − B", marked=marked, selected=selection.cells["A"]
        ),
        "A − B",
    )
    against = confusion_matrix(tables["A"].predicted, tables["B"].predicted)
    clickable(
        right,
        confusion_figure(
            against, title="What B says where A says …", normalise=normalise, rows="A says",
            columns="B says", selected=selection.cells["A against B"],
        ),
        "A against B",
    )  # fmt: skip
as_csv = partial(csv_button, models=selection.models, part=selection.part)
with st.container(horizontal=True):
    as_csv(lambda: confusion_lines(counts, differences), "confusion", label="Cells as CSV")
    if selection.pair:
        pairs = pd.DataFrame(product(CLASSES, CLASSES), columns=["a_predicted", "b_predicted"])
        as_csv(pairs.assign(count=against.ravel()), "a-against-b", label="A against B as CSV")
