"""Per class: precision, recall, F1 and AUC of each expression, with intervals."""

import pandas as pd
import streamlit as st

from dashboard import figures, loading
from dashboard.selection import current_with_predictions
from dashboard.widgets import csv_button, heading, models_line

FEW = 100  # images below which a class's figures are wide guesses
METRICS = {
    "f1": "F1: the harmonic mean of precision and recall.",
    "recall": "Recall: of the images with this label, the share the model finds.",
    "precision": "Precision: of the images the model calls this, the share that are.",
    "auc": "AUC: the chance that an image of this class gets a higher probability for it than "
    "another image.",
}


def metric_title(name: str) -> str:
    return name.upper() if name in ("f1", "auc") else name.capitalize()


selection = current_with_predictions()
heading(
    "Per class",
    "How well each expression is recognised. A point is the figure on these images, the bar its "
    "95 % interval. Below: A minus B on the same images, which tells more than two bars do.",
)
models_line(selection)

tables = {key: loading.classes(run, selection.part) for key, run in selection.models.items()}
metric = st.segmented_control(
    "Metric",
    list(METRICS),
    default="f1",
    required=True,
    format_func=metric_title,
    key="metric",
    bind="query-params",
)
st.caption(METRICS[metric])
st.plotly_chart(figures.class_figure(tables, metric), config=figures.STATIC, alt="Metric per class")
differences = None
if selection.paired:
    differences = loading.class_differences(selection.a, selection.b, selection.part)
    st.plotly_chart(
        figures.class_difference_figure(differences, metric), config=figures.STATIC,
        alt="A minus B per class",
    )  # fmt: skip

small = tables["A"][tables["A"]["support"] < FEW]
if len(small):
    names = ", ".join(f"{row['class']} ({row['support']})" for _, row in small.iterrows())
    st.warning(f"Few images, wide intervals: {names}.", icon=":material/warning:")

columns = ["support", *METRICS]
wide = pd.concat({key: table.set_index("class")[columns] for key, table in tables.items()}, axis=1)
shown = pd.DataFrame({"class": wide.index})
for key in tables:
    for name in METRICS:
        shown[f"{key} {metric_title(name)}"] = 100 * wide[(key, name)].to_numpy()
if differences is not None:
    shown[f"A − B {metric_title(metric)}"] = 100 * differences[metric].to_numpy()
shown["images"] = wide[("A", "support")].to_numpy()
st.dataframe(
    shown,
    hide_index=True,
    column_config={
        name: st.column_config.NumberColumn(format="%.1f %%")
        for name in shown.columns
        if name not in ("class", "images")
    },
)
csv_button(pd.concat(tables, names=["model"]).reset_index("model"), "per-class")
