"""Overview: which model is better, by how much, and where to look first."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button
from dashboard.base.failures import errors_told
from dashboard.base.heading import heading, models_line, way_to_class
from dashboard.base.parameters import cell_link, link
from dashboard.base.plain import plain
from dashboard.base.widgets import score_card
from dashboard.compare.accuracy_svg import TITLE, Score, accuracy_svg, in_words
from dashboard.compare.card_panel import card_button
from dashboard.compare.elsewhere_view import elsewhere_in_words
from dashboard.compare.published_view import published_figures, shown_beside
from dashboard.compare.report_button import report_button
from dashboard.compare.start_here import start_here
from dashboard.compare.votes_view import ceiling_in_words, votes_in_words
from dashboard.faces import face_loading
from fercore import wording
from fercore.glossary import explained
from fercore.groups.group import Group
from fercore.groups.verdict import (
    any_imported,
    compares_architectures,
    limits_in_words,
    paper_in_words,
    power_in_words,
    subject,
    title_of,
    verdict,
)
from fercore.labels import CLASSES
from fercore.runs.words import cut_short, epoch_choice
from fercore.scoring.grouped.evaluation import confusions, headlines
from fercore.scoring.statistics import Interval

COSTLIEST = 3  # confusions shown; the rest are on their own page


def counts_of(model: Group, part: str) -> dict[tuple[str, str], str]:
    """How many images of a label are taken for another class, the most frequent first."""
    table = confusions(loading.predictions(model, part))
    counts = map(wording.mean_count, table["count"])
    return dict(zip(zip(table["label"], table["predicted"]), counts))


selection = current_with_predictions()
heading(
    plain(title_of(selection.models)),
    "Two models name one of seven expressions for each face, and were right as often as this on "
    "faces that they had not seen. Choose others in the sidebar.",
    "FER2013", "CNN", "LSTM", "accuracy", "95 % interval", "macro F1", "macro AUC", "p",
    "beyond chance", "paired interval", "exact McNemar", "Student's t over seeds and images",
    "seed", "group", "margin", "PrivateTest", "without duplicates", "FER+",
)  # fmt: skip
answer = st.container()  # filled below: the figure needs less than the comparison does

scores = {key: loading.scores(model, selection.part) for key, model in selection.models.items()}
cards, figure = st.columns([2, 3], vertical_alignment="center")
with cards:
    for key, model in selection.models.items():
        score_card(key, model, scores[key])
accuracies = [
    Score(
        key, of["accuracy"], Interval(*of["accuracy_interval"]),
        tuple(of.get("accuracy_by_seed", ())),
    )
    for key, of in scores.items()
]  # fmt: skip
on_fer2013 = selection.labels == "dataset" and all(
    model.dataset == "FER2013" for model in selection.models.values()
)
known = shown_beside() if on_fer2013 and selection.part == "private" else None
with figure.container(key="figure-accuracy", gap="xxsmall"):
    st.markdown(f"**{TITLE}**")
    st.image(
        accuracy_svg(
            accuracies, references=on_fer2013, published=known, dark=st.context.theme.type == "dark"
        ),
        width="stretch",
        alt=in_words(accuracies),
    )
if known:
    figure.caption(plain(known.caveat))

with answer:
    models_line(selection)
    if selection.pair:
        result = loading.comparison(*selection.pair, selection.part)
        claim, evidence = verdict(result)
        st.markdown(
            f"**{claim}** {evidence}", help=explained("paired interval", "p", "beyond chance")
        )
    st.markdown(limits_in_words(scores))
    start_here()

if selection.pair:
    with st.expander("What this rests on", icon=":material/rule:"):
        if power := power_in_words(result):
            st.markdown(power)
        if on_fer2013 and (paper := paper_in_words(*selection.pair)):
            st.markdown(paper)
        st.caption(subject(*selection.pair))
        if not any_imported(*selection.pair) and compares_architectures(*selection.pair):
            st.page_link(
                **link("does_the_lstm_lose"),
                label="Does the LSTM lose? Over all seeds",
                icon=":material/psychology_alt:",
            )
for sentence in elsewhere_in_words(selection.models):
    st.caption(sentence)
if voted := votes_in_words(selection.models, selection.part):
    st.caption(voted)
any_group = not all(model.single for model in selection.models.values())
left, right = st.columns(2)
with left:
    st.subheader("Where they fail")
    wrong = {key: counts_of(model, selection.part) for key, model in selection.models.items()}
    for true, predicted in list(wrong["A"])[:COSTLIEST]:
        counts = (f"{key} {of_model[true, predicted]}" for key, of_model in wrong.items())
        label = f"{true} → {predicted}: {' · '.join(counts)}"
        st.page_link(
            **cell_link("misclassified", true, predicted, which="a"),
            label=label,
            icon=":material/chevron_right:",
        )
    how_many = "how many images" + (", in the mean over seeds" if any_group else "")
    st.caption(f"Label → prediction, and {how_many}. A click opens them.")
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
    way_to_class(weakest["class"])
    every, clean = (
        loading.predictions(selection.a, part) if loading.is_scored(selection.a, part) else ()
        for part in ("private", "clean")
    )
    if clean and len(clean) < len(every):
        st.page_link(
            **link("data_audit"),
            label=f"{wording.percent(1 - len(clean) / len(every))} of the test images are "
            f"copies; without them A is at {wording.percent(float(clean.correct.mean()))}",
            icon=":material/content_copy:",
            help=explained("without duplicates"),
        )
    if ceiling := ceiling_in_words(selection.a, selection.part):
        st.page_link(**link("data_audit"), label=ceiling, icon=":material/groups:")
    doubted = face_loading.doubted_errors(selection.a, selection.part)
    if doubted is not None:
        st.page_link(
            **link("data_audit"),
            label=f"{wording.percent(doubted)} of A's errors are on labels that lost FER+'s vote",
            icon=":material/rate_review:",
        )
    run = selection.a.run
    if run.trained:
        with errors_told("How A learned"):
            epochs = cut_short(run) or f"{len(loading.history(run))} epochs"
            chosen = f"; epoch {run.info['best_epoch']} was {epoch_choice(run)}"
            st.page_link(
                **link("training"),
                label=f"A learned for {epochs}{chosen if selection.a.single else ', each seed'}",
                icon=":material/trending_up:",
            )

if on_fer2013:
    published_figures()
with st.container(horizontal=True):
    csv_button(
        headlines(scores), "overview", models=selection.models, part=selection.part
    )  # fmt: skip
    if selection.pair:
        report_button(*selection.pair, selection.part)
    for key, model in selection.models.items():
        card_button(model, f"Model card of {key}")
