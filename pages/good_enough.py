"""Good enough: what a model has left where answers must be as precise as someone needs."""

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.heading import heading, models_line, not_for
from dashboard.base.parameters import WISHES
from dashboard.base.plain import plain
from dashboard.base.widgets import one_of
from dashboard.compare import good_enough_view as view
from dashboard.compare.figures import recall_figure, wanted_figure
from dashboard.compare.report_button import report_button
from fercore.analysis.marks import guessed_in_words
from fercore.glossary import explained
from fercore.labels import CLASSES

selection = current_with_predictions()
heading(
    "Good enough?",
    "For whoever must decide. Say how often an answer must be right, or how rarely it may be "
    "wrong, for each expression; the model then answers nothing below the threshold that this "
    "takes. What is left is shown on images by which nothing was chosen.",
    "precision", "false-positive rate", "recall", "threshold", "coverage", "confidence",
    "95 % interval", "PublicTest", "PrivateTest",
)  # fmt: skip
selection = view.off_public(selection)
models_line(selection)
not_for()

st.subheader("What is wanted", anchor=False)
kind = one_of("Wanted of each expression", WISHES, "wish")
term = "precision" if kind == "precision" else "false-positive rate"
st.caption(
    f"{explained(term)} "
    + ("At least so many percent; 0: no wish." if kind == "precision" else
       "At most so many percent; 100: no wish.")
)  # fmt: skip
with st.container(horizontal=True):
    for name in CLASSES:
        if kind == "precision":
            st.number_input(f"{name}, %", 0, 100, step=5, key=f"precision-{name}", width=120)
        else:
            st.number_input(
                f"{name}, %", 0.0, 100.0, step=0.5, format="%.1f", key=f"alarms-{name}", width=120
            )
st.toggle(
    "Surely: the end of the 95 % interval must reach it",
    key="surely",
    help="On PublicTest, where the thresholds are chosen. What just holds there is often missed on "
    "other images; this asks for more, and leaves fewer answers.",
)

st.subheader("What is left", anchor=False)
wished = view.wishes()
metric = "precision" if kind == "precision" else "false_alarms"
fit = {}
for key, model in selection.models.items():
    if problem := view.why_no_threshold(model, selection.part):
        st.info(f"{key}: {problem}")
    else:
        fit[key] = model
found = {key: view.left(model, selection.part, wished) for key, model in fit.items()}
for key, one in found.items():
    st.markdown(view.in_words(key, one, selection.part_name))
    if problem := view.cannot_be_met(key, fit[key], one.table):
        st.warning(problem, icon=":material/block:")
if found:
    st.caption(
        f"The thresholds were chosen on PublicTest, the lowest with which the wish holds there; "
        f"all figures here are of {selection.part_name}. A wish that just holds on PublicTest is "
        "often missed on other images, by more the fewer answers are left: what counts is the "
        "interval here. A group's seeds have thresholds of their own; figures are means over those "
        "that answer."
    )
    tables = {key: one.table for key, one in found.items()}
    wanted, recall = st.columns(2)
    with wanted:
        show_figure(wanted_figure(tables, metric), alt="What was wanted, per expression")
    with recall:
        show_figure(recall_figure(tables), alt="Recall that is left, per expression")
    st.dataframe(view.shown(tables, metric), hide_index=True, height="content")
    with st.container(horizontal=True):
        csv_button(stacked(tables), "good-enough", models=fit, part=selection.part)
        if selection.pair:
            report_button(*selection.pair, selection.part)

if found and wished:
    st.markdown("The same wish in a terminal or a pipeline, with an exit code:")
    for place, model in zip(st.columns(len(fit)), fit.values()):
        place.code(view.command(model, selection, wished), language="sh")

st.subheader("Where it is weakest", anchor=False)
pixels = loading.predictions(selection.a, selection.part).pixels
st.caption(
    "With nothing withheld. The worst of many is partly the worst by chance: the corrected p says "
    "whether a slice differs from the other images beyond that. How well it serves people of which "
    f"age, sex or origin is known as far as attributes say it: {plain(selection.a.dataset)} itself "
    f"does not say who is in its pictures. {plain(guessed_in_words(pixels))}"
)
lines = {
    key: pd.DataFrame(view.weakest(of, selection.part)) for key, of in selection.models.items()
}
st.dataframe(
    stacked(lines).reset_index(drop=True), hide_index=True,
    column_config={"which": st.column_config.Column(width=260)},
)  # fmt: skip

st.subheader("What it costs", anchor=False)
st.caption(
    "The model alone, in a process of its own on this machine: the median of single faces on one "
    "thread, its file, and the most memory it held. Finding a face in a photo comes on top. A "
    "group is measured by the seed that stands for it."
)
asked_for = "costs-measured-of"  # which models, so that the answer stays while wishes change
measured = {key: model.identity for key, model in selection.models.items()}
if st.button("Measure on this machine", icon=":material/speed:", key="measure"):
    st.session_state[asked_for] = measured
if st.session_state.get(asked_for) == measured:
    rows, problems = view.costs(selection.models)
    if rows:
        st.table(pd.DataFrame(rows).set_index("model"))
    for problem in problems:
        st.info(problem)
