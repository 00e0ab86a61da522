"""Confusion: which expression is taken for which, by A, by B, and the difference."""

import pandas as pd
import streamlit as st

from dashboard import figures, loading, theme
from dashboard.navigation import page_path
from dashboard.selection import ANY, cell_pickers, cell_query, choose_cell, current_with_predictions
from dashboard.widgets import csv_button, heading, letter, models_line
from fercore.evaluation import confusions
from fercore.labels import CLASSES
from fercore.metrics import confusion_matrix

selection = current_with_predictions()
heading(
    "Confusion",
    "Each row is a label, each column what the model said; a cell holds the number of images and "
    "their share of the row. The diagonal is right, everything else wrong. Click a cell, or "
    "choose it below, to see its faces.",
)
models_line(selection)

tables = {key: loading.predictions(run, selection.part) for key, run in selection.models.items()}
counts = {key: confusion_matrix(table.labels, table.predicted) for key, table in tables.items()}
views = [*tables, "A − B"] if len(tables) > 1 else list(tables)
columns = st.columns(2)
places = [columns[place % 2].container() for place in range(len(views) + 1)]


def take_click(key: str) -> None:
    """Make the clicked cell the selection; a second click on it takes it back."""
    marked = st.session_state[key]["selection"]["points"]
    choose_cell(marked[0]["y"], marked[0]["x"]) if marked else choose_cell(ANY, ANY)


with places[-1]:
    st.subheader("One cell")
    chosen = true, predicted = cell_pickers()
    if ANY in chosen:
        st.caption("Nothing is chosen. Click a cell, or pick a label and a prediction.")
    else:
        row, column = CLASSES.index(true), CLASSES.index(predicted)
        for key, matrix in counts.items():
            of_row = matrix[row].sum()
            st.markdown(
                f"{letter(key)} says **{predicted}** where the label says **{true}**: "
                f"{theme.count(matrix[row, column])} of {theme.count(of_row)} images, "
                f"{theme.percent(matrix[row, column] / max(of_row, 1))}"
            )
        link, clear = st.columns(2, vertical_alignment="center")
        link.page_link(
            page_path("misclassified"),
            label="**See the faces**",
            icon=":material/gallery_thumbnail:",
            query_params=cell_query(true, predicted),
        )
        clear.button("Clear", on_click=choose_cell, args=(ANY, ANY), icon=":material/close:")
    csv_button(pd.concat({key: confusions(table) for key, table in tables.items()}), "confusions")

for place, view in zip(places, views, strict=False):
    if view == "A − B":
        figure = figures.difference_figure(
            counts["A"], counts["B"], title="A − B: images, and points of the row", selected=chosen
        )
    else:
        title = f"{view} · {selection.models[view].title}"
        figure = figures.confusion_figure(counts[view], title=title, selected=chosen)
    key = f"confusion-{view}-{selection.part}"
    place.plotly_chart(
        figure,
        key=key,
        on_select=lambda key=key: take_click(key),
        selection_mode="points",
        config=figures.STATIC,
        alt=f"Confusion matrix {view}",
    )
