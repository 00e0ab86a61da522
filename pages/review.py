"""Review: what people say about the labels, and the scores with their word applied."""

import pandas as pd
import streamlit as st

from dashboard.base import image_loading
from dashboard.base.current import by_the_datasets_labels, current_with_predictions
from dashboard.base.downloads import csv_button
from dashboard.base.heading import heading, models_line
from dashboard.base.parameters import link
from dashboard.base.plain import plain
from dashboard.base.selection import ANY
from dashboard.faces.get_faces import images_missing
from dashboard.faces.review_panel import export_button, import_field, reviewed_faces, score_table
from fercore.analysis import review
from fercore.analysis.review import VERDICTS
from fercore.labels import CLASSES
from fercore.wording import count, interval, percent

selection = current_with_predictions()
heading(
    "Review",
    "Your verdicts on the labels, and what the scores become when they are applied: a wrong label "
    "is replaced, an ambiguous or unusable image left out. The data themselves stay as they are.",
)
selection = by_the_datasets_labels(selection, "Verdicts are held against scores")
models_line(selection)

everything = review.verdicts()
content = st.container()
st.subheader("Exchange", anchor=False)
if len(everything):
    export_button()
import_field()

with content:
    if everything.empty:
        st.info(
            "No verdict yet. Open a face on Misclassified and say there whether its label is "
            "right, or import a colleague's verdicts below."
        )
        st.page_link(**link("misclassified"), label="To the misclassified faces")
        st.stop()

    kinds = everything["verdict"].value_counts()
    with st.container(horizontal=True):
        st.metric("Verdicts", count(len(everything)))
        for kind, name in VERDICTS.items():
            st.metric(name, count(int(kinds.get(kind, 0))))

    st.subheader("Scores with my verdicts", anchor=False)
    scores = score_table(selection, everything)
    titles = {key: f"{key} {plain(model.title)}" for key, model in selection.models.items()}
    shown = pd.DataFrame({"model": scores["model"].map(titles)})
    for name, words in (("stored", "as stored"), ("reviewed", "with verdicts")):
        shown[f"accuracy {words}"] = [
            f"{percent(line[f'{name}_accuracy'])} "
            f"{interval((line[f'{name}_accuracy_low'], line[f'{name}_accuracy_high']))}"
            for _, line in scores.iterrows()
        ]
        shown[f"macro F1 {words}"] = scores[f"{name}_macro_f1"].map(percent)
    numbers = {"relabelled": "relabelled", "left out": "left_out", "n left": "reviewed_n"}
    for title, column in numbers.items():
        shown[title] = scores[column].map(count)
    st.table(shown.set_index("model"))
    st.caption(
        "Whoever looks only at the faces that a model got wrong finds only labels that raise its "
        "score: read the difference as how much of the error is the labels', not as a fairer "
        "accuracy. Intervals are at 95 %; a group's figures are means over its seeds."
    )
    csv_button(scores, "scores-with-verdicts", models=selection.models, part=selection.part)

    st.subheader("Verdicts", anchor=False)
    left, right = st.columns(2)
    verdict = left.selectbox(
        "Verdict",
        (ANY, *VERDICTS),
        format_func=lambda kind: VERDICTS.get(kind, kind),
        key="verdict",
    )
    label = right.selectbox("Label", (ANY, *CLASSES), key="label")
    found = review.verdicts(
        verdict=None if verdict == ANY else verdict, label=None if label == ANY else label
    )
    if found.empty:
        st.info("No verdict fits. Choose another verdict or label.")
        st.stop()
    st.dataframe(
        found.drop(columns="pixels").assign(
            verdict=found["verdict"].map(VERDICTS), updated=pd.to_datetime(found["updated"])
        ),
        hide_index=True,
        column_config={
            "should_be": "should be",
            "updated": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm"),
        },
    )
    images = image_loading.images(selection.a.run)
    if images.missing:
        images_missing(selection.a.run, images)
    else:
        reviewed_faces(found, images)
