"""Misclassified: the faces behind the numbers, most confident mistakes first."""

from dataclasses import replace

import streamlit as st

from dashboard.base import image_loading
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.keys import SEEDS_WRONG, WHICH
from dashboard.base.selection import ANY, WHOLE_RANGE, cell_in_words
from dashboard.base.sureness import tells_how_sure
from dashboard.base.widgets import one_of, one_of_these, paged
from dashboard.compare.marks_panel import save_subset
from dashboard.compare.slices_view import selected
from dashboard.faces.always_wrong import always_wrong_in_words
from dashboard.faces.face_grid import PER_PAGE, face_grid, face_table, open_chosen
from dashboard.faces.face_order import chosen_order, in_order
from dashboard.faces.get_faces import images_missing
from fercore.scoring.samples import VIEWS, view_mask
from fercore.wording import count

OF_SEEDS = "all seeds of both wrong"

selection = current_with_predictions()
groups = [key for key, model in selection.paired_models.items() if not model.single]
views = list(VIEWS) if selection.pair else ["A wrong", "all"]
if selection.pair and not groups:
    views.remove(OF_SEEDS)
heading(
    "Misclassified",
    "The faces a model gets wrong: under each, the label, what the model says instead and how "
    "sure it is, or how many of a group's seeds are wrong. Click one to see it large, with both "
    "models' probabilities and what they look at.",
    "confidence", "loss", "seed", "slice", "FER+", "Grad-CAM",
)  # fmt: skip
one_of_these(WHICH, views)
said = selection.predicted, selection.predicted_b
if said == (ANY, ANY) and st.session_state[WHICH] == "B wrong":
    selection = replace(selection, of="b")
models_line(selection, to_faces=False)

samples = selection.samples
if groups:
    st.markdown(always_wrong_in_words(samples, selection))
    sure = any(tells_how_sure(selection.models[key], selection.part) for key in groups)
    means = ", and its confidence, loss and margin are means over seeds" if sure else ""
    st.caption(
        f"What a group says is what most of its seeds say ({', '.join(groups)}): it is 'wrong' "
        f"where that is not the label{means}."
    )
view = one_of("Which", views, WHICH)
whose = selection.of.upper()
of_group = whose in groups
order = chosen_order(selection.models[whose], selection.part)
low, high = WHOLE_RANGE
if of_group:
    st.slider(f"Share of {whose}'s seeds that are wrong, %", *WHOLE_RANGE, step=5, key=SEEDS_WRONG)
    low, high = st.session_state[SEEDS_WRONG]

images = image_loading.images(selection.a.run)
found = samples[view_mask(samples, view) & selected(samples, selection)]
if of_group:
    found = found[found[f"{selection.of}_wrong"].between(low / 100, high / 100)]
found = in_order(found, selection.of, order)
open_chosen(samples, images, selection, faces=found["row"])

cell = cell_in_words(selection.true, *said).replace("**", "") or "all classes"
kind = "all faces" if view == "all" else view
st.markdown(f"**{kind}, {cell}: {count(len(found))} faces** of {count(len(samples))}")
if found.empty:
    st.info("No image fits. Choose another cell, or clear the selection.")
    st.stop()

save_subset(found, selection, f"{kind}, {cell}")
if images.missing:
    images_missing(selection.a.run, images)
    face_table(found, selection)
else:
    if images.partly:
        st.caption(images.partly)
    grid = st.container()
    shown = paged(len(found), PER_PAGE, "page")
    with grid:
        face_grid(found.iloc[shown], images, selection)
csv_button(found, "misclassified", models=selection.paired_models, part=selection.part)
