"""Overview: which model is better, by how much, and where to look first."""

import streamlit as st

from dashboard import figures, loading, theme
from dashboard.navigation import page_path
from dashboard.selection import cell_query, current_with_predictions
from dashboard.widgets import heading, models_line, score_card
from fercore.evaluation import confusions
from fercore.labels import CLASSES
from fercore.references import PAPER
from fercore.statistics import Interval

selection = current_with_predictions()
title = " against ".join(run.title.split(" · ")[0] for run in selection.models.values())
heading(
    title,
    "The verdict on one screen: how often each model is right, whether the difference is more "
    "than chance, and the mistakes that cost most. Choose models and images in the sidebar.",
)
models_line(selection)

if selection.paired:
    result = loading.comparison(selection.a, selection.b, selection.part)
    better, worse = ("A", "B") if result.difference >= 0 else ("B", "A")
    verdict = (
        f"**{better} is right {abs(100 * result.difference):.1f} points more often than {worse}** "
        f"(A − B {theme.points_interval(result.interval)}, exact McNemar "
        f"{theme.p_value(result.p_value)}, n = {theme.count(result.n)})."
        if result.p_value < 0.05
        else f"**No difference beyond chance between A and B** (A − B "
        f"{theme.points(result.difference)} {theme.points_interval(result.interval)}, exact "
        f"McNemar {theme.p_value(result.p_value)}, n = {theme.count(result.n)})."
    )
    if selection.a.dataset == "FER2013":
        verdict += f" The paper saw {100 * (PAPER['CNN'] - PAPER['CNN-LSTM']):.1f} points."
    st.markdown(verdict)
    st.caption(
        "This compares two trained models. A claim about their architectures needs several seeds "
        "of each."
    )

scores = {
    key: loading.metrics(run.run_id, run.info["created"])[selection.part]
    for key, run in selection.models.items()
}
cards, figure = st.columns([2, 3])
with cards:
    for key, run in selection.models.items():
        score_card(key, run, scores[key])
with figure:
    st.plotly_chart(
        figures.accuracy_figure(
            [
                figures.Score(
                    key, run.title, scores[key]["accuracy"],
                    Interval(*scores[key]["accuracy_interval"]),
                )
                for key, run in selection.models.items()
            ],
            references=all(run.dataset == "FER2013" for run in selection.models.values()),
        ),
        config=figures.STATIC,
        alt="Accuracy of each model with its 95 % interval",
    )  # fmt: skip

left, right = st.columns(2)
with left:
    st.subheader("Where they fail")
    tables = {
        key: confusions(loading.predictions(run, selection.part)).set_index(["true", "predicted"])[
            "count"
        ]
        for key, run in selection.models.items()
    }
    for (true, predicted), wrong in tables["A"].head(5).items():
        of_b = f" · B {tables['B'][(true, predicted)]}" if "B" in tables else ""
        label = f"{true} → {predicted}: A {wrong}{of_b}"
        st.page_link(
            page_path("misclassified"),
            label=label,
            icon=":material/chevron_right:",
            query_params=cell_query(true, predicted),
        )
    st.caption("Label → prediction, and how many images. A click opens them.")
with right:
    st.subheader("What to look at")
    weakest = min(scores["A"]["per_class"], key=lambda row: row["f1"])
    of_b = ""
    if "B" in scores:
        recall_b = scores["B"]["per_class"][CLASSES.index(weakest["class"])]["recall"]
        of_b = f" against {theme.percent(recall_b)} for B"
    st.page_link(
        page_path("per_class"),
        label=f"{weakest['class']}: A finds {theme.percent(weakest['recall'])} of them{of_b}",
        icon=":material/bar_chart:",
    )
    parts = loading.metrics(selection.a.run_id, selection.a.info["created"])
    if "clean" in parts and parts["clean"]["n"] < parts["private"]["n"]:
        copies = parts["private"]["n"] - parts["clean"]["n"]
        st.markdown(
            f":material/content_copy: {copies} of the {theme.count(parts['private']['n'])} "
            f"PrivateTest images also occur in Training or PublicTest. Without them A is at "
            f"{theme.percent(parts['clean']['accuracy'])} instead of "
            f"{theme.percent(parts['private']['accuracy'])}."
        )
    gap = selection.a.history()
    chosen = gap[gap["epoch"] == selection.a.info["best_epoch"]].iloc[0]
    st.page_link(
        page_path("training"),
        label=f"A learned for {len(gap)} epochs; epoch {int(chosen['epoch'])} was chosen on "
        "PublicTest",
        icon=":material/trending_up:",
    )
