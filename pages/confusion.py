"""Confusion: which expression is taken for which, by A, by B, and the difference."""

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.base import figures, loading, theme
from dashboard.base.clicks import Point, clickable_figure
from dashboard.base.figures import NORMALISATIONS
from dashboard.base.selection import (
    ANY,
    PREDICTED,
    PREDICTED_B,
    TRUE,
    choose_cell,
    current_with_predictions,
)
from dashboard.base.widgets import csv_button, heading, letter, models_line
from fercore.labels import CLASSES
from fercore.runs.words import run_title
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
    "Percent and colour", list(NORMALISATIONS), required=True, format_func=NORMALISATIONS.get,
    key="normalise",
)  # fmt: skip


# What the rows and the columns of each matrix select.
AXES = {
    "A": (TRUE, PREDICTED),
    "B": (TRUE, PREDICTED_B),
    "A − B": (TRUE, PREDICTED),
    "A against B": (PREDICTED, PREDICTED_B),
}


def clickable(place, figure, view: str) -> None:
    rows, columns = AXES[view]

    def take_click(point: Point) -> None:
        choose_cell(**{rows: point["y"], columns: point["x"]})

    with place:
        clickable_figure(figure, f"confusion-{view}", take_click, alt=f"Confusion matrix {view}")


def told(sentence: str, row: np.ndarray, matches: np.ndarray) -> None:
    """How many of the images of `row` lie in a cell; both bool (N,)."""
    found, of_row = int((row & matches).sum()), int(row.sum())
    share = theme.percent(found / max(of_row, 1))
    st.markdown(f"{sentence}: {theme.count(found)} of {theme.count(of_row)} images, {share}")


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
        matrix, title=f"{key} · {run_title(selection.models[key])}", normalise=normalise,
        selected=selection.cells[key],
    )  # fmt: skip
    clickable(place, figure, key)

with cell:
    chosen = {matrix: pair for matrix, pair in selection.cells.items() if ANY not in pair}
    if not chosen:
        st.markdown("No cell is chosen. Click one, or pick a label and a prediction.")
    elif selection.paired and "A against B" in chosen:
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
            counts["A"], counts["B"], title="A − B", marked=marked, selected=selection.cells["A"]
        ),
        "A − B",
    )
    said = confusion_matrix(tables["A"].predicted, tables["B"].predicted)
    clickable(
        right,
        figures.confusion_figure(
            said, title="What B says where A says …", normalise=normalise, rows="A says",
            columns="B says", selected=selection.cells["A against B"],
        ),
        "A against B",
    )  # fmt: skip
about = {"models": selection.models, "part": selection.part}
with st.container(horizontal=True):
    csv_button(confusion_lines(counts, differences), "confusion", label="Cells as CSV", **about)
    if selection.paired:
        pairs = [(of_a, of_b) for of_a in CLASSES for of_b in CLASSES]
        csv_button(
            pd.DataFrame(pairs, columns=["a_predicted", "b_predicted"]).assign(count=said.ravel()),
            "a-against-b", label="A against B as CSV", **about,
        )  # fmt: skip
