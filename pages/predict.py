"""Predict: the expressions of the faces in one's own photos, by both models."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard import loading
from dashboard.photo_view import photo_view
from dashboard.selection import current
from dashboard.widgets import csv_button, heading, model_names
from fercore.errors import ImageError
from fercore.faces import find_faces
from fercore.labels import CLASSES
from fercore.photos import SUFFIXES, open_photo
from fercore.sample_photos import SAMPLE_PHOTOS, sample_photo

selection = current()
heading(
    "Predict",
    "Photos in, expressions out: faces are found, cut out and reduced to the 48×48 grey picture "
    "shown beside the probabilities, which is all that the models see. A face shows an expression; "
    "what someone feels is not in the picture. Photos stay in memory and are not kept.",
)
model_names(selection)

uploads = st.file_uploader(
    "Photos", type=list(SUFFIXES), accept_multiple_files=True, key="photos", max_upload_size=50
)
sample = st.pills("Or try a sample", list(SAMPLE_PHOTOS), key="sample")

photos = [(upload.name, partial(open_photo, upload.getvalue(), upload.name)) for upload in uploads]
if sample:
    photos.append((sample, partial(sample_photo, sample)))
if not photos:
    st.info("Drop photos above, or choose a sample.")
    st.stop()

predictors = {
    key: loading.predictor(run.run_id, run.info["created"]) for key, run in selection.models.items()
}
results = []
for name, read in photos:
    try:
        photo = read()
    except ImageError as error:
        st.error(str(error))
        continue
    boxes = find_faces(photo)
    faces = {key: predictor.look(photo, boxes) for key, predictor in predictors.items()}
    photo_view(name, photo, faces)
    for key, found in faces.items():
        for number, face in enumerate(found, start=1):
            results.append(
                {"photo": name, "face": number, "model": selection.models[key].run_id}
                | {"expression": face.expression}
                | dict(zip(CLASSES, face.probs.tolist(), strict=True))
            )
if results:
    csv_button(pd.DataFrame(results), "expressions")
