"""Misclassified: the faces behind the numbers, most confident mistakes first."""

import streamlit as st

from dashboard import loading
from dashboard.data_panel import DOWNLOAD_HINT
from dashboard.face_grid import PER_PAGE, face_grid
from dashboard.selection import ANY, cell_pickers, choose_cell, current_with_predictions
from dashboard.theme import count
from dashboard.widgets import csv_button, heading, models_line
from fercore.evaluation import sample_table

selection = current_with_predictions()
heading(
    "Misclassified",
    "The faces a model gets wrong: under each, the label, what the model says instead and how "
    "sure it is. Click one to see it large, with the probabilities of both models.",
)
models_line(selection)

a = loading.predictions(selection.a, selection.part)
b = loading.predictions(selection.b, selection.part) if selection.paired else None
samples = sample_table(a, b)

views = {"A wrong": ~samples["a_correct"]}
if b is not None:
    views |= {
        "B wrong": ~samples["b_correct"],
        "A wrong, B right": ~samples["a_correct"] & samples["b_correct"],
        "A right, B wrong": samples["a_correct"] & ~samples["b_correct"],
        "both wrong": ~samples["a_correct"] & ~samples["b_correct"],
    }
view = st.segmented_control(
    "Which", list(views), default="A wrong", required=True, key="which", bind="query-params"
)
model = "b" if view == "B wrong" else "a"
true, predicted = cell_pickers()
order = st.segmented_control(
    "First",
    ["most confident", "least confident", "row"],
    default="most confident",
    required=True,
    key="order",
    bind="query-params",
)

# A cell on the diagonal holds no mistakes: then it is the right ones that were asked for.
if true == predicted != ANY:
    view, keep = f"{model.upper()} right", samples[f"{model}_correct"]
else:
    keep = views[view]
if true != ANY:
    keep &= samples["label"] == true
if predicted != ANY:
    keep &= samples[f"{model}_predicted"] == predicted
column = "row" if order == "row" else f"{model}_confidence"
found = samples[keep].sort_values(column, ascending=order != "most confident", kind="stable")

cell = f"{true} → {predicted}" if (true, predicted) != (ANY, ANY) else "all classes"
left, right = st.columns([4, 1], vertical_alignment="center")
left.markdown(f"**{view}, {cell}: {count(len(found))} faces** of {count(len(samples))}")
if (true, predicted) != (ANY, ANY):
    right.button("Clear", on_click=choose_cell, args=(ANY, ANY), icon=":material/close:")

if found.empty:
    st.info("No image fits. Choose another cell, or clear the selection.")
    st.stop()

images = loading.images(selection.a)
if images.missing:
    st.info(f"{images.missing}\n\n{DOWNLOAD_HINT}" if not images.position else images.missing)
    st.dataframe(
        found.drop(columns="pixels"),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in found.columns
            if name.endswith("confidence")
        },
    )
else:
    grid = st.container()
    page = st.pagination(-(-len(found) // PER_PAGE), key="page", bind="query-params")
    shown = found.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]
    with grid:
        face_grid(shown, images, model=model, predictions={"A": a} | ({"B": b} if b else {}))
csv_button(found, "misclassified")
