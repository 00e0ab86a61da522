"""The ways from the Overview into the other pages, each with the figure that it leads to."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.base import loading
from dashboard.base.failures import errors_told
from dashboard.base.heading import way_to_class
from dashboard.base.parameters import cell_link, link
from dashboard.base.selection import Selection
from dashboard.compare.votes_view import ceiling_in_words
from dashboard.faces import face_loading
from fercore.glossary import explained
from fercore.groups.group import Group
from fercore.groups.verdict import weakest_class
from fercore.labels import CLASSES
from fercore.runs.words import cut_short, epoch_choice
from fercore.scoring.grouped.evaluation import confusions
from fercore.wording import mean_count, percent

COSTLIEST = 3  # confusions shown; the rest are on their own page

Scores = Mapping[str, Mapping[str, Any]]  # `evaluate`'s, of A and B


def where_they_fail(selection: Selection) -> None:
    """The confusions that cost A most, with B's counts."""
    st.subheader("Where they fail")
    wrong = {key: counts_of(model, selection.part) for key, model in selection.models.items()}
    for true, predicted in list(wrong["A"])[:COSTLIEST]:
        counts = (f"{key} {of_model[true, predicted]}" for key, of_model in wrong.items())
        st.page_link(
            **cell_link("misclassified", true, predicted, which="a"),
            label=f"{true} → {predicted}: {' · '.join(counts)}",
            icon=":material/chevron_right:",
        )
    if all(model.single for model in selection.models.values()):
        st.caption("Label → prediction, and how many images. A click opens them.")
    else:
        st.caption(
            "Label → prediction, and how many images in the mean over seeds. A click opens those "
            "of which most seeds say so."
        )
    st.page_link(**link("confusion"), label="All confusions", icon=":material/grid_on:")


def counts_of(model: Group, part: str) -> dict[tuple[str, str], str]:
    """How many images of a label are taken for another class, the most frequent first."""
    table = confusions(loading.predictions(model, part))
    counts = map(mean_count, table["count"])
    return dict(zip(zip(table["label"], table["predicted"]), counts))


def what_to_look_at(selection: Selection, scores: Scores) -> None:
    """A's weakest class, what copies and labels do to its score, and how it learned."""
    st.subheader("What to look at")
    _weakest(scores)
    if selection.part in ("private", "clean") and selection.labels == "dataset":
        _copies(selection.a)
    if ceiling := ceiling_in_words(selection.a, selection.part):
        st.caption(f":material/groups: {ceiling}.")
    doubted = face_loading.doubted_errors(selection.a, selection.part)
    if doubted is not None:
        st.page_link(
            **link("misclassified", slice="ferplus:disagrees", which="a"),
            label=f"{percent(doubted)} of A's errors are on labels that lost FER+'s vote",
            icon=":material/rate_review:",
        )
    if selection.a.run.trained:
        with errors_told("How A learned"):
            _learning(selection.a)


def _weakest(scores: Scores) -> None:
    weakest = weakest_class(scores["A"])
    of_b = ""
    if "B" in scores:
        of_class = scores["B"]["per_class"][CLASSES.index(weakest["class"])]
        of_b = f" against {percent(of_class['recall'])} for B"
    st.page_link(
        **cell_link("per_class", weakest["class"], metric="recall"),
        label=f"{weakest['class']}: A finds {percent(weakest['recall'])} of them{of_b}",
        icon=":material/bar_chart:",
    )
    way_to_class(weakest["class"])


def _copies(a: Group) -> None:
    every, clean = (
        loading.predictions(a, part) if loading.is_scored(a, part) else ()
        for part in ("private", "clean")
    )
    if clean and len(clean) < len(every):
        st.page_link(
            **link("data_audit"),
            label=f"{percent(1 - len(clean) / len(every))} of the test images are copies; without "
            f"them A is at {percent(float(clean.correct.mean()))}",
            icon=":material/content_copy:",
            help=explained("without duplicates"),
        )


def _learning(a: Group) -> None:
    epochs = cut_short(a.run) or f"{len(loading.history(a.run))} epochs"
    chosen = f"; epoch {a.run.info['best_epoch']} was {epoch_choice(a.run)}"
    st.page_link(
        **link("training"),
        label=f"A learned for {epochs}{chosen if a.single else ', each seed'}",
        icon=":material/trending_up:",
    )
