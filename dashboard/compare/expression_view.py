"""One expression in depth: cached tables and figures."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.base import loading
from dashboard.base.figures import drawn_once
from dashboard.base.selection import Selection
from dashboard.compare import extras_view
from dashboard.compare.slices_view import class_slices
from dashboard.faces import face_loading
from fercore.analysis import expression
from fercore.analysis.expression import Raters
from fercore.analysis.from_weights import placed
from fercore.data.votes import CATEGORIES
from fercore.figures.colours import CLASS_COLOURS, MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import COUNT, in_csv, legend_below, points_by_row, styled
from fercore.groups.group import Group
from fercore.labels import CLASSES
from fercore.wording import count, percent

METRICS = ("recall", "precision", "f1")


@dataclass(frozen=True)
class Depth:
    """What there is to say of one class of a model: its line of the class table, what it is taken
    for and what is taken for it, its slices, the worst first.
    """

    scores: Mapping[Hashable, float]
    away: pd.DataFrame
    here: pd.DataFrame
    slices: pd.DataFrame


def with_images(models: Mapping[str, Group], part: str, name: str) -> dict[str, Group]:
    """Those of A and B that were asked about images of the class; says where one was not."""
    there = {
        key: model
        for key, model in models.items()
        if (loading.predictions(model, part).labels == CLASSES.index(name)).any()
    }
    for key in models.keys() - there.keys():
        st.info(f"None of {key}'s images is labelled {name}: it has no part in what follows.")
    return there


def depth(model: Group, part: str, name: str) -> Depth:
    """Raises `RunError` where none of the images is labelled so."""
    away, here = _taken(model, part, name)
    table = loading.classes(model, part)
    (scores,) = table[table["class"] == name].drop(columns="class").to_dict("records")
    return Depth(scores, away, here, class_slices(model, part, name))


@st.cache_data(max_entries=120, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _taken(model: Group, part: str, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    table, label = loading.predictions(model, part), CLASSES.index(name)
    return expression.taken_for(table, label), expression.taken_from(table, label)


def raters(model: Group, part: str, name: str) -> Raters | None:
    """What FER+'s raters say of the images of a class; None where there are no votes on them."""
    votes, table = face_loading.votes(model.run), loading.predictions(model, part)
    if votes is None:
        return None
    return expression.raters(votes, table.labels, table.rows, CLASSES.index(name))


def metric_lines(scores: Mapping[Hashable, float]) -> pd.DataFrame:
    """Recall, precision and F1 of a class, a line each: metric, value, value_low, value_high, n."""
    return pd.DataFrame(
        [
            {
                "metric": "F1" if metric == "f1" else metric.capitalize(),
                "value": scores[metric],
                "value_low": scores[f"{metric}_low"],
                "value_high": scores[f"{metric}_high"],
                "n": scores["support"],
            }
            for metric in METRICS
        ]
    )


