"""Overview: which model is better, by how much, and where to look first."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.failures import errors_told
from dashboard.base.parameters import cell_link, link
from dashboard.base.plain import plain
from dashboard.base.selection import current_with_predictions
from dashboard.base.widgets import csv_button, heading, models_line, score_card
from dashboard.compare.accuracy_svg import Score, accuracy_svg, in_words
from dashboard.compare.published_view import published_figures, shown_beside
from dashboard.compare.verdict import (
    compares_architectures,
    paper_in_words,
    subject,
    title_of,
    verdict_in_words,
)
from dashboard.faces import face_loading
from fercore import wording
from fercore.labels import CLASSES
from fercore.runs.words import cut_short, epoch_choice
from fercore.scoring.evaluation import confusions
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import Interval

COSTLIEST = 3  # confusions shown; the rest are on their own page


def headline(key: str, scores: dict[str, Any]) -> dict[str, Any]:
    """A model's line of the download."""
    line = {"model": key, "n": scores["n"]}
    for name in ("accuracy", "macro_f1"):
        low, high = scores[f"{name}_interval"]
        line |= {name: scores[name], f"{name}_low": low, f"{name}_high": high}
    return line | {"macro_auc": scores["macro_auc"]}


def counts_of(predictions: Predictions) -> dict[tuple[str, str], int]:
    """How many images of a label are taken for another class, the most frequent first."""
    table = confusions(predictions)
    return dict(zip(zip(table["label"], table["predicted"]), table["count"]))


selection = current_with_predictions()
heading(
    title_of(selection.models),
    "The verdict on one screen: how often each model is right, whether the difference is more "
    "than chance, and the mistakes that cost most. Choose models and images in the sidebar.",
)
verdict = st.container()  # filled below: the figure needs less than the comparison does

scores = {key: loading.metrics(run)[selection.part] for key, run in selection.models.items()}
cards, figure = st.columns([2, 3], vertical_alignment="center")
with cards:
    for key, run in selection.models.items():
        score_card(key, run, scores[key])
accuracies = [
    Score(key, scores[key]["accuracy"], Interval(*scores[key]["accuracy_interval"]))
    for key in selection.models
]
on_fer2013 = all(run.dataset == "FER2013" for run in selection.models.values())
known = shown_beside() if on_fer2013 and selection.part == "private" else None
figure.image(
    accuracy_svg(
        accuracies, references=on_fer2013, published=known, dark=st.context.theme.type == "dark"
    ),
    width="stretch",
    alt=in_words(accuracies),
)
if known:
    figure.caption(plain(known.caveat))

with verdict:
    models_line(selection)
    if selection.pair:
        st.markdown(verdict_in_words(loading.comparison(*selection.pair, selection.part)))
        if paper := paper_in_words(*selection.pair):
            st.markdown(paper)
        st.caption(subject(*selection.pair))
        trained = all(run.trained or run.members for run in selection.pair)
        if trained and compares_architectures(*selection.pair):
            st.page_link(
                **link("does_the_lstm_lose"),
                label="Does the LSTM lose? Over all seeds",
                icon=":material/psychology_alt:",
            )

left, right = st.columns(2)
with left:
    st.subheader("Where they fail")
    wrong = {
        key: counts_of(loading.predictions(run, selection.part))
        for key, run in selection.models.items()
    }
    for true, predicted in list(wrong["A"])[:COSTLIEST]:
        counts = (f"{key} {of_model[true, predicted]}" for key, of_model in wrong.items())
        label = f"{true} → {predicted}: {' · '.join(counts)}"
        st.page_link(
            **cell_link("misclassified", true, predicted, which="a"),
            label=label,
            icon=":material/chevron_right:",
        )
    st.caption("Label → prediction, and how many images. A click opens them.")
    st.page_link(**link("confusion"), label="All confusions", icon=":material/grid_on:")
with right:
    st.subheader("What to look at")
    occurring = [row for row in scores["A"]["per_class"] if row["support"]]
    weakest = min(occurring, key=lambda row: row["recall"])
    of_b = ""
    if "B" in scores:
        recall_b = scores["B"]["per_class"][CLASSES.index(weakest["class"])]["recall"]
        of_b = f" against {wording.percent(recall_b)} for B"
    st.page_link(
        **cell_link("per_class", weakest["class"], metric="recall"),
        label=f"{weakest['class']}: A finds {wording.percent(weakest['recall'])} of them{of_b}",
        icon=":material/bar_chart:",
    )
    parts = loading.metrics(selection.a)
    if "clean" in parts and parts["clean"]["n"] < parts["private"]["n"]:
        copies = parts["private"]["n"] - parts["clean"]["n"]
        st.page_link(
            **link("data_audit"),
            label=f"{wording.percent(copies / parts['private']['n'])} of the test images are "
            f"copies; without them A is at {wording.percent(parts['clean']['accuracy'])}",
            icon=":material/content_copy:",
            help="Images of PrivateTest whose exact pixels also occur in Training or PublicTest.",
        )
    doubted = face_loading.doubted_errors(selection.a, selection.part)
    if doubted is not None:
        st.page_link(
            **link("data_audit"),
            label=f"{wording.percent(doubted)} of A's errors are on labels that lost FER+'s vote",
            icon=":material/rate_review:",
        )
    if selection.a.trained:
        with errors_told("How A learned"):
            epochs = cut_short(selection.a) or f"{len(loading.history(selection.a))} epochs"
            st.page_link(
                **link("training"),
                label=f"A learned for {epochs}; epoch {selection.a.info['best_epoch']} was "
                f"{epoch_choice(selection.a)}",
                icon=":material/trending_up:",
            )

if on_fer2013:
    published_figures()
csv_button(
    pd.DataFrame([headline(key, of) for key, of in scores.items()]),
    "overview", models=selection.models, part=selection.part,
)  # fmt: skip
