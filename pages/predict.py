"""Predict: the expressions of the faces in one's own photos, or in a clip, by both models."""

import json

import streamlit as st

from dashboard.base import loading
from dashboard.base.current import current_with_answers
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, model_names, not_for
from dashboard.base.parameters import LOOKED_AT, link
from dashboard.base.plain import plain
from dashboard.base.widgets import one_of
from dashboard.faces.clip_view import clip_page
from dashboard.faces.kept_photos import camera_field, photo_field, photo_sources, sample_field
from dashboard.faces.photo_view import (
    forget_others,
    judged,
    judges,
    photo_view,
    remove_button,
    seen,
)
from fercore.errors import ImageError
from fercore.predict.face_results import face_records, face_table

heading(
    "Predict",
    "Photos in, or a clip, and expressions out: faces are found, cut out and reduced to the 48×48 "
    "grey picture shown beside the probabilities, which is all that the models see. Photos and "
    "clips stay in memory until you take them away or close this tab, and are not stored.",
    "confidence", "calibration", "temperature", "unsure", "Grad-CAM",
    "occlusion map",
)  # fmt: skip
not_for()
selection = current_with_answers()
model_names(selection)

if one_of("Look at", LOOKED_AT, "look") == "clip":
    clip_page(selection)
    st.stop()
photo_field()
with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
    sample = sample_field()
    camera = st.toggle("Take a picture with the camera", key="camera", persist_state="session")
if camera:
    camera_field()

sources = photo_sources(sample)
forget_others(sources)
if not sources:
    st.info("Drop photos above, choose a sample, or take a picture.")
    st.stop()

predictors = {key: loading.predictor(run) for key, run in selection.runs.items()}
judged_by = judges(selection, {key: predictor.record for key, predictor in predictors.items()})

results, problems = [], []
for source in sources:
    try:
        photo = seen(source)
    except ImageError as error:
        with st.container(horizontal=True):
            st.error(plain(error))
            remove_button(source)
        problems.append(str(error))
        continue
    answers = {key: judged(source, photo, run) for key, run in selection.runs.items()}
    photo_view(source, photo, answers, judged_by)
    for key, faces in answers.items():
        results += face_records(source.name, faces, predictors[key], judged_by[key].threshold)

if results:
    st.page_link(
        **link("what_if", **{"from": "photo"}), icon=":material/tune:",
        label="What if a face were darker, turned, covered?",
    )  # fmt: skip
    with st.container(horizontal=True):
        csv_button(face_table(results), "faces-in-photos")
        st.download_button(
            "Download as JSON",
            data=json.dumps({"faces": results, "problems": problems}, indent=2, ensure_ascii=False),
            file_name="faces-in-photos.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )
