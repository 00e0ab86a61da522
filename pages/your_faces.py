"""Your faces: labelled photos of one's own made into a dataset, and a model fine-tuned on it."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.access import write_or_say_why
from dashboard.base.heading import heading, not_for
from dashboard.own.faces_view import stored_view
from dashboard.own.photos_view import photo_form, preview
from fercore.data.stored_faces import stored_faces

heading(
    "Your faces",
    "Teach a model the faces it will meet. Sort photos into folders named after the expressions, "
    "`happy/`, `sad/`, …, at least two of the seven with three faces each. The largest face of "
    "each photo is cut out as in Predict. Photos stay in memory; only the 48×48 faces are kept, "
    "on this machine, and only if you say so.",
)
not_for()
if not write_or_say_why("faces"):
    st.stop()

photo_form()
st.caption(
    "Pictures taken in one go look alike: where they fall into training and test both, the test "
    "is too easy. With folders `train/`, `val/` and `test/` around the expressions you decide."
)
preview()
st.subheader("Kept faces", anchor=False)
stored_view(stored_faces(), loading.runs())
