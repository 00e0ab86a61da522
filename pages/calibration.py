"""Calibration: whether a model is as sure as it is right, and what saying 'unsure' would gain."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.base.charts import show_figure
from dashboard.base.current import current_with_probabilities
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.heading import heading, models_line
from dashboard.base.widgets import explain_toggle, letter, one_of
from dashboard.compare import calibration_view
from dashboard.compare.calibration_view import SCALED, TRAINED
from dashboard.compare.figures import reliability_figure
from dashboard.compare.lessons import calibration_lesson
from fercore.figures.reliability import confidence_counts
from fercore.glossary import explained
from fercore.scoring.grouped.calibration import accuracy_at_coverage

selection = current_with_probabilities()
heading(
    "Calibration",
    "Is a model as sure as it is right? Each point is a fifteenth of the images, sorted by "
    "confidence. On the dashed line, confidence and accuracy agree; below it the model is surer "
    "than right, above it less sure than right. A group's figures are means over its seeds.",
    "calibration", "confidence", "95 % interval", "ECE", "temperature", "unsure",
)  # fmt: skip
models_line(selection)

temperatures = {
    key: list(calibration_view.temperatures(model).values())
    for key, model in selection.models.items()
}
shown = TRAINED
if any(temperatures.values()):
    shown = one_of(
        "Probabilities",
        [TRAINED, SCALED],
        "probabilities",
        help_=explained("temperature"),
    )
    st.caption("The temperature T is fitted on PublicTest. T > 1 means over-confident.")
for key, fitted in temperatures.items():
    st.markdown(calibration_view.temperature_in_words(key, fitted))
if selection.part == "public":
    st.info(
        "The temperature was fitted on these very images. To judge what it does, choose "
        "PrivateTest in the sidebar."
    )

versions = {
    key: calibration_view.versions(model, selection.part) for key, model in selection.models.items()
}
models = {key: named.get(shown, named[TRAINED]) for key, named in versions.items()}
taught = None
if explain_toggle("one point of the figure"):
    most = max(len(model.reliability) for model in models.values())
    st.session_state["point"] = min(st.session_state["point"], most)
    taught = st.slider("Point, from the least sure to the surest", 1, max(most, 2), key="point")
show_figure(
    reliability_figure(
        {key: model.predictions for key, model in models.items()},
        {key: model.reliability for key, model in models.items()},
        taught,
    ),
    alt="Reliability diagram",
)
if taught:
    for place, (key, model) in zip(st.columns(len(models)), models.items()):
        place.markdown(f"{letter(key)}\n{calibration_lesson(model.reliability, taught)}")

rows = [
    calibration_view.scores_row(f"{key} {name}", model.scores)
    for key, named in versions.items()
    for name, model in named.items()
]
st.table(pd.DataFrame(rows).set_index("model"))
st.caption(explained("debiased ECE", "ECE", "ECE by chance alone", "Brier score", "NLL"))
with st.container(horizontal=True):
    tables = {key: model.reliability for key, model in models.items()}
    as_csv = partial(csv_button, models=selection.models, part=selection.part, probabilities=shown)
    as_csv(stacked(tables), "reliability")
    sure = {key: confidence_counts(model.predictions) for key, model in models.items()}
    as_csv(stacked(sure), "confidence", label="How sure they are, as CSV")

st.subheader("If it may say 'unsure'", anchor=False)
unsure = st.slider(
    "It may say 'unsure' on this share of the images",
    0,
    90,
    format="%d %%",
    key="unsure",
    help="The images with the lowest confidence are left out.",
)
chosen = {
    key: accuracy_at_coverage(model.predictions, 1 - unsure / 100) for key, model in models.items()
}
for key, result in chosen.items():
    accuracy = float(models[key].predictions.correct.mean())
    st.markdown(calibration_view.unsure_in_words(key, unsure, result, accuracy))
show_figure(
    calibration_view.risk_coverage_figure(models, chosen, unsure / 100),
    alt="Accuracy on the rest, by the share left out",
)
areas = " · ".join(f"{key} {model.risk_area:.3f}" for key, model in models.items())
st.caption(f"{areas}  \n{explained('area under the risk-coverage curve')}")
curves = {key: model.risk_coverage for key, model in models.items()}
as_csv(lambda: stacked(curves), "risk-coverage")
