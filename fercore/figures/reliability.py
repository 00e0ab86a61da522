"""Calibration: how often a model is right, by how sure it is."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import COUNT, error_bars, faint_seeds, in_csv, ring, styled
from fercore.scoring.calibration import reliability
from fercore.scoring.grouped.predictions import GroupPredictions

_BAR_EDGES = np.linspace(0, 1, 41)  # bars of 2.5 points
_PERCENTS = {"ticksuffix": " %", "fixedrange": True}


def reliability_figure(
    predictions: Mapping[str, GroupPredictions],
    tables: Mapping[str, pd.DataFrame],
    taught: int | None = None,
) -> go.Figure:
    """Accuracy against confidence, a point with its interval per bin, a group's single seeds
    faintly; below, where images lie.

    `tables` are the models' of `grouped.calibration.reliability`. taught: the number of a point,
    from 1, that is ringed, with its distance from the line.
    """
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.04
    )
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="perfectly calibrated", hoverinfo="skip",
        line={"color": REFERENCE_COLOUR, "dash": "dash", "width": 1}, row=1, col=1,
    )  # fmt: skip
    for key, table in tables.items():
        _add_seeds(figure, key, predictions[key])
        _add_reliability(figure, key, table)
        _add_confidences(figure, key, predictions[key])
        if taught:
            _add_lesson(figure, key, table, taught)
    figure.update_xaxes(range=[10, 101], **_PERCENTS)
    figure.update_xaxes(title="confidence: probability of the predicted class", row=2)
    figure.update_yaxes(title="accuracy", range=[0, 104], row=1, **_PERCENTS)
    figure.update_yaxes(title="images", rangemode="tozero", nticks=3, row=2, **_PERCENTS)
    figure.update_layout(barmode="overlay", bargap=0)
    return styled(figure, "Accuracy by confidence, with 95 % interval", height=560)


def _add_seeds(figure: go.Figure, key: str, predictions: GroupPredictions) -> None:
    for seed in () if predictions.single else predictions.tables:
        own = reliability(seed)
        faint = faint_seeds(key, 100 * own["confidence"], list(100 * own["accuracy"]))
        faint.update(marker={"symbol": "circle-open", "size": 6})
        figure.add_trace(faint, row=1, col=1)


def _add_reliability(figure: go.Figure, key: str, table: pd.DataFrame) -> None:
    figure.add_scatter(
        x=100 * table["confidence"],
        y=100 * table["accuracy"],
        error_y=error_bars(table, thickness=1.5, width=0),
        mode="lines+markers",
        line={"width": 1},
        marker={"size": 8, "color": MODEL_COLOURS[key]},
        name=key,
        legendgroup=key,
        customdata=table["n"],
        meta=in_csv("n"),
        hovertemplate=f"{key}: %{{x:.1f}} % sure, %{{y:.1f}} % right "
        f"(n = %{{customdata:{COUNT}}})<extra></extra>",
        row=1,
        col=1,
    )


def _add_lesson(figure: go.Figure, key: str, table: pd.DataFrame, number: int) -> None:
    line = table.iloc[min(number, len(table)) - 1]
    sure, right = 100 * line["confidence"], 100 * line["accuracy"]
    figure.add_scatter(
        x=[sure, sure], y=[right, sure], mode="lines+markers", name=f"{key} explained",
        marker=ring(key) | {"size": [18, 0]}, line={"color": MODEL_COLOURS[key], "width": 3},
        showlegend=False, hoverinfo="skip", row=1, col=1,
    )  # fmt: skip


def confidence_counts(predictions: GroupPredictions) -> pd.DataFrame:
    """How many images a model is so sure of, in the mean over its seeds: confidence_from,
    confidence_to (0 to 1), n.
    """
    counts, edges = np.histogram(predictions.confidence, _BAR_EDGES)
    if predictions.seeds > 1:
        counts = counts / predictions.seeds
    return pd.DataFrame({"confidence_from": edges[:-1], "confidence_to": edges[1:], "n": counts})


def _add_confidences(figure: go.Figure, key: str, predictions: GroupPredictions) -> None:
    table = confidence_counts(predictions)
    figure.add_bar(
        x=50 * (table["confidence_from"] + table["confidence_to"]),
        y=100 * table["n"] / len(predictions),
        customdata=table["n"],
        meta=in_csv("n"),
        marker={"color": MODEL_COLOURS[key], "line": {"width": 0}},
        opacity=0.55,
        name=key,
        legendgroup=key,
        showlegend=False,
        hovertemplate=f"{key}: %{{customdata:{COUNT}}} images about %{{x:.0f}} % sure"
        "<extra></extra>",
        row=2,
        col=1,
    )
