"""ROC and precision-recall curves: a panel per class, and points at a threshold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dashboard.base.figures import drawn_once, panel, styled, with_panels
from dashboard.base.theme import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.labels import CLASSES
from fercore.scoring import metrics
from fercore.scoring.predictions import Predictions


@drawn_once
def curves_figure(tables: dict[str, Predictions], kind: str = "roc") -> go.Figure:
    """One-vs-rest curves, 'roc' or 'pr': a panel per class, and one for their averages."""
    titles = [_area_title(name, tables, kind) for name in _PANELS]
    figure = make_subplots(
        rows=2, cols=4, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03,
        vertical_spacing=0.14, subplot_titles=titles,
    )  # fmt: skip
    for index, panel_name in enumerate(_PANELS):
        place = panel(index)
        if kind == "roc":
            figure.add_scatter(
                x=[0, 1], y=[0, 1], mode="lines", showlegend=False, hoverinfo="skip",
                line={"color": REFERENCE_COLOUR, "dash": "dot", "width": 1}, **place,
            )  # fmt: skip
        for key, table in tables.items():
            for name, dash, points in _curves(panel_name, table, kind):
                figure.add_scatter(
                    x=points[0],
                    y=points[1],
                    mode="lines",
                    line={"color": MODEL_COLOURS[key], "width": 2, "dash": dash},
                    name=f"{key} {name}".strip(),
                    legendgroup=key,
                    showlegend=index == 0,
                    hovertemplate=f"{key} {name}: {_HOVER[kind]}<extra></extra>",
                    **place,
                )
    ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", "50", "100"], "fixedrange": True}
    figure.update_xaxes(range=[0, 1.01], **ticks)
    figure.update_yaxes(range=[0, 1.01], **ticks)
    x, y = _AXES[kind]
    figure.update_xaxes(title=x, row=2)
    figure.update_yaxes(title=y, col=1)
    return with_panels(styled(figure, _TITLES[kind], height=640, wide=True), lines=2)


def curves_table(tables: dict[str, Predictions], kind: str) -> pd.DataFrame:
    """The points of `curves_figure`: model, class ('sad', …, 'macro', 'micro') and both axes."""
    x, y = _COLUMNS[kind]
    curves = [
        pd.DataFrame({"model": key, "class": name or shown, x: points[0], y: points[1]})
        for shown in _PANELS
        for key, table in tables.items()
        for name, _, points in _curves(shown, table, kind)
    ]
    return pd.concat(curves) if curves else pd.DataFrame(columns=["model", "class", x, y])


_PANELS = (*CLASSES, "average")
_COLUMNS = {"roc": ("false_positive_rate", "true_positive_rate"), "pr": ("recall", "precision")}
_AXES = {
    "roc": ("false-positive rate, %", "true-positive rate, %"),
    "pr": ("recall, %", "precision, %"),
}
_TITLES = {
    "roc": "ROC curve of each expression (average: macro solid, micro dotted)",
    "pr": "Precision by recall of each expression (average: micro)",
}
_HOVER = {
    "roc": "at %{x:.0%} false alarms, %{y:.0%} found",
    "pr": "%{x:.0%} found, %{y:.0%} of those called are right",
}


@drawn_once
def curves_at(tables: dict[str, Predictions], kind: str, threshold: float) -> go.Figure:
    """The curves with a point on each, where the class's probability is at least `threshold`."""
    marked = go.Figure(curves_figure(tables, kind))
    for index in range(len(CLASSES)):
        for key, table in tables.items():
            at = metrics.decisions_at(table.labels == index, table.probs[:, index], threshold)
            x, y = (
                (at.false_positive_rate, at.recall) if kind == "roc" else (at.recall, at.precision)
            )
            marked.add_scatter(
                x=[x],
                y=[y],
                mode="markers",
                marker={
                    "size": 11,
                    "color": MODEL_COLOURS[key],
                    "line": {"color": "white", "width": 2},
                },
                name=f"{key} at {threshold:.2f}",
                showlegend=False,
                hovertemplate=f"{key} at {threshold:.2f}: {_HOVER[kind]}<extra></extra>",
                **panel(index),
            )
    return marked


_Points = tuple[NDArray[np.floating], NDArray[np.floating]]  # both axes


def _curves(panel: str, table: Predictions, kind: str) -> list[tuple[str, str, _Points]]:
    """(name, dash, (x, y)) of a panel's curves; none where the images allow none."""
    if len(np.unique(table.labels)) < 2:
        return []
    if panel in CLASSES:
        k = CLASSES.index(panel)
        positive = table.labels == k
        return [("", "solid", _points(positive, table.probs[:, k], kind))] if positive.any() else []
    every = metrics.one_hot(table.labels, len(CLASSES)).ravel()
    micro = _points(every, table.probs.ravel(), kind)
    if kind == "pr":
        return [("micro", "solid", micro)]
    macro = metrics.macro_roc_curve(table.labels, table.probs)
    return [
        ("macro", "solid", (macro.false_positive_rate, macro.true_positive_rate)),
        ("micro", "dot", micro),
    ]


def _points(positive: NDArray[np.bool_], scores: NDArray[np.floating], kind: str) -> _Points:
    if kind == "roc":
        roc = metrics.roc_curve(positive, scores)
        return roc.false_positive_rate, roc.true_positive_rate
    curve = metrics.precision_recall_curve(positive, scores)
    return _thinned(curve.recall), _thinned(curve.precision)


def _thinned(values: NDArray[np.floating], most: int = 1500) -> NDArray[np.floating]:
    """Every so manieth value and the last: a browser draws no more."""
    return values if len(values) <= most else np.append(values[:: len(values) // most], values[-1])


def _area_title(panel: str, tables: dict[str, Predictions], kind: str) -> str:
    """The panel's name, and the area under its curves, of an average under the one drawn solid."""
    areas = {key: _area(panel, table, kind) for key, table in tables.items()}
    shown = (f"{key} –" if np.isnan(area) else f"{key} {area:.3f}" for key, area in areas.items())
    name = "AUC" if kind == "roc" else "average precision"
    if panel not in CLASSES:
        name = f"{'macro' if kind == 'roc' else 'micro'} {name}"
    return f"{panel}<br><sup>{name} {' · '.join(shown)}</sup>"


def _area(panel: str, table: Predictions, kind: str) -> float:
    if panel not in CLASSES and kind == "roc":
        return metrics.mean_of_known(metrics.one_vs_rest_auc(table.labels, table.probs))
    positive, scores = metrics.one_hot(table.labels, len(CLASSES)), table.probs
    if panel in CLASSES:
        k = CLASSES.index(panel)
        positive, scores = positive[:, k], scores[:, k]
    measure = metrics.roc_auc if kind == "roc" else metrics.average_precision
    return measure(positive.ravel(), scores.ravel())
