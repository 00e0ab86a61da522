"""Does the LSTM lose? What the planned study answers, question by question."""

import streamlit as st

from dashboard.base.heading import heading
from dashboard.base.parameters import STUDY_IMAGES
from dashboard.base.widgets import one_of
from dashboard.study import study_loading, study_view, study_words
from fercore.scoring.predictions import PARTS
from fercore.study.contrasts import PLANNED_PART
from fercore.study.standing import can_be_told, standing, study_shown
from fercore.study.store import StudyStore
from fercore.study.variants import MAIN, find_study
from fercore.wording import count

heading(
    "Does the LSTM lose?",
    "Savitri et al. (2026) saw 63.25 % for a CNN, 46.82 % for a CNN-LSTM, and blamed sequence "
    "models. Here one trunk, one recipe and one budget carry both, at the same number of "
    "parameters. The questions, the tests and the margin of ±1 point were written down before the "
    "first training of the study that answers them. Bars are 95 % intervals over seeds and images, "
    "and a filled point is beyond chance; where several contrasts are tested, they are widened for "
    "their number as p is (Holm).",
    "CNN", "LSTM", "recipe", "seed", "95 % interval", "margin", "Holm's correction", "PublicTest",
)  # fmt: skip
study = study_shown()
if note := study_words.which_study(study, standing(find_study(MAIN))):
    st.info(note)
if not can_be_told(study):
    st.info(f"The study has not run yet. Start it with: `fercore study {study.name}`")
    st.stop()

part = one_of(
    "Images",
    STUDY_IMAGES,
    "images",
    help_="The plan's are those of PrivateTest whose exact pixels occur in neither Training nor "
    "PublicTest. PublicTest chose the epochs, so it proves nothing here.",
)
results = study_loading.study(study.name, part)
if missing := len(study.variants) - len(results.variants):
    st.warning(
        f"The study is under way: {missing} of its variants have no training yet. What follows may "
        f"change. Go on with: `fercore study {study.name}`"
    )
shared, every = StudyStore(study.name).scored_everywhere()
if shared < every:
    st.caption(
        f"All of this is on {count(shared)} of {count(every)} test images: those that are in every "
        "copy of the dataset that was trained on."
    )

if part == PLANNED_PART:
    study_view.planned_answers(results)
else:
    st.info(
        f"The plan's images are those of {PARTS[PLANNED_PART]}. On these, with the copies, nothing "
        "is decided: all of it is exploratory."
    )

st.subheader("How it was done", anchor="how-it-was-done")
study_view.how_it_was_planned()
study_view.how_it_was_run(study.name)

st.subheader("Exploratory: not in the plan", anchor=False)
study_view.exploratory_answers(results)
study_view.learning_curves(results)

st.subheader("How each head reads the face", anchor=False)
st.caption(
    "The trunk turns a face into a map of 6×6 places. The colour goes from blue, the first step, "
    "to orange, the last. The face is drawn."
)
study_view.readings(results.variants)

st.subheader("The tables", anchor=False)
st.caption(
    "Means over seeds. PublicTest chose the epochs. 'Uncommitted' counts the trainings by code "
    "that was in no commit."
)
study_view.tables(
    study.name, part, results.variants, results.contrasts, intervals=results.primary,
    fresh_splits=results.splits, pairs=results.pairs,
)  # fmt: skip
