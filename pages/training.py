"""Training: how each model learned, and which epoch was chosen."""

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.current import current, one_seed_each, was_trained_or_say_so
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.failures import errors_told
from dashboard.base.heading import heading, model_names
from dashboard.compare.history_figure import history_figure, training_facts

selection = current()
heading(
    "Training curves",
    "Dotted: on Training, under augmentation. Solid: on PublicTest, which chooses the epoch "
    "(ring). Where the solid line turns away while the dotted one goes on, the model learns by "
    "heart.",
    "epoch", "loss", "label smoothing", "recipe", "seed", "Training", "PublicTest", "cut short",
)  # fmt: skip
seeds = {}
for key, model in selection.models.items():
    if not model.single:
        with errors_told(f"How the seeds of {key} learned"):
            seeds[key] = loading.histories(model)
selection = one_seed_each(selection)
model_names(selection)

histories = {}
for key, run in selection.runs.items():
    if was_trained_or_say_so(key, run, "history"):
        with errors_told(f"How {key} learned"):
            histories[key] = loading.history(run)
trained = {key: selection.runs[key] for key in histories}
if not trained:
    st.stop()
best = {key: run.info["best_epoch"] for key, run in trained.items()}
show_figure(history_figure(histories, best, seeds), alt="Loss and accuracy by epoch")

first = {key: lines.dropna(subset="val_loss")["epoch"].min() for key, lines in histories.items()}
if late := [f"{key} from epoch {epoch} on" for key, epoch in first.items() if epoch > 1]:
    st.caption(f"By the recipe, PublicTest was asked late: {', '.join(late)}.")

facts = pd.DataFrame(
    {key: training_facts(run, len(histories[key])) for key, run in trained.items()}
)
st.table(facts)
csv_button(
    stacked(histories), "training-curves", models={key: selection.models[key] for key in trained}
)
