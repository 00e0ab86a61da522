"""Confusion: which expression is taken for which, by A, by B, and the difference."""

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.base import figures, loading, theme
from dashboard.base.charts import show_figure
from dashboard.base.clicks import Point, clickable_figure
from dashboard.base.selection import ANY, choose_cell, current_with_predictions
from dashboard.base.widgets import csv_button, heading, letter, models_line
from fercore.labels import CLASSES
from fercore.scoring.metrics import confusion_matrix

selection = current_with_predictions()
heading(
    "Confusion",
    "Each row is a label, each column what the model said; the diagonal is right, everything else "
    "wrong. Click a cell, or choose its label and prediction in the sidebar, to see its faces.",
)
models_line(selection)

tables = {key: loading.predictions(run, selection.part) for key, run in selection.models.items()}
counts = {key: confusion_matrix(table.labels, table.predicted) for key, table in tables.items()}
normalise = st.segmented_control(
    "Percent and colour", list(figures.NORMALISATIONS), default="row", required=True,
    format_func=figures.NORMALISATIONS.get, key="normalise", bind="query-params",
)  # fmt: skip


def take_click(point: Point) -> None:
    choose_cell(point["y"], point["x"])


def clickable(place, figure, view: str) -> None:
    with place:
        clickable_figure(
            figure, f"confusion-{view}-{selection.part}", take_click,
            alt=f"Confusion matrix {view}",
        )  # fmt: skip


def confusion_lines(
    counts: dict[str, np.ndarray], differences: pd.DataFrame | None
) -> pd.DataFrame:
    """A line per cell: each model's count and share of the label, and whether they differ."""
    lines = pd.DataFrame(
        [(true, said) for true in CLASSES for said in CLASSES], columns=["label", "predicted"]
    )
    for key, matrix in counts.items():
        lines[f"{key.lower()}_count"] = matrix.ravel()
        shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        lines[f"{key.lower()}_share"] = shares.ravel()
    return lines if differences is None else lines.merge(differences, on=["label", "predicted"])


cell = st.container(border=True)
places = st.columns(len(tables))
for place, (key, matrix) in zip(places, counts.items()):
    figure = figures.confusion_figure(
        matrix, title=f"{key} · {selection.models[key].title}", normalise=normalise,
        selected=selection.cell,
    )  # fmt: skip
    clickable(place, figure, key)

with cell:
    true, predicted = selection.cell
    if ANY in selection.cell:
        st.markdown("No cell is chosen. Click one, or pick a label and a prediction.")
    else:
        row, column = CLASSES.index(true), CLASSES.index(predicted)
        for key, matrix in counts.items():
            of_row = matrix[row].sum()
            st.markdown(
                f"{letter(key)} says **{predicted}** where the label says **{true}**: "
                f"{theme.count(matrix[row, column])} of {theme.count(of_row)} images, "
                f"{theme.percent(matrix[row, column] / max(of_row, 1))}"
            )

differences = None
if selection.paired:
    st.subheader("A against B", anchor=False)
    st.caption(
        "Left: images, and points of the row, that A puts into a cell more often than B. A star: "
        "beyond chance (exact sign test on the images that they treat differently, corrected for "
        "49 cells after Holm). Right: what B says where A says something; on the diagonal they "
        "agree, right or wrong."
    )
    left, right = st.columns(2)
    differences = loading.cell_differences(selection.a, selection.b, selection.part)
    marked = differences.pivot(index="label", columns="predicted", values="p_holm") < 0.05
    marked = marked.loc[list(CLASSES), list(CLASSES)].to_numpy()
    clickable(
        left,
        figures.difference_figure(
            counts["A"], counts["B"], title="A − B", marked=marked, selected=selection.cell
        ),
        "A − B",
    )
    said = confusion_matrix(tables["A"].predicted, tables["B"].predicted)
    with right:
        show_figure(
            figures.confusion_figure(
                said, title="What B says where A says …", normalise=normalise, rows="A says"
            ),
            alt="Predictions of A against those of B",
        )
about = {"models": selection.models, "part": selection.part}
with st.container(horizontal=True):
    csv_button(confusion_lines(counts, differences), "confusion", label="Cells as CSV", **about)
    if selection.paired:
        pairs = [(of_a, of_b) for of_a in CLASSES for of_b in CLASSES]
        csv_button(
            pd.DataFrame(pairs, columns=["a_predicted", "b_predicted"]).assign(count=said.ravel()),
            "a-against-b", label="A against B as CSV", **about,
        )  # fmt: skip
