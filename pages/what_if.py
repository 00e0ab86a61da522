"""What if: one face under sliders, what both models say of it, and where their answer flips."""

import streamlit as st

from dashboard.base.current import current_with_answers
from dashboard.base.heading import heading, model_names, not_for
from dashboard.base.parameters import FACES_FROM
from dashboard.base.widgets import one_of
from dashboard.faces.one_face import in_a_photo, of_the_images
from dashboard.faces.what_if_view import what_if

heading(
    "What if",
    "One face in worse light, turned, blurred, or with a hand before the mouth: what would the "
    "models say? The curve follows the slider that was moved last, and a diamond marks where an "
    "answer flips. Noise is drawn by a fixed seed; a hand is a grey square.",
    "confidence", "Grad-CAM", "occlusion map",
)  # fmt: skip
selection = current_with_answers(to_images=True)
not_for()
model_names(selection, f"images: {selection.part_name}")

controls = st.container(horizontal=True, vertical_alignment="bottom")
with controls:
    kind = one_of("Face", FACES_FROM, "from")
found = of_the_images(selection, controls) if kind == "images" else in_a_photo()
if found is None:
    st.stop()
controls.markdown(found.about, width="content")
what_if(found.face, selection.runs)
st.caption(
    "Probabilities are as the models give them, not calibrated. Between two steps of a slider the "
    "flip is put where the two answers would be equal. What holds for one face holds for one face: "
    "*Robustness* counts all of them."
)
