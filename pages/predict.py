"""Predict: the expressions of the faces in one's own photos, by both models."""

import json
from functools import partial

import streamlit as st

from dashboard.base import loading
from dashboard.base.plain import plain
from dashboard.base.selection import current_with_weights
from dashboard.base.widgets import csv_button, heading, model_names
from dashboard.faces.photo_view import Source, forget_others, judges, photo_view, seen
from fercore.errors import ImageError
from fercore.faces.photos import NAMED, opened_photo
from fercore.predict.face_results import face_records, face_table
from fercore.predict.sample_photos import SAMPLE_PHOTOS, sample_photo

heading(
    "Predict",
    "Photos in, expressions out: faces are found, cut out and reduced to the 48×48 grey picture "
    "shown beside the probabilities, which is all that the models see. A face shows an expression; "
    "what someone feels is not in the picture. Photos stay in memory and are not kept.",
)
selection = current_with_weights()
model_names(selection)

uploads = st.file_uploader(
    f"Photos: {NAMED}",
    accept_multiple_files=True,
    key="photos",
    max_upload_size=50,
)
with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
    sample = st.pills("Or try a sample", list(SAMPLE_PHOTOS), key="sample")
    camera = st.toggle("Take a picture with the camera", key="camera")
shots = [st.camera_input("A picture of your face", key="shot")] if camera else []

sources = [
    Source(upload.file_id, upload.name, partial(opened_photo, upload.getvalue(), upload.name))
    for upload in [*uploads, *filter(None, shots)]
]
if sample:
    name = f"{sample}: {SAMPLE_PHOTOS[sample]}"
    sources.append(Source(sample, name, partial(opened_photo, sample_photo(sample))))
forget_others(sources)
if not sources:
    st.info("Drop photos above, choose a sample, or take a picture.")
    st.stop()

predictors = {
    key: loading.predictor(run.run_id, run.info["created"]) for key, run in selection.models.items()
}
judged_by = judges(selection, {key: predictor.record for key, predictor in predictors.items()})
st.caption(
    "Probabilities are calibrated, and each model's record is counted, on its own PublicTest "
    "images. Photos that differ from them may be harder."
)

results, problems = [], []
for source in sources:
    try:
        photo = seen(source)
    except ImageError as error:
        st.error(plain(error))
        problems.append(str(error))
        continue
    answers = {
        key: predictor.judge(photo.found, photo.faces) for key, predictor in predictors.items()
    }
    photo_view(source, photo, answers, judged_by)
    for key, faces in answers.items():
        results += face_records(source.name, faces, predictors[key], judged_by[key].threshold)

if results:
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
