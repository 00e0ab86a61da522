"""Training: how each model learned, and which epoch was chosen."""

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.failures import errors_told
from dashboard.base.plain import plain
from dashboard.base.selection import current
from dashboard.base.theme import count
from dashboard.base.widgets import csv_button, heading, model_names, stacked
from dashboard.compare.history_figure import history_figure
from fercore.runs.words import epoch_choice
from fercore.wording import duration

selection = current()
heading(
    "Training curves",
    "Dotted: on Training, under augmentation. Solid: on PublicTest, which chooses the epoch "
    "(ring). Where the solid line turns away while the dotted one goes on, the model learns by "
    "heart. Label smoothing lifts the training loss above what it would otherwise be.",
)
model_names(selection)

trained = {key: run for key, run in selection.models.items() if not run.members}
for key in selection.models.keys() - trained.keys():
    st.info(f"{key} is an ensemble and learned nothing itself. Choose a run that was trained.")
if not trained:
    st.stop()

histories = {}
for key, run in list(trained.items()):
    with errors_told(f"How {key} learned"):
        histories[key] = loading.history(run)
trained = {key: trained[key] for key in histories}
if not trained:
    st.stop()
best = {key: run.info["best_epoch"] for key, run in trained.items()}
show_figure(history_figure(histories, best), alt="Loss and accuracy by epoch")

first = {key: lines.dropna(subset="val_loss")["epoch"].min() for key, lines in histories.items()}
if late := [f"{key} from epoch {epoch} on" for key, epoch in first.items() if epoch > 1]:
    st.caption(f"By the recipe, PublicTest was asked late: {', '.join(late)}.")

facts = pd.DataFrame(
    {
        key: {
            "recipe": plain(f"{run.recipe.name}: {run.recipe.summary}"),
            "trained on": f"{plain(run.dataset)}, "
            f"{count(sum(run.info['dataset']['counts']['Training']))} images",
            "epochs": f"{len(histories[key])}; {best[key]} was {epoch_choice(run)}",
            "parameters": count(run.info["parameters"]),
            "operations per image": f"{run.info['flops_per_image'] / 1e6:.0f} MFLOP",
            "time": f"{duration(run.info['seconds'])}, "
            f"{duration(run.info['seconds'] / len(histories[key]))} per epoch",
            "made on": f"{plain(run.info['hardware']['processor'])}, "
            f"threads: {run.info['hardware']['threads']}, "
            f"{plain(run.info['hardware']['precision'])}",
            "seed": plain(run.info["seed"]),
        }
        for key, run in trained.items()
    }
)
st.table(facts)
csv_button(stacked(histories), "training-curves", models=trained)
