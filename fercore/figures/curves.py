"""ROC and precision-recall curves: a panel per class, and points at a threshold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from fercore.data.kept import kept
from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import panel, styled, with_panels
from fercore.labels import CLASSES
from fercore.scoring import metrics
from fercore.scoring.grouped import curves
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.predictions import Predictions
from fercore.wording import percent


def curves_figure(tables: dict[str, GroupPredictions], kind: str = "roc") -> go.Figure:
    """One-vs-rest curves, 'roc' or 'pr': a panel per class, and one for their averages. A group's
    is the mean of its seeds' curves, in its 95 % band.
    """
    drawn = {key: _curves(table, kind) for key, table in tables.items()}
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
        for key, of_panels in drawn.items():
            for curve in of_panels.get(panel_name, []):
                if len(curve[2]) > 2:
                    figure.add_trace(_band(key, curve[2]), **place)
                figure.add_trace(_line(key, curve, kind, legend=index == 0), **place)
    ticks = {"tickvals": [0, 0.5, 1], "ticktext": ["0", "50", "100"], "fixedrange": True}
    figure.update_xaxes(range=[0, 1.01], **ticks)
    figure.update_yaxes(range=[0, 1.01], **ticks)
    x, y = _AXES[kind]
    figure.update_xaxes(title=x, row=2)
    figure.update_yaxes(title=y, col=1)
    averages = "macro solid, micro dotted" if kind == "roc" else "micro"
    if kind == "roc" and not any(table.single for table in tables.values()):
        averages = "macro"
    title = f"{_TITLES[kind]} (average: {averages})"
    return with_panels(styled(figure, title, height=640, wide=True), lines=2)


def curves_table(tables: dict[str, GroupPredictions], kind: str) -> pd.DataFrame:
    """The points of `curves_figure`: model, class ('sad', …, 'macro', 'micro') and both axes, a
    group's band as …_low and …_high.
    """
    x, y = _COLUMNS[kind]
    columns = (x, y, f"{y}_low", f"{y}_high")
    drawn = {key: _curves(table, kind) for key, table in tables.items()}
    lines = [
        pd.DataFrame({"model": key, "class": name or shown, **dict(zip(columns, points))})
        for shown in _PANELS
        for key, of_panels in drawn.items()
        for name, _, points in of_panels.get(shown, [])
    ]
    return pd.concat(lines) if lines else pd.DataFrame(columns=["model", "class", x, y])


_AVERAGE = "average"
_PANELS = (*CLASSES, _AVERAGE)
_BAND = ["place", "height", "low", "high"]
_COLUMNS = {"roc": ("false_positive_rate", "true_positive_rate"), "pr": ("recall", "precision")}
_AXES = {
    "roc": ("false-positive rate, %", "true-positive rate, %"),
    "pr": ("recall, %", "precision, %"),
}
_TITLES = {
    "roc": "ROC curve of each expression",
    "pr": "Precision by recall of each expression",
}
_HOVER = {
    "roc": "at %{x:.0%} false alarms, %{y:.0%} found",
    "pr": "%{x:.0%} found, %{y:.0%} of those called are right",
}


def marked_at(
    figure: go.Figure,
    tables: dict[str, GroupPredictions],
    kind: str,
    threshold: float,
    taught: str | None = None,
) -> go.Figure:
    """Another `curves_figure` with a point on each curve, where the class's probability is at least
    `threshold`; that of the class `taught` with lines to both axes.
    """
    marked = go.Figure(figure)
    for index in range(len(CLASSES)):
        for key, table in tables.items():
            at = mean_decisions(table, index, threshold)
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
            if CLASSES[index] == taught:
                marked.add_scatter(
                    x=[0, x, x], y=[y, y, 0], mode="lines", showlegend=False, hoverinfo="skip",
                    line={"color": MODEL_COLOURS[key], "width": 1, "dash": "dash"},
                    name=f"{key} explained", **panel(index),
                )  # fmt: skip
    return marked


def mean_decisions(table: GroupPredictions, k: int, threshold: float) -> metrics.Decisions:
    """The decisions about class k, counts in the mean over seeds."""
    positive = table.labels == k
    each = [metrics.decisions_at(positive, own.probs[:, k], threshold) for own in table.tables]
    return each[0] if len(each) == 1 else metrics.Decisions(*np.mean(each, axis=0))


_Points = tuple[NDArray[np.floating], ...]  # both axes, and of a band its lower and upper edge


_Curve = tuple[str, str, _Points]  # its name in the panel, its dash


def _curves(table: GroupPredictions, kind: str) -> dict[str, list[_Curve]]:
    """The curves of each panel; none where the images allow none."""
    if len(np.unique(table.labels)) < 2:
        return {}
    if table.single:
        present = [k for k in range(len(CLASSES)) if (table.labels == k).any()]
        panels = {CLASSES[k]: _of_class(k, table.single, kind) for k in present}
        return panels | {_AVERAGE: _averages(table.single, kind)}
    found = {}
    for name, own in _bands(table, kind).groupby("curve"):
        points = tuple(own[_BAND].to_numpy().T)
        panel_name, shown = (str(name), "") if name in CLASSES else (_AVERAGE, str(name))
        found[panel_name] = [(shown, "solid", points)]
    return found


def _bands(table: GroupPredictions, kind: str) -> pd.DataFrame:
    """They take seconds of twenty seeds, so they are kept."""
    inputs: list[str | bytes] = [
        kind,
        str(table.probs.shape),
        table.labels.tobytes(),
        table.probs.tobytes(),
    ]
    compute = curves.roc_bands if kind == "roc" else curves.pr_bands
    return kept("curves", inputs, lambda: {"bands": compute(table)})["bands"]


def _of_class(k: int, table: Predictions, kind: str) -> list[_Curve]:
    return [("", "solid", _points(table.labels == k, table.probs[:, k], kind))]


def _averages(table: Predictions, kind: str) -> list[_Curve]:
    every = metrics.one_hot(table.labels, len(CLASSES)).ravel()
    micro = _points(every, table.probs.ravel(), kind)
    if kind == "pr":
        return [("micro", "solid", micro)]
    macro = metrics.macro_roc_curve(table.labels, table.probs)
    return [
        ("macro", "solid", (macro.false_positive_rate, macro.true_positive_rate)),
        ("micro", "dot", micro),
    ]


def _line(key: str, curve: _Curve, kind: str, *, legend: bool) -> go.Scatter:
    name, dash, points = curve
    return go.Scatter(
        x=points[0],
        y=points[1],
        mode="lines",
        line={"color": MODEL_COLOURS[key], "width": 2, "dash": dash},
        name=f"{key} {name}".strip(),
        legendgroup=key,
        showlegend=legend,
        hovertemplate=f"{key} {name}: {_HOVER[kind]}<extra></extra>",
    )


def _band(key: str, points: _Points) -> go.Scatter:
    x, _, low, high = np.stack(points)[:, ~np.isnan(points[-1])]
    return go.Scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself",
        mode="none", fillcolor=MODEL_COLOURS[key], opacity=0.2, hoverinfo="skip",
        showlegend=False, legendgroup=key,
    )  # fmt: skip


def _points(positive: NDArray[np.bool_], scores: NDArray[np.floating], kind: str) -> _Points:
    if kind == "roc":
        roc = metrics.roc_curve(positive, scores)
        return roc.false_positive_rate, roc.true_positive_rate
    curve = metrics.precision_recall_curve(positive, scores)
    return _thinned(curve.recall), _thinned(curve.precision)


def _thinned(values: NDArray[np.floating], most: int = 1500) -> NDArray[np.floating]:
    """Every so manieth value and the last: a browser draws no more."""
    return values if len(values) <= most else np.append(values[:: len(values) // most], values[-1])


def _area_title(panel: str, tables: dict[str, GroupPredictions], kind: str) -> str:
    """The panel's name, and the area under its curves, of an average under the one drawn solid."""
    areas = {
        key: float(np.mean([_area(panel, own, kind) for own in table.tables]))
        for key, table in tables.items()
    }
    shown = (f"{key} {percent(area)}" for key, area in areas.items())
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
