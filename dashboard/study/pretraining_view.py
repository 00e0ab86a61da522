"""Parts of the page on pretraining, from its study's results."""

import streamlit as st

from dashboard.base.charts import show_figure
from dashboard.base.widgets import csv_button
from dashboard.study import study_figures, study_loading
from dashboard.study.study_view import show_tables, told
from fercore.study.pretraining import FEW, FREEZING, GAIN, WINNER, Pretraining
from fercore.study.variants import TRANSFER

_FIGURES = {  # a topic's title of the figure beneath its answer
    GAIN: "ImageNet's weights against fresh ones, points",
    WINNER: "What pretraining adds to a head's distance to the CNN, points",
    FEW: "Pretrained on fewer images against from scratch on all, points",
    FREEZING: "A frozen trunk against one that learns, points",
}


def answers(results: Pretraining) -> None:
    """Each question with its answer and figure."""
    for answer in results.answers:
        told(answer)
        own = results.contrasts[results.contrasts["family"] == answer.topic]
        if len(own):
            title = _FIGURES[answer.topic]
            show_figure(study_figures.contrasts_figure(own, title), alt=title)
        if answer.topic == FEW and len(results.curve):
            show_figure(
                study_figures.shares_figure(results.curve), alt="Accuracy by share of Training"
            )


def tables(results: Pretraining, part: str) -> None:
    """All variants and contrasts, how the trainings were made, and the downloads."""
    show_tables(results.variants, results.contrasts)
    trainings = study_loading.provenance(TRANSFER)
    with st.expander("How the study was run, and when PrivateTest was scored"):
        st.dataframe(trainings, hide_index=True, placeholder="–")
    found = {
        "variants": results.variants.rename(columns={"model": "architecture"}),
        "contrasts": results.contrasts,
        "curve": results.curve,
        "trainings": trainings,
    }
    with st.container(horizontal=True):
        for name, table in found.items():
            csv_button(
                table, f"pretraining-{name}", label=f"{name.capitalize()} as CSV", study=TRANSFER,
                part=part,
            )  # fmt: skip
