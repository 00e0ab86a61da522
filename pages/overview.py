"""Overview: which model is better, by how much, and where to look first."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.parameters import link
from dashboard.base.plain import plain
from dashboard.base.widgets import score_card
from dashboard.compare.accuracy_svg import TITLE, Score, accuracy_svg, in_words
from dashboard.compare.card_panel import card_button
from dashboard.compare.elsewhere_view import elsewhere_in_words
from dashboard.compare.published_view import published_figures, shown_beside
from dashboard.compare.report_button import report_button
from dashboard.compare.start_here import start_here
from dashboard.compare.votes_view import votes_in_words
from dashboard.compare.where_to_look import what_to_look_at, where_they_fail
from fercore.glossary import explained
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
from fercore.scoring.grouped.evaluation import headlines
from fercore.scoring.statistics import Interval

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
left, right = st.columns(2)
with left:
    where_they_fail(selection)
with right:
    what_to_look_at(selection, scores)

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
