"""Parts of the study's page, from its results."""

import pandas as pd
import streamlit as st

from dashboard.base.address import NOT_HERE
from dashboard.base.charts import show_figure
from dashboard.base.downloads import csv_button
from dashboard.base.parameters import STUDY_CURVES
from dashboard.base.plain import plain
from dashboard.base.tables import Format, readable
from dashboard.study import study_figures, study_loading, study_words
from dashboard.study.reading_svg import reading_svg
from fercore.models import MODELS
from fercore.study.answers import Answer
from fercore.study.contrasts import (
    CONDITIONS_FAMILY,
    OF_CLASSES,
    OTHER_HEADS,
    PLANNED_HEADS,
    UNDER_CHANGE,
)
from fercore.study.results import StudyResults
from fercore.wording import bounds_in, count, number, p_value, percent, points_interval, signed

_DIFFERENCE = "CNN − CNN-LSTM"
_FIGURES = {  # a topic's family of contrasts, drawn beneath its answer
    "heads": (PLANNED_HEADS, "Each head against the CNN, points"),
    "conditions": (CONDITIONS_FAMILY, f"What a change adds to {_DIFFERENCE}, points"),
    "classes": (OF_CLASSES, f"Recall of each class, {_DIFFERENCE}, points"),
}
_EXPLORATORY = (
    (OTHER_HEADS, "Other heads against the CNN, points"),
    (UNDER_CHANGE, f"{_DIFFERENCE} under each change, points"),
)
_FORMATS: dict[str, Format] = {
    "accuracy %": number,
    "macro F1 %": number,
    "PublicTest %": number,
    "parameters": count,
    "MFLOP": number,
    "ms per face": "{:.2f}",
    "points": signed,
}


def planned_answers(results: StudyResults) -> None:
    """The verdict, then each question of the plan with its answer and figure."""
    if results.verdict:
        st.subheader(results.verdict, anchor=False)
    for answer in results.answers:
        if answer.planned:
            told(answer)
            _figure(answer.topic, results)


def exploratory_answers(results: StudyResults) -> None:
    for answer in results.answers:
        if not answer.planned:
            told(answer)
            _figure(answer.topic, results)
    if len(results.pairs):
        show_figure(
            study_figures.pairs_figure(results.pairs, "Ordinary choices, alone and two at once"),
            alt="CNN and CNN-LSTM under each choice",
        )
    for family, title in _EXPLORATORY:
        _family(results, family, title)
    show_figure(study_figures.variants_figure(results.variants), alt="Accuracy of every variant")
    show_figure(study_figures.cost_figure(results.variants), alt="Accuracy against size and time")


def how_it_was_planned() -> None:
    """What was seen before, folded."""
    with st.expander("How the recipes came about, and what was seen before the plan"):
        st.markdown(study_words.what_was_seen())


def how_it_was_run(name: str) -> None:
    """How the trainings were made, folded."""
    trainings = study_loading.provenance(name)
    with st.expander("How the study was run, and when PrivateTest was scored"):
        st.markdown(study_words.how_it_was_run(trainings))
        st.markdown(study_words.when_it_was_scored(study_loading.times_scored(name)))
        st.dataframe(trainings, hide_index=True, placeholder="–")
        csv_button(trainings, "trainings", label="Trainings as CSV", study=name)


def learning_curves(results: StudyResults) -> None:
    """PublicTest accuracy by epoch, of the variants that are chosen."""
    state = st.session_state
    titles = dict(zip(results.variants["variant"], results.variants["title"]))
    for name in [name for name in state["curves"] if name not in titles]:
        if name not in STUDY_CURVES:
            st.warning(
                f"The link names the variant “{plain(name)}”, which is not here.", icon=NOT_HERE
            )
    state["curves"] = [name for name in state["curves"] if name in titles]
    chosen = st.multiselect(
        "Learning curves of", list(titles), format_func=titles.__getitem__, key="curves"
    )
    curves = {name: study_loading.study_curves(results.study.name, name) for name in chosen}
    if curves:
        show_figure(
            study_figures.curves_figure({titles[name]: curve for name, curve in curves.items()}),
            alt="Learning curves",
        )
        csv_button(
            pd.concat(curves, names=["variant"]).reset_index("variant"), "learning-curves",
            label="Learning curves as CSV", study=results.study.name,
        )  # fmt: skip


def readings(variants: pd.DataFrame) -> None:
    """How each head reads the map, drawn."""
    with st.grid(min_column_width=170, gap="small"):
        for _, line in variants[variants["condition"] == ""].iterrows():
            with st.container(border=True):
                model = MODELS[line["model"]]
                st.image(reading_svg(line["model"]), width="stretch", alt=f"{model.title}, drawn")
                st.markdown(f"**{model.title}** {percent(line['accuracy'])}")
                st.caption(model.summary)


def tables(
    name: str, part: str, variants: pd.DataFrame, contrasts: pd.DataFrame, **more: pd.DataFrame
) -> None:
    """A study's two tables, readable, and downloads of them and of `more`."""
    for table in (_variants(variants), _contrasts(contrasts)):
        st.dataframe(readable(table, _FORMATS), hide_index=True, placeholder="–")
    whole = {"variants": variants.rename(columns={"model": "architecture"}), "contrasts": contrasts}
    with st.container(horizontal=True):
        for what, table in (whole | more).items():
            if len(table):
                label = f"{what.replace('_', ' ').capitalize()} as CSV"
                csv_button(table, what.replace("_", "-"), label=label, study=name, part=part)


def told(answer: Answer) -> None:
    """A question and its answer."""
    st.markdown(f"**{answer.question}** {answer.answer}")


def _figure(topic: str, results: StudyResults) -> None:
    beside_the_margin = {
        "equivalence": (results.primary, f"{_DIFFERENCE}, points"),
        "splits": (results.splits, f"{_DIFFERENCE} on fresh splits, points"),
    }
    if topic in _FIGURES:
        _family(results, *_FIGURES[topic])
    elif topic in beside_the_margin:
        table, title = beside_the_margin[topic]
        if len(table):
            show_figure(study_figures.contrasts_figure(table, title, margin=True), alt=title)


def _family(results: StudyResults, family: str, title: str) -> None:
    own = results.contrasts[results.contrasts["family"] == family]
    if len(own):
        show_figure(study_figures.contrasts_figure(own, title), alt=title)


def _variants(variants: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "variant": variants["title"],
            "seeds": variants["seeds"],
            "accuracy %": 100 * variants["accuracy"],
            "macro F1 %": 100 * variants["macro_f1"],
            "PublicTest %": 100 * variants["public_accuracy"],
            "parameters": variants["parameters"],
            "MFLOP": variants["flops_per_image"] / 1e6,
            "ms per face": variants["latency_ms"],
            "uncommitted": variants["uncommitted"],
        }
    )


def _contrasts(contrasts: pd.DataFrame) -> pd.DataFrame:
    bounds = bounds_in(contrasts, "difference")
    return pd.DataFrame(
        {
            "family": contrasts["family"],
            "contrast": contrasts["title"],
            "seeds": contrasts["of_seeds"],
            "points": 100 * contrasts["difference"],
            "interval": [points_interval(pair) for pair in bounds],
            "corrected p": contrasts["p_holm"].map(p_value),
            "planned": contrasts["planned"],
        }
    )
