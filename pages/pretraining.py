"""What pretraining changes: the study `transfer`, question by question."""

import streamlit as st

from dashboard.base.heading import heading
from dashboard.base.parameters import STUDY_IMAGES
from dashboard.base.widgets import one_of
from dashboard.study import pretraining_view, study_loading, study_view
from fercore.study.standing import can_be_told, standing
from fercore.study.variants import TRANSFER, find_study

heading(
    "Pretraining",
    "One trunk with fresh weights, and with those it has learnt from ImageNet's photos; heads with "
    "and without an LSTM on it, as many steps for each, and fewer images. Bars are 95 % intervals "
    "over seeds and images; where several contrasts are tested, they are widened for their number "
    "as p is (Holm).",
    "CNN", "LSTM", "recipe", "seed", "95 % interval", "Holm's correction", "PublicTest",
)  # fmt: skip
study = find_study(TRANSFER)
if not can_be_told(study):
    at = standing(study)
    st.info(
        f"The study {'is under way' if at.trained else 'has not run yet'}: {at.trained} of its "
        f"{at.declared} trainings are finished. It trains for hours, and goes on where it was "
        f"stopped: `fercore study {study.name}`"
    )
    st.stop()

part = one_of(
    "Images",
    STUDY_IMAGES,
    "images",
    help_="Without duplicates: the images of PrivateTest whose exact pixels occur in neither "
    "Training nor PublicTest.",
)
results = study_loading.pretraining(part)
pretraining_view.answers(results)

st.subheader("The tables", anchor=False)
st.caption("Means over seeds. PublicTest chose the epochs.")
study_view.tables(TRANSFER, part, results.variants, results.contrasts, curve=results.curve)
study_view.how_it_was_run(TRANSFER)
