"""Confusion: which expression is taken for which, by A, by B, and the difference."""

from functools import partial

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.base import loading
from dashboard.base.clicks import Point, clickable_figure
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.keys import PREDICTED, PREDICTED_B, TRUE
from dashboard.base.parameters import NORMALISATIONS
from dashboard.base.selecting import choose_cell
from dashboard.base.selection import ANY
from dashboard.base.widgets import explain_toggle, letter, one_of
from dashboard.compare.figures import confusion_figure, difference_figure
from dashboard.compare.lessons import cell_lesson, taught_cell
from fercore import wording
from fercore.figures.confusion import Counts
from fercore.labels import CLASSES
from fercore.scoring.grouped.evaluation import mean_confusion, said_against
from fercore.scoring.matrices import cell_counts, cells_of_models, share_of
from fercore.scoring.statistics import LEVEL
from fercore.wording import count

selection = current_with_predictions()
heading(
    "Confusion",
    "Each row is a label, each column what the model said; the diagonal is right, everything else "
    "wrong. Click a cell, or choose its label and prediction in the sidebar, to see its faces.",
    "confusion matrix", "recall", "precision", "beyond chance", "Holm's correction",
)  # fmt: skip
models_line(selection)

models = selection.models
tables = {key: loading.predictions(model, selection.part) for key, model in models.items()}
counts = {key: mean_confusion(table) for key, table in tables.items()}
groups = not all(model.single for model in models.values())
if groups:
    st.caption("Of a group, the counts are means over its seeds.")
with st.container(horizontal=True, vertical_alignment="bottom"):
    normalise = one_of("Percent and colour", NORMALISATIONS, "normalise")
    explain = explain_toggle("one row, one column and the cell where they cross")
taught = taught_cell(counts["A"], *selection.cells["A"], selection.predicted_b) if explain else None


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


def told(sentence: str, matrix: Counts, row: str, column: str) -> None:
    """How many of the images of a row lie in a cell."""
    line = matrix[CLASSES.index(row)]
    found, of_row = float(line[CLASSES.index(column)]), float(line.sum())
    share = wording.percent(float(share_of(found, of_row)))
    st.markdown(
        f"{sentence}: {wording.mean_count(found)} of {wording.mean_count(of_row)} images, {share}"
    )


cell = st.container(border=True)
places = st.columns(len(tables))
for place, (key, matrix) in zip(places, counts.items()):
    figure = confusion_figure(
        matrix, title=f"{key} · {models[key].title}", normalise=normalise,
        selected=taught or selection.cells[key], taught=taught,
    )  # fmt: skip
    clickable(place, figure, key)
    if taught:
        place.markdown(cell_lesson(matrix, *taught))

against = said_against(tables["A"], tables["B"]) if selection.pair else None
with cell:
    chosen = {
        matrix: pair
        for matrix, pair in selection.cells.items()
        if ANY not in pair and (matrix != "A against B" or against is not None)
    }
    if not chosen:
        instead = " Explained is the commonest mistake of A." if taught else ""
        st.markdown(f"No cell is chosen. Click one, or pick a label and a prediction.{instead}")
    elif against is not None and "A against B" in chosen:
        said_a, said_b = chosen["A against B"]
        told(
            f"{letter('B')} says **{said_b}** where {letter('A')} says **{said_a}**",
            against, said_a, said_b,
        )  # fmt: skip
    else:
        of_faces, (true, said) = next(iter(chosen.items()))
        for key, matrix in counts.items():
            told(
                f"{letter(key)} says **{said}** where the label says **{true}**",
                matrix, true, said,
            )  # fmt: skip
            if key == of_faces and not models[key].single and key in selection.paired_models:
                samples = selection.samples
                by_most = (samples["label"] == true) & (samples[f"{key.lower()}_predicted"] == said)
                st.caption(
                    f"The mean of its seeds. Most of them say so of {count(by_most.sum())} "
                    "images: those are the faces."
                )

differences = None
if selection.pair and against is not None:
    st.subheader("A against B", anchor=False)
    test = (
        "Student's t over seeds and images" if groups
        else "exact sign test on the images that they treat differently"
    )  # fmt: skip
    st.caption(
        "A − B: images, and points of the row, that A puts into a cell more often than B. A star: "
        f"beyond chance ({test}, corrected for 49 cells after Holm). What B says: on the "
        "diagonal they agree, right or wrong."
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
    clickable(
        right,
        confusion_figure(
            against, title="What B says where A says …", normalise=normalise, rows="A says",
            columns="B says", selected=selection.cells["A against B"],
        ),
        "A against B",
    )  # fmt: skip
as_csv = partial(csv_button, models=models, part=selection.part)
with st.container(horizontal=True):
    as_csv(lambda: cells_of_models(counts, differences), "confusion", label="Cells as CSV")
    if against is not None:
        pairs = cell_counts(against, "a_predicted", "b_predicted")
        as_csv(pairs, "a-against-b", label="A against B as CSV")
