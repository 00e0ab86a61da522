"""ROC: what each expression costs in false alarms, whatever the threshold."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import figures, loading
from dashboard.selection import current_with_predictions
from dashboard.widgets import csv_button, heading, models_line

selection = current_with_predictions()
heading(
    "ROC curves",
    "One expression against the six others: how many of its images are found (up) for how many "
    "false alarms (right), as the threshold on its probability falls. The dotted line is guessing; "
    "the nearer to the upper left corner, the better. AUC is the area under the curve.",
)
models_line(selection)


@st.cache_resource(max_entries=20, show_spinner=False)
def drawn(part: str, **created: str) -> go.Figure:
    """The figure of the selected runs; `created` tells one run of a name from the next."""
    models = selection.models.items()
    return figures.roc_figure({key: loading.predictions(run, part) for key, run in models})


created = {f"{key} {run.run_id}": run.info["created"] for key, run in selection.models.items()}
st.plotly_chart(drawn(selection.part, **created), config=figures.STATIC, alt="ROC curves per class")

rows = []
for key, run in selection.models.items():
    scores = loading.metrics(run)[selection.part]
    aucs = {row["class"]: row["auc"] for row in scores["per_class"]}
    rows.append({"model": key, **aucs, "macro": scores["macro_auc"], "micro": scores["micro_auc"]})
areas = pd.DataFrame(rows)
st.table(areas.set_index("model").map(lambda area: "–" if area is None else f"{area:.3f}"))
st.caption(
    "Macro: the mean of the seven. Micro: all decisions 'is this image of this class?' together."
)
csv_button(areas, "auc")
