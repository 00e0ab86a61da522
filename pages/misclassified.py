"""Misclassified: the faces behind the numbers, most confident mistakes first."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.selection import ANY, WHICH, current_with_predictions
from dashboard.base.theme import count
from dashboard.base.widgets import csv_button, heading, models_line, paged
from dashboard.compare.slices_view import selected
from dashboard.faces.face_grid import PER_PAGE, face_grid, face_table
from fercore.scoring.evaluation import VIEWS, view_mask

ORDERS = {  # by what, and whether the smallest comes first; a mistake's margin is below zero
    "most confident": ("confidence", False),
    "least confident": ("confidence", True),
    "highest loss": ("loss", False),
    "narrowest margin": ("margin", True),
}

selection = current_with_predictions()
heading(
    "Misclassified",
    "The faces a model gets wrong: under each, the label, what the model says instead and how "
    "sure it is. Click one to see it large, with both models' probabilities and what they look at.",
)
models_line(selection, to_faces=False)

b = selection.b if selection.paired else None
samples = loading.samples(selection.a, b, selection.part)
view = st.segmented_control(
    "Which", VIEWS if b else VIEWS[:1], default=VIEWS[0], required=True, key=WHICH,
    bind="query-params",
)  # fmt: skip
order = st.segmented_control(
    "First", list(ORDERS), default="most confident", required=True, key="order",
    bind="query-params", help="Loss: how little the model gives to the label. Margin: how near "
    "the label was to being said.",
)  # fmt: skip
model = "b" if view == "B wrong" else "a"

# A cell on the diagonal holds no mistakes: then it is the right ones that were asked for.
on_diagonal = selection.true == selection.predicted != ANY
keep = samples[f"{model}_correct"] if on_diagonal else view_mask(samples, view)
keep &= selected(samples, selection, model=model)
column, ascending = ORDERS[order]
found = samples[keep].sort_values(f"{model}_{column}", ascending=ascending, kind="stable", key=abs)

name = f"{model.upper()} right" if on_diagonal else view
cell = "all classes" if selection.cell == (ANY, ANY) else " → ".join(selection.cell)
st.markdown(f"**{name}, {cell}: {count(len(found))} faces** of {count(len(samples))}")
if found.empty:
    st.info("No image fits. Choose another cell, or clear the selection.")
    st.stop()

images = loading.images(selection.a)
if images.missing:
    st.info(images.missing)
    face_table(found, selection)
else:
    if images.partly:
        st.caption(images.partly)
    grid = st.container()
    of = (*selection.identity, view, order)
    shown = paged(len(found), PER_PAGE, "page", of=of, bind="query-params")
    with grid:
        face_grid(found.iloc[shown], images, selection, model=model)
csv_button(found, "misclassified", models=selection.paired_models, part=selection.part)
