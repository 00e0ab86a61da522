"""Robustness: what blur, noise, bad light and the like cost each model."""

from dataclasses import replace

import streamlit as st

from dashboard.base import image_loading
from dashboard.base.charts import show_figure
from dashboard.base.current import by_the_datasets_labels, current, one_seed_each
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.failures import errors_told
from dashboard.base.heading import heading, model_names, paired_or_say_so
from dashboard.base.tables import readable
from dashboard.compare import extras_view
from dashboard.faces.get_faces import offer_faces
from fercore.analysis.corruptions import CORRUPTIONS
from fercore.labels import CLASSES
from fercore.wording import signed

selection = replace(current(), part="private")
heading(
    "Robustness",
    "Accuracy when the same images get worse: a panel for each corruption, untouched at the left, "
    "strongest at the right. The flatter the line, the less the model minds; bars are 95 % "
    "intervals.",
    "accuracy", "macro F1", "95 % interval", "group",
)  # fmt: skip
selection = by_the_datasets_labels(one_seed_each(selection), "Robustness is measured")
model_names(selection, f"images: {selection.part_name}")

tables = {}
for key, run in selection.runs.items():
    with errors_told(f"How robust {key} is"):
        table = extras_view.robustness(run)
        if table is None:
            extras_view.not_computed(key, run)
        else:
            tables[key] = table

if len(tables) == 2:
    paired_or_say_so(selection)
if tables:
    show_figure(
        extras_view.robustness_figure(tables),
        alt="Accuracy under each corruption",
    )
    st.subheader("What each corruption costs")
    drops = extras_view.drops_table(tables)
    st.dataframe(readable(drops, dict.fromkeys(drops.columns[1:], signed)), hide_index=True)
    n = ", ".join(
        f"{key} {extras_view.images_in_words(selection.runs[key], table)}"
        for key, table in tables.items()
    )
    st.caption(
        "Points of accuracy (or macro F1) gained or lost against the untouched images: the mean "
        f"over the five strengths, and the strongest alone. Images: {n}; every model sees the same "
        "noise, turns and squares."
    )
    analysed = {key: selection.models[key] for key in tables}
    csv_button(stacked(tables), "robustness", models=analysed, part="private")

st.subheader("What it looks like")
expression = st.selectbox("Label of the example", CLASSES, key="example")
face, real = extras_view.example_face(selection.a.run, expression)
if not real:
    if image_loading.images(selection.a.run).missing:
        st.caption("A drawn face: the images of A are not on this machine.")
        offer_faces(selection.a.run)
    else:
        st.caption(f"A drawn face: none of A's test images that are here is called {expression}.")
with st.grid(min_column_width=420, gap="medium"):
    for kind in CORRUPTIONS:
        st.image(
            extras_view.corruption_strip(face, kind),
            caption=extras_view.scale(kind),
            width="stretch",
        )
