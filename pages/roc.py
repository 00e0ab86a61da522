"""ROC: what each expression costs in false alarms, whatever the threshold."""

import pandas as pd
import streamlit as st

from dashboard import figures, loading
from dashboard.selection import current
from dashboard.widgets import csv_button, heading, models_line
from fercore.evaluation import evaluate

selection = current()
heading(
    "ROC curves",
    "One expression against the six others: how many of its images are found (up) for how many "
    "false alarms (right), as the threshold on its probability falls. The dotted line is guessing; "
    "the nearer to the upper left corner, the better. AUC is the area under the curve.",
)
models_line(selection)

tables = {key: loading.predictions(run, selection.part) for key, run in selection.models.items()}
st.plotly_chart(figures.roc_figure(tables), config=figures.STATIC, alt="ROC curves per class")

rows = []
for key, table in tables.items():
    scores = evaluate(table)
    aucs = {row["class"]: row["auc"] for row in scores["per_class"]}
    rows.append({"model": key, **aucs, "macro": scores["macro_auc"], "micro": scores["micro_auc"]})
areas = pd.DataFrame(rows)
st.dataframe(
    areas,
    hide_index=True,
    column_config={
        name: st.column_config.NumberColumn(format="%.3f") for name in areas.columns[1:]
    },
)
st.caption(
    "Macro: the mean of the seven. Micro: all decisions 'is this image of this class?' together."
)
csv_button(areas, "auc")
