"""Figures: pure functions from tables of results to Plotly figures. No model, no Streamlit."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dashboard.theme import (
    DIFFERENCE,
    MAGNITUDE,
    MODEL_COLOURS,
    REFERENCE_COLOUR,
    percent,
)
from fercore import metrics
from fercore.labels import CLASSES
from fercore.predictions import Predictions

_MARGIN = {"l": 8, "r": 8, "t": 44, "b": 8}
# Clicks select, and nothing zooms by accident.
STATIC = {"displayModeBar": False, "scrollZoom": False}


def confusion_figure(counts: NDArray, *, title: str, selected: tuple[str, str] | None = None):
    """A confusion matrix: count and share of the row in each cell, coloured by the share."""
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    text = [
        [f"{n}<br>{100 * s:.0f} %" for n, s in zip(row, row_shares, strict=True)]
        for row, row_shares in zip(counts, shares, strict=True)
    ]
    heat = go.Heatmap(
        z=100 * shares,
        x=CLASSES,
        y=CLASSES,
        text=text,
        texttemplate="%{text}",
        colorscale=MAGNITUDE,
        zmin=0,
        zmax=100,
        showscale=False,
        hoverinfo="skip",
        xgap=1,
        ygap=1,
    )
    return _matrix(heat, counts, title, selected)


def difference_figure(
    a: NDArray, b: NDArray, *, title: str, selected: tuple[str, str] | None = None
):
    """Row shares of A minus those of B, in points; blue where A has more, orange where B has."""
    rows = np.maximum(a.sum(1, keepdims=True), 1), np.maximum(b.sum(1, keepdims=True), 1)
    difference = 100 * (a / rows[0] - b / rows[1])
    limit = max(5.0, float(np.abs(difference).max()))
    heat = go.Heatmap(
        z=difference,
        x=CLASSES,
        y=CLASSES,
        text=[
            [f"{d:+d}<br>{round(share):+d}" for d, share in zip(row, shares, strict=True)]
            for row, shares in zip(a - b, difference, strict=True)
        ],
        texttemplate="%{text}",
        colorscale=DIFFERENCE,
        zmid=0,
        zmin=-limit,
        zmax=limit,
        showscale=False,
        hoverinfo="skip",
        xgap=1,
        ygap=1,
    )
    return _matrix(heat, a - b, title, selected)


def _matrix(heat: go.Heatmap, counts: NDArray, title: str, selected) -> go.Figure:
    figure = go.Figure(heat)
    # Streamlit delivers no clicks on a heatmap; transparent markers over its cells take them.
    predicted, true = np.meshgrid(CLASSES, CLASSES)
    figure.add_scatter(
        x=predicted.ravel(),
        y=true.ravel(),
        customdata=counts.ravel(),
        mode="markers",
        marker={"size": 38, "symbol": "square", "color": "rgba(0,0,0,0)"},
        hovertemplate="label %{y}, predicted %{x}: %{customdata}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        showlegend=False,
    )
    if selected and all(name in CLASSES for name in selected):
        row, column = (CLASSES.index(name) for name in selected)
        figure.add_shape(
            type="rect",
            x0=column - 0.5,
            x1=column + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": "#E69F00", "width": 4},
        )
    edge = len(CLASSES) - 0.5
    figure.update_xaxes(title="predicted", fixedrange=True, showgrid=False, range=[-0.5, edge])
    figure.update_yaxes(title="label", fixedrange=True, showgrid=False, range=[edge, -0.5])
    figure.update_layout(dragmode=False)
    return styled(figure, title, height=520, legend=False)


def class_figure(tables: dict[str, pd.DataFrame], metric: str) -> go.Figure:
    """One metric of every class, a point with its interval for each model."""
    figure = go.Figure()
    for offset, (key, table) in zip((-0.13, 0.13), tables.items(), strict=False):
        value = 100 * table[metric]
        figure.add_scatter(
            x=value,
            y=np.arange(len(table)) + (offset if len(tables) > 1 else 0),
            error_x={
                "array": 100 * table[f"{metric}_high"] - value,
                "arrayminus": value - 100 * table[f"{metric}_low"],
                "thickness": 2,
            },
            mode="markers",
            marker={"size": 10, "color": MODEL_COLOURS[key]},
            name=key,
            customdata=table[["class", "support"]],
            hovertemplate=f"{key} · %{{customdata[0]}}: %{{x:.1f}} % "
            "(n = %{customdata[1]})<extra></extra>",
        )
    names = next(iter(tables.values()))["class"]
    figure.update_yaxes(
        tickmode="array", tickvals=list(range(len(names))), ticktext=list(names), range=[6.6, -0.6]
    )
    figure.update_xaxes(range=[-2, 102], ticksuffix=" %")
    title = f"{'AUC' if metric == 'auc' else metric.capitalize()} per class, with 95 % interval"
    return styled(figure, title, height=420)


def roc_figure(tables: dict[str, Predictions]) -> go.Figure:
    """One-vs-rest ROC curves: a panel per class and one for the macro average."""
    panels = (*CLASSES, "macro average")
    figure = make_subplots(
        rows=2, cols=4, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03,
        vertical_spacing=0.14, subplot_titles=[_auc_title(panel, tables) for panel in panels],
    )  # fmt: skip
    for index, panel in enumerate(panels):
        place = {"row": index // 4 + 1, "col": index % 4 + 1}
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": REFERENCE_COLOUR, "dash": "dot", "width": 1}, **place,
        )  # fmt: skip
        for key, table in tables.items():
            curve = _roc(panel, table)
            if curve is None:
                continue
            figure.add_scatter(
                x=curve.false_positive_rate,
                y=curve.true_positive_rate,
                mode="lines",
                line={"color": MODEL_COLOURS[key], "width": 2},
                name=key,
                legendgroup=key,
                showlegend=index == 0,
                hovertemplate=f"{key}: at %{{x:.0%}} false alarms, %{{y:.0%}} found<extra></extra>",
                **place,
            )
    ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", "50", "100"], "fixedrange": True}
    figure.update_xaxes(range=[0, 1], **ticks)
    figure.update_yaxes(range=[0, 1.01], **ticks)
    figure.update_xaxes(title="false-positive rate, %", row=2)
    figure.update_yaxes(title="true-positive rate, %", col=1)
    return styled(figure, "", height=620)


def _roc(panel: str, table: Predictions) -> metrics.RocCurve | None:
    """A panel's curve; None where the images are all of this class, or none is."""
    if len(np.unique(table.labels)) < 2:
        return None
    if panel not in CLASSES:
        return metrics.macro_roc_curve(table.labels, table.probs)
    k = CLASSES.index(panel)
    positive = table.labels == k
    return metrics.roc_curve(positive, table.probs[:, k]) if positive.any() else None


def _auc_title(panel: str, tables: dict[str, Predictions]) -> str:
    values = []
    for key, table in tables.items():
        auc = metrics.one_vs_rest_auc(table.labels, table.probs)
        value = auc[CLASSES.index(panel)] if panel in CLASSES else np.nanmean(auc)
        values.append(f"{key} {value:.3f}")
    return f"{panel}<br><sup>AUC {' · '.join(values)}</sup>"


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
    figure = styled(figure, "", height=480)
    return figure.update_layout(legend={"y": -0.22, "x": 0.5, "xanchor": "center"})


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
    figure.update_layout(bargap=0.25, margin={"l": 8, "r": 8, "t": 8, "b": 8})
    return styled(figure, "", height=300, legend=len(probs) > 1)


def styled(figure: go.Figure, title: str, *, height: int, legend: bool = True) -> go.Figure:
    figure.update_layout(
        title={"text": title} if title else None,
        height=height,
        margin=_MARGIN if title else _MARGIN | {"t": 40},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.12, "x": 1, "xanchor": "right"},
    )
    return figure
