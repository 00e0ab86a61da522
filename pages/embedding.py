"""Embedding: which faces look alike to a model, and where its mistakes lie."""

from dataclasses import replace

import streamlit as st

from dashboard.base import image_loading
from dashboard.base.charts import show_figure
from dashboard.base.current import current_with_predictions, one_seed_each
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.keys import LASSO
from dashboard.base.parameters import COLOURINGS
from dashboard.base.selection import ANY
from dashboard.base.widgets import letter, one_of, one_of_these
from dashboard.compare import extras_view
from dashboard.compare.marks_panel import save_subset
from dashboard.compare.slices_view import selected
from dashboard.faces.face_grid import first_faces, open_chosen
from dashboard.faces.get_faces import images_missing
from fercore import wording
from fercore.analysis.from_weights import describe_selected, placed
from fercore.glossary import explained
from fercore.scoring.predictions import PARTS
from fercore.wording import count

selection = current_with_predictions()
both = ["A", "B"] if selection.pair else ["A"]
heading(
    "Embedding",
    "Each point is a face, and faces that a model finds alike lie together. Draw a lasso around "
    "some to see them, or choose a label and a prediction in the sidebar.",
)
one_of_these("features", both)
if selection.cells["A against B"] == (ANY, ANY):
    selection = replace(selection, of=st.session_state["features"].lower())
selection = one_seed_each(selection)
models_line(selection, to_faces=False)

left, right = st.columns(2)
key = one_of("Features of", both, "features", place=left)
colouring = one_of("Colour", list(COLOURINGS.values()), "colouring", place=right)
if selection.b and not selection.pair:
    left.caption("To see the other model's map, choose it as A.")
run, model = selection.runs[key], key.lower()
table = extras_view.embedding(run)
if table is None:
    extras_view.not_computed(key, run)
    st.stop()

everyone = extras_view.by_place(selection)
images = image_loading.images(selection.a.run)
chosen_rows = everyone.loc[selected(everyone, selection), "row"]
samples = placed(everyone, table)
marked = None
if on_map := st.session_state[LASSO]:
    marked = samples.index.to_series().isin(on_map)
elif selection.words:
    marked = samples["row"].isin(chosen_rows)
chosen = samples if marked is None else samples[marked]
open_chosen(everyone, images, selection, faces=chosen["row"])
if samples.empty:
    anew = f"Run `fercore analyse {run.run_id}` again."
    others = "Choose PrivateTest or PublicTest in the sidebar: maps are made of those."
    st.info(f"The map of {key} is of other images. {anew if selection.part in PARTS else others}")
    st.stop()

if len(samples) < len(everyone):
    st.caption(
        f"{count(len(samples))} of these {count(len(everyone))} images are on the map: "
        "the copy of the dataset that it was made from holds no others."
    )

name = f"map-{run.run_id}-{selection.part}"
show_figure(
    extras_view.embedding_figure(samples, model, colouring, marked=marked),
    key=name,
    on_select=extras_view.lasso_keeper(name),
    selection_mode=("lasso", "box", "points"),
    config={"displaylogo": False, "scrollZoom": False},
    alt=f"Map of {key}'s features",
)
st.caption(f"Of the features before the classifier. {explained('t-SNE')}")

what = "On the map" if on_map else selection.words or "All"
with st.container(horizontal=True, vertical_alignment="center"):
    st.subheader(f"{what}: {count(len(chosen))} faces", anchor=False, width="content")
    if on_map:
        st.button(
            "Clear", icon=":material/close:", key="clear-lasso",
            on_click=extras_view.forget_lassoed,
        )  # fmt: skip
if chosen.empty:
    st.info("No image fits. Choose another label or prediction, or clear the selection.")
    st.stop()

group = describe_selected(chosen, model)
st.markdown(
    f"{letter(key)} is right on {wording.percent(group.accuracy)} "
    f"{wording.interval(group.interval)}. "
    f"Labels: {extras_view.counts_line(group.labels)}. "
    f"Predictions: {extras_view.counts_line(group.predicted)}."
)
if marked is not None:
    save_subset(chosen, selection, "marked on the map" if on_map else "")
    if images.missing:
        images_missing(selection.a.run, images)
    else:
        first_faces(chosen, images, selection)
csv_button(chosen, "embedding", models=selection.paired_models, part=selection.part)
