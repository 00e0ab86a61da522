"""Overview: which model is better, by how much, and where to look first."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.plain import plain
from dashboard.base.widgets import score_card
from dashboard.compare.accuracy_svg import TITLE, Score, accuracy_svg, in_words
from dashboard.compare.card_panel import card_button
from dashboard.compare.elsewhere_view import elsewhere_in_words
from dashboard.compare.published_view import published_figures, shown_beside
from dashboard.compare.report_button import report_button
from dashboard.compare.start_here import start_here
from dashboard.compare.verdict_view import verdict_in_words
from dashboard.compare.votes_view import votes_in_words
from dashboard.compare.where_to_look import what_to_look_at, where_they_fail
from fercore.groups.verdict import caveats, limits_in_words, title_of, which_faces
from fercore.scoring.grouped.evaluation import headlines
from fercore.scoring.statistics import Interval

selection = current_with_predictions()
heading(
    plain(title_of(selection.models)),
    f"{'Two models name' if selection.b else 'A model names'} one of seven expressions for each "
    f"face, and {'were' if selection.b else 'was'} right as often as this on "
    f"{which_faces(selection.models, selection.part)}. Choose others in the sidebar.",
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
    for caveat in caveats(selection.models, selection.part):
        st.warning(plain(caveat), icon=":material/front_hand:")
    if selection.pair:
        verdict_in_words(*selection.pair, selection.part, beside_paper=on_fer2013)
    st.markdown(limits_in_words(scores))
    start_here()

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
