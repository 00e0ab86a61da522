"""Per class: precision, recall, F1 and AUC of each expression, with intervals."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.clicks import Point, clickable_figure, clickable_table
from dashboard.base.current import current_with_predictions
from dashboard.base.downloads import csv_button, stacked
from dashboard.base.heading import heading, models_line, way_to_class
from dashboard.base.keys import METRIC
from dashboard.base.selecting import choose_cell
from dashboard.base.selection import ANY
from dashboard.base.tables import Format, readable
from dashboard.base.widgets import one_of
from dashboard.compare.figures import class_difference_figure, class_figure
from fercore import wording
from fercore.figures.classes import metric_title
from fercore.glossary import explained
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.grouped.evaluation import comparison_table

FEW = 100  # images below which a class's figures are wide guesses
TERMS = {"f1": "F1", "recall": "recall", "precision": "precision", "auc": "AUC"}

_BELOW = "Below: A minus B on the same images, which tells more than two bars do. "
selection = current_with_predictions()
heading(
    "Per class",
    "How well each expression is recognised. A point is the figure on these images, the bar its "
    "95 % interval; of a group it is the mean over seeds, and each seed a faint tick. "
    f"{_BELOW if selection.pair else ''}Click a point or a row to select that label.",
    *TERMS.values(), "95 % interval", "paired interval", "beyond chance", "Holm's correction",
)  # fmt: skip
models_line(selection)

tables = {key: loading.classes(model, selection.part) for key, model in selection.models.items()}
seeds = {
    key: loading.class_values(model, selection.part)
    for key, model in selection.models.items()
    if not model.single
}
metric = one_of("Metric", {name: metric_title(name) for name in CLASS_METRICS}, METRIC)
st.caption(explained(TERMS[metric]))


def take_click(point: Point) -> None:
    choose_cell(point["customdata"][0])


clickable_figure(
    class_figure(tables, metric, seeds), f"class-{metric}", take_click, alt="Metric per class"
)
differences = None
if selection.pair:
    differences = loading.class_differences(*selection.pair, selection.part)
    clickable_figure(
        class_difference_figure(differences, metric), f"class-difference-{metric}",
        take_click, alt="A minus B per class",
    )  # fmt: skip
    st.caption(
        "A bar is the interval of its own class. Beyond chance: p below 0.05 after correction for "
        "the number of classes (Holm), so that a filled point among seven equal classes is as rare "
        "as one test's."
    )

support = tables["A"].set_index("class")["support"]
if absent := list(support.index[support == 0]):
    st.info(f"No image of {', '.join(absent)}: there is nothing to measure of them.")
small = tables["A"][tables["A"]["support"].between(1, FEW - 1)]
if len(small):
    names = ", ".join(f"{row['class']} ({row['support']})" for _, row in small.iterrows())
    st.warning(f"Few images, wide intervals: {names}.", icon=":material/warning:")

title = metric_title(metric)
shown = pd.DataFrame({"class": tables["A"]["class"], "images": tables["A"]["support"]})
formats: dict[str, Format] = {}


def add_columns(
    key: str,
    name: str,
    table: pd.DataFrame,
    written: Callable[[float], str],
    bounds_written: Callable[[tuple[float, float]], str],
) -> None:
    """The metric of a table and its interval."""
    shown[name], formats[name] = table[metric], written
    shown[f"{key}, 95 %"] = list(map(bounds_written, wording.bounds_in(table, metric)))


for key, table in tables.items():
    add_columns(key, f"{key} {title}", table, wording.percent, wording.interval)
if differences is not None:
    add_columns("A − B", "A − B, points", differences, wording.points, wording.points_interval)
    shown["corrected p"] = [wording.in_p(p) for p in differences[f"{metric}_p_holm"]]
clickable_table(
    readable(shown, formats),
    f"class-table-{metric}", list(shown["class"]), choose_cell, chosen=selection.label_alone,
)  # fmt: skip
worst = tables["A"].dropna(subset=[metric]).sort_values(metric)["class"]
if selection.true == ANY and len(worst):
    way_to_class(worst.iloc[0])
scored = {key: loading.predictions(of, selection.part) for key, of in selection.models.items()}
csv_button(
    lambda: (
        comparison_table(scored["A"], scored["B"]) if selection.pair else stacked(tables)
    ),
    "per-class", models=selection.models, part=selection.part,
)  # fmt: skip
