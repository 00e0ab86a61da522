"""Figures: pure functions from tables of results to Plotly figures. No model."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dashboard.base.theme import (
    DIFFERENCE,
    MAGNITUDE,
    MODEL_COLOURS,
    REFERENCE_COLOUR,
    colour_at,
    percent,
    text_on,
)
from fercore.labels import CLASSES
from fercore.wording import signed

# Building a figure is most of a page's time. One that is asked for again, by whichever visitor, is
# the same object: whoever gets it shows it and changes nothing.
drawn_once = st.cache_resource(max_entries=60, show_spinner=False)

_LEGEND_ROOM = 36  # pixels above the panels
# Clicks select, and nothing zooms by accident.
STATIC = {"displayModeBar": False, "scrollZoom": False}


NORMALISATIONS = {"row": "share of the label", "column": "share of the prediction", "none": "count"}


@drawn_once
def confusion_figure(
    counts: NDArray,
    *,
    title: str,
    normalise: str = "row",
    selected: tuple[str, str] | None = None,
    rows: str = "label",
    columns: str = "predicted",
):
    """A confusion matrix: the count in each cell, and its share of the row, the column or neither.

    `rows` and `columns` say what they are, for the axes and the hover text.
    """
    shares = _shares(counts, normalise)
    text = [
        [f"{n}<br>{100 * s:.0f} %" if normalise != "none" else f"{n}" for n, s in zip(*lines)]
        for lines in zip(counts, shares, strict=True)
    ]
    top = 100 * max(shares.max(), 1e-9)
    cells = heat(100 * shares, text, MAGNITUDE, zmin=0, zmax=top, x=CLASSES, y=CLASSES)
    hover = [[f"n = {n}" for n in line] for line in counts]
    return _matrix(cells, hover, title, selected, rows, columns)


@drawn_once
def difference_figure(
    a: NDArray,
    b: NDArray,
    *,
    title: str,
    marked: NDArray | None = None,
    selected: tuple[str, str] | None = None,
):
    """Row shares of A minus those of B, in points; blue where A has more, orange where B has.

    Cells of `marked`, bool (K, K), carry a star: their difference is beyond chance.
    """
    difference = 100 * (_shares(a, "row") - _shares(b, "row"))
    limit = max(5.0, float(np.abs(difference).max()))
    marked = np.zeros(a.shape, bool) if marked is None else marked
    text = [
        [
            f"{signed(d, 0)}{' ★' if star else ''}<br>{signed(share)}"
            for d, share, star in zip(*lines)
        ]
        for lines in zip(a - b, difference, marked, strict=True)
    ]
    cells = heat(difference, text, DIFFERENCE, zmin=-limit, zmax=limit, x=CLASSES, y=CLASSES)
    hover = [
        [f"A {of_a}, B {of_b}: {signed(of_a - of_b, 0)}" for of_a, of_b in zip(*lines)]
        for lines in zip(a, b, strict=True)
    ]
    return _matrix(cells, hover, title, selected, "label", "predicted")


def _shares(counts: NDArray, normalise: str) -> NDArray:
    """Of the row or the column; with 'none', of the largest cell, for the colour alone."""
    if normalise == "none":
        return counts / max(int(counts.max()), 1)
    axis = 1 if normalise == "row" else 0
    return counts / np.maximum(counts.sum(axis, keepdims=True), 1)


def heat(
    values: NDArray, text: list, colorscale: list, *, zmin: float, zmax: float, x, y
) -> list[go.Heatmap]:
    """Coloured cells with a text each, in black or white, as it is read on their colours."""
    values = np.asarray(values, float)
    shares = np.nan_to_num(np.clip((values - zmin) / (zmax - zmin), 0, 1))
    white = np.array(
        [[text_on(colour_at(colorscale, share)) == "#ffffff" for share in line] for line in shares]
    )
    return [
        go.Heatmap(
            z=np.where(cells, values, np.nan), text=np.where(cells, text, ""),
            x=x, y=y, colorscale=colorscale, zmin=zmin, zmax=zmax, texttemplate="%{text}",
            textfont={"color": colour}, showscale=False, hoverinfo="skip",
            hoverongaps=False, xgap=1, ygap=1,
        )
        for colour, cells in (("#000000", ~white), ("#ffffff", white))
    ]  # fmt: skip


def _matrix(
    cells: list[go.Heatmap],
    hover: list[list[str]],
    title: str,
    selected,
    rows: str,
    columns: str,
) -> go.Figure:
    """`hover` is what the mouse is told of each cell."""
    figure = go.Figure(cells)
    # Streamlit delivers no clicks on a heatmap; transparent markers over its cells take them.
    predicted, true = np.meshgrid(CLASSES, CLASSES)
    figure.add_scatter(
        x=predicted.ravel(),
        y=true.ravel(),
        customdata=[text for line in hover for text in line],
        mode="markers",
        marker={"size": 38, "symbol": "square", "color": "rgba(0,0,0,0)"},
        hovertemplate=f"{rows} %{{y}}, {columns} %{{x}}: %{{customdata}}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    if selected and all(name in CLASSES for name in selected):
        row, column = (CLASSES.index(name) for name in selected)
        figure.add_shape(
            type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5,
            line={"color": "#E69F00", "width": 4},
        )  # fmt: skip
    edge = len(CLASSES) - 0.5
    figure.update_xaxes(
        title=columns, fixedrange=True, showgrid=False, range=[-0.5, edge], autotickangles=[0, 90]
    )
    figure.update_yaxes(title=rows, fixedrange=True, showgrid=False, range=[edge, -0.5])
    figure.update_layout(dragmode=False)
    return styled(figure, title, height=520, legend=False)


@drawn_once
def class_figure(tables: dict[str, pd.DataFrame], metric: str) -> go.Figure:
    """One metric of every class, a point with its interval for each model."""
    figure = go.Figure()
    for offset, (key, table) in zip((-0.13, 0.13), tables.items(), strict=False):
        value = 100 * table[metric]
        figure.add_scatter(
            x=value,
            y=np.arange(len(table)) + (offset if len(tables) > 1 else 0),
            error_x=error_bars(table, metric),
            mode="markers",
            marker={"size": 10, "color": MODEL_COLOURS[key]},
            name=key,
            unselected={"marker": {"opacity": 1}},
            customdata=table[["class", "support"]],
            hovertemplate=f"{key} · %{{customdata[0]}}: %{{x:.1f}} % "
            "(n = %{customdata[1]})<extra></extra>",
        )
    names = next(iter(tables.values()))["class"]
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(names))), ticktext=list(names),
        range=[len(names) - 0.4, -0.6], fixedrange=True,
    )  # fmt: skip
    figure.update_xaxes(range=[-2, 102], ticksuffix=" %", fixedrange=True)
    figure.update_layout(dragmode=False)
    title = f"{metric_title(metric)} per class, with 95 % interval"
    return styled(figure, title, height=420)


def metric_title(metric: str) -> str:
    """'F1', 'AUC', 'Recall'."""
    return metric.upper() if metric in ("f1", "auc") else metric.capitalize()


@drawn_once
def class_difference_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """A minus B in one metric of every class, in points, with its paired interval."""
    value, low, high = (100 * table[metric + end] for end in ("", "_low", "_high"))
    beyond = (low > 0) | (high < 0)
    bars = error_bars(table, metric, color=REFERENCE_COLOUR)
    figure = go.Figure(
        go.Scatter(
            x=value,
            y=table["class"],
            error_x=bars,
            mode="markers",
            marker={
                "size": 11,
                "color": [MODEL_COLOURS["A" if v > 0 else "B"] for v in value],
                "symbol": np.where(beyond, "circle", "circle-open"),
                "line": {"width": 2},
            },
            unselected={"marker": {"opacity": 1}},
            customdata=table[["class", "support"]].assign(points=[signed(v) for v in value]),
            hovertemplate="%{y}: %{customdata[2]} points (n = %{customdata[1]})<extra></extra>",
        )
    )
    figure.add_vline(0, line_color=REFERENCE_COLOUR)
    figure.update_yaxes(
        categoryorder="array", categoryarray=list(table["class"])[::-1], fixedrange=True
    )
    figure.update_xaxes(title="points", zeroline=False, fixedrange=True)
    figure.update_layout(dragmode=False)
    title = f"A − B, {metric_title(metric)}: filled where the interval leaves out 0"
    return styled(figure, title, height=420, legend=False)


@drawn_once
def history_figure(histories: dict[str, pd.DataFrame], best: dict[str, int]) -> go.Figure:
    """Loss and accuracy by epoch; dotted on Training, solid on PublicTest, a ring at the choice."""
    figure = make_subplots(rows=1, cols=2, subplot_titles=("loss", "accuracy"))
    for key, history in histories.items():
        for column, (name, factor) in enumerate((("loss", 1), ("accuracy", 100)), start=1):
            for part, dash in (("train", "dot"), ("val", "solid")):
                label = f"{key} {'Training' if part == 'train' else 'PublicTest'}"
                figure.add_scatter(
                    x=history["epoch"],
                    y=factor * history[f"{part}_{name}"],
                    mode="lines",
                    line={"color": MODEL_COLOURS[key], "dash": dash, "width": 2},
                    name=label,
                    legendgroup=label,
                    showlegend=column == 1,
                    hovertemplate=f"{label}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
                    row=1,
                    col=column,
                )
            chosen = history[history["epoch"] == best[key]]
            figure.add_scatter(
                x=chosen["epoch"],
                y=factor * chosen[f"val_{name}"],
                mode="markers",
                marker={
                    "size": 14,
                    "symbol": "circle-open",
                    "line": {"width": 3},
                    "color": MODEL_COLOURS[key],
                },
                name=f"{key} chosen epoch",
                showlegend=False,
                hovertemplate=f"{key} chosen epoch %{{x}}: %{{y:.3g}}<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(ticksuffix=" %", col=2)
    return legend_below(styled(figure, "Loss and accuracy by epoch", height=480, wide=True))


def probability_figure(probs: dict[str, NDArray]) -> go.Figure:
    """The seven probabilities of one face, a bar for each model."""
    figure = go.Figure()
    for key, values in probs.items():
        figure.add_bar(
            y=CLASSES,
            x=100 * np.asarray(values),
            orientation="h",
            name=key,
            marker_color=MODEL_COLOURS[key],
            text=[percent(value) for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{key} · %{{y}}: %{{x:.1f}} %<extra></extra>",
        )
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    figure.update_xaxes(range=[0, 118], visible=False, fixedrange=True)
    figure.update_layout(bargap=0.25)
    title = "Probability of each expression"
    return styled(figure, title, height=320, legend=len(probs) > 1)


def error_bars(table: pd.DataFrame, value: str = "accuracy", **look) -> dict:
    """Intervals as Plotly's error bars, in percent, from a column of shares from 0 to 1 and its
    `_low` and `_high`.
    """
    return {
        "array": 100 * (table[f"{value}_high"] - table[value]),
        "arrayminus": 100 * (table[value] - table[f"{value}_low"]),
        "thickness": 2,
    } | look


def styled(
    figure: go.Figure, title: str, *, height: int, legend: bool = True, wide: bool = False
) -> go.Figure:
    """The figure as the page shows it: `charts.show_figure` writes the title above it.

    wide: of panels side by side, which need more room than a telephone has.
    """
    figure.update_layout(
        meta={"title": title, "wide": wide},
        height=height,
        margin={"l": 8, "r": 8, "t": _LEGEND_ROOM if legend else 16, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "xanchor": "left"},
    )
    return figure


def with_panels(figure: go.Figure, *, lines: int = 1) -> go.Figure:
    """A styled figure whose panels have titles of their own, of so many lines: room for both."""
    return figure.update_layout(
        margin={"t": 44 + 22 * lines}, legend={"y": 1, "yref": "container", "yanchor": "top"}
    )


def legend_below(figure: go.Figure, *, room: int = 72) -> go.Figure:
    """A styled figure with its legend, and `room` pixels for it, beneath."""
    return figure.update_layout(
        legend={"yref": "container", "y": 0, "yanchor": "bottom"},
        margin={"b": room, "t": 40},
    )
