"""Slices: the kinds of images that a model fails on, worst first; each opens its faces."""

import pandas as pd
import streamlit as st

from dashboard.base import image_loading, loading
from dashboard.base.address import NOT_HERE
from dashboard.base.clicks import Point, clickable_figure, clickable_table
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.heading import heading, models_line, way_to_class
from dashboard.base.plain import plain
from dashboard.base.selecting import choose_slice
from dashboard.base.selection import ANY
from dashboard.base.sureness import tells_how_sure
from dashboard.base.widgets import letter
from dashboard.compare.figures import slices_figure
from dashboard.compare.marks_panel import marks_panel, save_subset
from dashboard.compare.marks_view import crossed_section, gaps_section
from dashboard.compare.slices_view import (
    GROUP_TEST,
    differences_section,
    model_slices,
    slices_in_words,
)
from dashboard.faces import face_loading
from dashboard.faces.face_grid import face_table, first_faces, open_chosen
from dashboard.faces.get_faces import images_missing
from fercore import wording
from fercore.analysis.marks import guessed_in_words
from fercore.data.votes import OTHER_ROWS
from fercore.scoring.slices import FEW, slice_mask, slice_title
from fercore.scoring.statistics import LEVEL
from fercore.wording import count

SINGLE_TEST = "Fisher's exact test"

selection = current_with_predictions()
heading(
    "Slices",
    "The images split by what they have in common: light, contrast, sharpness, agreement of the "
    "labels, copies, class. Within each split the worst slice comes first. Of so many slices some "
    "lie off the dotted line by chance: the corrected p in the table says which do not. Click a "
    "point or a row to see its faces.",
    "slice", "macro F1", "95 % interval", "FER+", "beyond chance", "exact McNemar",
    "Fisher's exact test", "Student's t over seeds and images", "Holm's correction",
)  # fmt: skip
models_line(selection)

models, run = selection.models, selection.a.run
found = {key: model_slices(model, selection.part) for key, model in models.items()}
tables = {key: slices.table for key, slices in found.items()}
scored = {key: loading.predictions(model, selection.part) for key, model in models.items()}
images = image_loading.images(run)
if images.missing:
    images_missing(run, images, "Slices by light and sharpness need them.")
elif images.partly:
    st.caption(f"{images.partly} That goes for the slices by light, contrast and sharpness.")
if run.dataset == "FER2013" and face_loading.votes(run) is None:
    st.caption(OTHER_ROWS)

if tables["A"].empty:
    st.info(
        "Nothing that is known of these images tells some of them from the others: they are of one "
        "expression, and there are no slices by copies, light or votes."
    )
    st.stop()
options = {
    slice_title(line["property"], line["slice"]): line for line in tables["A"].to_dict("records")
}


def take_click(point: Point) -> None:
    choose_slice(slice_title(*point["customdata"][:2]))


everyone = {key: table.correct.mean() for key, table in scored.items()}
clickable_figure(
    slices_figure(tables, everyone), "slices-figure", take_click,
    alt="Accuracy of A and B on each slice",
)  # fmt: skip
small = [title for title, line in options.items() if line["few"]]
if small:
    st.caption(
        f"A ring marks a slice of fewer than {FEW} images, too few to tell: "
        f"{plain(', '.join(small))}."
    )

st.subheader("All slices", anchor=False)
everything = stacked(tables)
titles = [slice_title(*line) for line in zip(everything["property"], everything["slice"])]
clickable_table(
    slices_in_words(everything),
    "slices-table", titles, choose_slice, chosen=selection.slice, height=300, placeholder="–",
)  # fmt: skip
beyond = [
    f"{(table['p_holm'] < LEVEL).sum()} of {key}'s {len(table)} slices"
    for key, table in tables.items()
]
tests = [SINGLE_TEST if model.single else GROUP_TEST for model in models.values()]
guessed = guessed_in_words(scored["A"].pixels)
st.caption(
    f"Beyond chance: {' and '.join(beyond)} (its images against all others, "
    f"{' and '.join(dict.fromkeys(tests))}, p below {LEVEL} after Holm's correction for the number "
    f"of slices). {plain(guessed)}"
)
csv_button(everything, "slices", models=models, part=selection.part)

if selection.pair:
    differences_section(selection, *selection.pair)
crossed_section(selection, found["A"].properties)
gaps_section(selection)

st.subheader("One slice", anchor=False)
title = selection.slice if selection.slice in options else next(iter(options))
if selection.slice not in (title, ANY):
    st.warning(
        f"These images have no slice “{plain(selection.slice)}”. Shown instead: {plain(title)}.",
        icon=NOT_HERE,
    )
chosen = options[title]
st.markdown(
    f"**{plain(title)}**. Click a point or a row above, or choose a slice in the sidebar, for "
    "another."
)
for key, table in tables.items():
    same = (table["property"] == chosen["property"]) & (table["slice"] == chosen["slice"])
    for line in table[same].to_dict("records"):
        f1 = "" if pd.isna(line["macro_f1"]) else f", macro F1 {wording.percent(line['macro_f1'])}"
        bounds = wording.interval(wording.bounds_of(line, "accuracy"))
        st.markdown(
            f"{letter(key)} is right on **{wording.percent(line['accuracy'])}** {bounds} of "
            f"{count(line['n'])} images{f1}: {wording.points(line['difference'])} against "
            "all images"
        )

if chosen["property"] == "class":
    way_to_class(chosen["slice"])

samples = selection.samples
mine = samples[slice_mask(found["A"].properties, chosen["property"], chosen["slice"])]
mine = mine.sort_values(["a_correct", "a_confidence"], ascending=[True, False], kind="stable")
open_chosen(samples, images, selection, faces=mine["row"])
if images.missing:
    face_table(mine, selection)
else:
    known = tells_how_sure(selection.a, selection.part)
    order = ", the most confident ones before the others" if known else ""
    st.caption(f"A's mistakes first{order}.")
    first_faces(mine, images, selection)
save_subset(mine, selection, f"slice {title}")
marks_panel()
