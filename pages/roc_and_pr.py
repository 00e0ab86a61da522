"""ROC and PR: what each expression costs in false alarms, whatever the threshold."""

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.current import current_with_probabilities
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.parameters import CURVES
from dashboard.base.widgets import explain_toggle, letter, one_of
from dashboard.compare.figures import curves_at
from dashboard.compare.lessons import curve_lesson
from fercore.figures.curves import curves_table, mean_decisions
from fercore.glossary import explained
from fercore.labels import CLASSES
from fercore.scoring.grouped.evaluation import areas
from fercore.wording import UNKNOWN, bounds_of, mean_count, percent, with_interval

EXPLAINED = {
    "roc": "How many of an expression's images are found (up) for how many false alarms (right), "
    "as the threshold on its probability falls. The dotted diagonal is guessing; the nearer to "
    "the upper left corner, the better.",
    "pr": "How many of an expression's images are found (right), and how many of those called so "
    "are right (up), as the threshold falls. The nearer to the upper right corner, the better. "
    "Unlike ROC it shows what rare expressions suffer.",
}
BAND = (
    " Of a group: the mean of its seeds' curves in a 95 % band, at each place by itself, for new "
    "seeds and new images: the seeds as they differ, the images drawn anew, alike for every seed."
)
FROM_TEN = " A precision has one from where ten images are found: of fewer it hangs on too little."

selection = current_with_probabilities()
heading(
    "ROC and PR",
    "One expression against the six others, at every threshold. Move the threshold to see the "
    "points walk along the curves, and the decisions they stand for below.",
    "ROC curve", "PR curve", "threshold", "recall", "precision", "false-positive rate", "AUC",
)  # fmt: skip
models_line(selection)
models = selection.models
tables = {key: loading.predictions(model, selection.part) for key, model in models.items()}
kind = one_of("Curve", CURVES, "curve")
band = BAND + (FROM_TEN if kind == "pr" else "")
alone = all(model.single for model in models.values())
st.caption(EXPLAINED[kind] + ("" if alone else band))
threshold = st.slider(
    "Threshold: at least this probability counts as a yes", 0.0, 1.0, step=0.01,
    key="threshold",
)  # fmt: skip
explain = explain_toggle("the point of one expression, chosen below")
show_figure(
    curves_at(
        tables, kind, threshold, st.session_state["about"] if explain else None
    ),
    alt=f"{CURVES[kind]} curves per class", key="curves-figure",
)  # fmt: skip

expression = one_of("Decisions about", CLASSES, "about")
k = CLASSES.index(expression)
scores = {key: loading.scores(model, selection.part) for key, model in models.items()}
for place, (key, table) in zip(st.columns(len(tables)), tables.items()):
    at = mean_decisions(table, k, threshold)
    place.markdown(
        f"{letter(key)} at {threshold:.2f}: precision **{percent(at.precision)}**, recall "
        f"**{percent(at.recall)}**"
    )
    place.table(
        pd.DataFrame(
            {
                f"called {expression}": [at.true_positives, at.false_positives],
                "not called so": [at.false_negatives, at.true_negatives],
            },
            index=[f"label {expression}", "another label"],
        ).map(mean_count)
    )
    if explain:
        auc = scores[key]["per_class"][k]["auc"]
        place.markdown(curve_lesson(kind, at, expression, threshold, auc))

st.subheader("Areas under the ROC curves", anchor=False)
found = areas(scores)
shown = found.assign(
    auc=[
        with_interval(line["auc"], bounds_of(line, "auc")).removesuffix(f" {UNKNOWN}")
        for line in found.to_dict("records")
    ]
)
st.table(shown.set_index(["class", "model"])["auc"].unstack(sort=False).add_suffix(", %"))
st.caption(explained("AUC", "macro AUC", "micro AUC"))
as_csv = partial(csv_button, models=models, part=selection.part)
with st.container(horizontal=True):
    as_csv(found, "auc", label="Areas as CSV")
    as_csv(lambda: curves_table(tables, kind), f"{kind}-curves", label="Curves as CSV")