@drawn_once
def taken_figure(tables: dict[str, pd.DataFrame], title: str) -> go.Figure:
    """Shares of the other classes with their intervals, a bar for each model; A's most frequent
    at the top. `tables` are those of `taken_for` or `taken_from`, by model.
    """
    names = list(next(table for table in tables.values() if len(table))["class"])
    figure = go.Figure()
    for key, table in tables.items():
        if table.empty:
            continue
        table = table.set_index("class").loc[names].reset_index()
        figure.add_bar(
            y=table["class"],
            x=100 * table["share"],
            orientation="h",
            name=key,
            marker_color=MODEL_COLOURS[key],
            error_x={
                "array": 100 * (table["share_high"] - table["share"]),
                "arrayminus": 100 * (table["share"] - table["share_low"]),
                "thickness": 1.5, "color": REFERENCE_COLOUR,
            },
            customdata=table[["count", "n"]],
            meta=in_csv("count", "n"),
            hovertemplate=f"{key} · %{{y}}: %{{x:.1f}} % (%{{customdata[0]:{COUNT}}} of "
            f"%{{customdata[1]:{COUNT}}})<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    figure.update_xaxes(ticksuffix=" %", rangemode="tozero", fixedrange=True)
    figure.update_layout(bargap=0.25, dragmode=False)
    columns = {"x": "share, %", "y": "class"}
    return styled(figure, title, height=330, legend=len(tables) > 1, columns=columns)


@drawn_once
def votes_figure(votes: "pd.Series[float]", name: str) -> go.Figure:
    """The share of the raters' votes for each category; the label's is told apart."""
    own = CATEGORIES[CLASSES.index(name)]
    figure = go.Figure(
        go.Bar(
            y=votes.index,
            x=100 * votes,
            name="votes, %",
            orientation="h",
            marker_color=[
                CLASS_COLOURS[name] if category == own else REFERENCE_COLOUR
                for category in votes.index
            ],
            text=[percent(share) for share in votes],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    top = 100 * float(votes.max())
    figure.update_xaxes(range=[0, 1.25 * top], visible=False, fixedrange=True)
    title, columns = f"Votes on faces labelled {name}", {"x": "votes, %", "y": "category"}
    return styled(figure, title, height=330, legend=False, columns=columns)


@drawn_once
def metrics_figure(metrics: dict[str, pd.DataFrame]) -> go.Figure:
    """Recall, precision and F1 of each model, from its `metric_lines`."""
    title = "Recall, precision and F1, with 95 % interval"
    figure = points_by_row(metrics, "value", "metric", "n", title=title)
    return figure.update_xaxes(range=[-2, 102], ticksuffix=" %")


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def extremes(a: Group, b: Group | None, part: str, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The faces of a class that are never right, and the most typical ones."""
    samples = loading.samples(a, b, part)
    return expression.never_right(samples, name), expression.most_typical(samples, name)


class Company(NamedTuple):
    """Where the faces of a class lie on a map: see `expression.neighbours` and `map_figure`."""

    neighbours: pd.DataFrame
    figure: go.Figure


def company(selection: Selection, key: str, name: str) -> Company | None:
    """On the map of A's or B's run; None where none is there."""
    run = selection.models[key].run
    places = extras_view.embedding(run)
    if places is None:
        return None
    b = selection.b if selection.pair else None
    changed = extras_view.embedding_changed(run)
    return _company(selection.a, b, selection.part, key, name, changed, places)


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _company(
    a: Group,
    b: Group | None,
    part: str,
    key: str,
    name: str,
    changed: float,
    _places: pd.DataFrame,
) -> Company:
    on_map, model = placed(loading.samples(a, b, part), _places), key.lower()
    return Company(expression.neighbours(on_map, model, name), map_figure(on_map, model, name))


def map_figure(samples: pd.DataFrame, model: str, name: str) -> go.Figure:
    """A map with the faces of a class: those that are right, and the others by what model 'a' or
    'b' takes them for. All other faces lie faintly beneath.
    """
    figure = go.Figure()
    mine = samples["label"] == name
    right = samples[f"{model}_correct"]
    said = samples[f"{model}_predicted"]
    layers = [("the others", ~mine, REFERENCE_COLOUR, "circle", 4, 0.2)]
    layers += [(f"{name}, right", mine & right, CLASS_COLOURS[name], "circle", 8, 0.9)]
    for other in said[mine & ~right].value_counts().index:
        wrong = mine & ~right & (said == other)
        layers.append((f"→ {other}", wrong, CLASS_COLOURS[other], "x", 8, 0.9))
    for title, lines, colour, symbol, size, opacity in layers:
        shown = samples[lines]
        figure.add_scattergl(
            x=shown["x"], y=shown["y"], mode="markers", name=f"{title} ({count(len(shown))})",
            marker={"size": size, "color": colour, "opacity": opacity, "symbol": symbol},
            customdata=shown[["label", f"{model}_predicted"]], meta=in_csv("label", "predicted"),
            hovertemplate="label %{customdata[0]}, predicted %{customdata[1]}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(dragmode="pan")
    title = f"{name} on the map of {model.upper()}'s features"
    return legend_below(styled(figure, title, height=520, columns=extras_view.PLACE), room=90)
