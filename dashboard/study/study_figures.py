"""Figures of a study: contrasts with their intervals, accuracies, costs and learning curves."""

from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.base.figures import drawn_once
from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import error_bars, in_csv, legend_below, styled
from fercore.scoring.grouped.comparison import MARGIN
from fercore.study.references import AUTHORS, PAPER
from fercore.wording import bounds_in, number, points, points_interval


@drawn_once
def contrasts_figure(table: pd.DataFrame, title: str, *, margin: bool = False) -> go.Figure:
    """A row per contrast: its difference in points, with its interval.

    margin: whether the band within which two recipes count as equal is drawn. table: title,
    difference, difference_low, difference_high. A filled point is beyond chance: its bar, which is
    corrected as its p is, does not hold 0. NaN bounds: no bar, and hollow.
    """
    beyond = (table["difference_low"] > 0) | (table["difference_high"] < 0)
    bounds = bounds_in(table, "difference")
    told = [
        f"{points(value)} {points_interval(pair).strip('–')}"
        for value, pair in zip(table["difference"], bounds)
    ]
    figure = go.Figure(
        go.Scatter(
            x=100 * table["difference"],
            y=_wrapped(table["title"]),
            error_x=error_bars(table, "difference"),
            mode="markers",
            marker={
                "size": 10,
                "color": _CONTRAST,
                "symbol": np.where(beyond, "circle", "circle-open"),
                "line": {"width": 2, "color": _CONTRAST},
            },
            customdata=told,
            hovertemplate="%{y}: %{customdata}<extra></extra>",
        )
    )
    if margin:
        figure.add_vrect(
            -100 * MARGIN, 100 * MARGIN, fillcolor=REFERENCE_COLOUR, opacity=0.15, line_width=0,
            annotation_text=f"±{number(100 * MARGIN, 0)} point", annotation_position="outside top",
        )  # fmt: skip
    figure.add_vline(0, line_color=REFERENCE_COLOUR, line_width=1)
    figure.update_xaxes(title="points")
    figure.update_yaxes(autorange="reversed")
    height = 110 + _row_height(table) * len(table)
    drawn = styled(figure, title, height=height, legend=False, columns={"y": "contrast"})
    return drawn.update_layout(margin_t=28 if margin else 8)


@drawn_once
def variants_figure(variants: pd.DataFrame) -> go.Figure:
    """Each variant's mean accuracy. Bars are 95 % intervals over seeds and images."""
    figure = go.Figure()
    for name, family in _families(variants):
        figure.add_scatter(
            x=100 * family["accuracy"],
            y=_wrapped(family["title"]),
            error_x=error_bars(family),
            mode="markers",
            name=name,
            marker={"size": 10, "color": _COLOURS[name]},
            customdata=family["seeds"],
            meta=in_csv("seeds"),
            hovertemplate="%{y}: %{x:.1f} % (%{customdata} seeds)<extra></extra>",
        )
    _published_lines(figure)
    figure.update_xaxes(title="accuracy, %")
    figure.update_yaxes(categoryorder="array", categoryarray=_wrapped(variants["title"])[::-1])
    height = 130 + _row_height(variants) * len(variants)
    return legend_below(
        styled(figure, "Accuracy of every variant", height=height, columns={"y": "variant"})
    )


def _published_lines(figure: go.Figure) -> None:
    """The publication's two figures. Their names stand one above the other: on a telephone there is
    no room beside.
    """
    for line, (model, accuracy) in enumerate(PAPER.items()):
        figure.add_vline(
            100 * accuracy, line_dash="dash", line_color=REFERENCE_COLOUR,
            annotation_text=f"{AUTHORS}, {model}", annotation_position="top",
            annotation_yshift=15 * line,
        )  # fmt: skip


@drawn_once
def pairs_figure(pairs: pd.DataFrame, title: str) -> go.Figure:
    """The two models under the same change, a row each: title; cnn and cnn_lstm, accuracies."""
    figure = go.Figure()
    for column, name, key in (("cnn", "CNN", "A"), ("cnn_lstm", "CNN-LSTM", "B")):
        figure.add_scatter(
            x=100 * pairs[column], y=_wrapped(pairs["title"]), mode="markers", name=name,
            marker={"size": 10, "color": MODEL_COLOURS[key]},
            hovertemplate=f"{name}, %{{y}}: %{{x:.1f}} %<extra></extra>",
        )  # fmt: skip
    _published_lines(figure)
    figure.update_xaxes(title="accuracy, %")
    figure.update_yaxes(autorange="reversed")
    height = 130 + _row_height(pairs) * len(pairs)
    return legend_below(styled(figure, title, height=height, columns={"y": "change"}))


@drawn_once
def shares_figure(curve: pd.DataFrame) -> go.Figure:
    """Accuracy by share of Training: share; from_scratch and pretrained, accuracies."""
    figure = go.Figure()
    for column, name, key in (
        ("pretrained", "pretrained", "A"),
        ("from_scratch", "from scratch", "B"),
    ):
        figure.add_scatter(
            x=100 * curve["share"], y=100 * curve[column], mode="lines+markers", name=name,
            line={"color": MODEL_COLOURS[key]},
            hovertemplate=f"{name}, %{{x:.0f}} % of Training: %{{y:.1f}} %<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="share of Training, %", rangemode="tozero")
    figure.update_yaxes(title="accuracy, %")
    return legend_below(styled(figure, "The CNN by how many images it learns from", height=340))


@drawn_once
def cost_figure(variants: pd.DataFrame) -> go.Figure:
    """Accuracy against parameters and, where it was measured, latency: a point for each head."""
    heads = variants[variants["condition"] == ""]
    panels = {"parameters": ("parameters, thousands", 1e-3)}
    if heads["latency_ms"].notna().any():
        panels["latency_ms"] = ("ms per face, one thread", 1)
    figure = make_subplots(rows=1, cols=len(panels), shared_yaxes=True, horizontal_spacing=0.04)
    for column, (field, (title, factor)) in enumerate(panels.items(), start=1):
        for name, family in _families(heads):
            figure.add_scatter(
                x=factor * family[field],
                y=100 * family["accuracy"],
                error_y=error_bars(family),
                mode="markers",
                marker={"size": 10, "color": _COLOURS[name]},
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                customdata=family["title"],
                meta=in_csv("variant"),
                hovertemplate="%{customdata}: %{y:.1f} %, %{x:.3g}<extra></extra>",
                row=1,
                col=column,
            )
        _published_across(figure, named=column == 1, col=column)
        figure.update_xaxes(title=title, rangemode="tozero", col=column)
    figure.update_yaxes(title="accuracy, %", col=1)
    return styled(
        figure, f"Accuracy against {' and '.join(_COSTS[f] for f in panels)}", height=440, wide=True
    )


_COSTS = {"parameters": "size", "latency_ms": "time"}


@drawn_once
def curves_figure(curves: dict[str, pd.DataFrame]) -> go.Figure:
    """PublicTest accuracy by epoch, means over seeds, one line per variant."""
    figure = go.Figure()
    for (title, curve), colour in zip(curves.items(), _LINES * len(curves)):
        figure.add_scatter(
            x=curve["epoch"],
            y=100 * curve["val_accuracy"],
            mode="lines",
            line={"color": colour, "width": 2},
            name=title,
            hovertemplate=f"{title}, epoch %{{x}}: %{{y:.1f}} %<extra></extra>",
        )
    last = max((int(curve["epoch"].max()) for curve in curves.values()), default=2)
    for (model, accuracy), dash in zip(PAPER.items(), ("dash", "dot")):
        figure.add_scatter(  # named in the legend: curves lie wherever there is room for a name
            x=[1, last], y=[100 * accuracy] * 2, mode="lines", name=f"{AUTHORS}, {model} (test)",
            line={"color": REFERENCE_COLOUR, "dash": dash}, hoverinfo="skip",
        )  # fmt: skip
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="PublicTest accuracy, %")
    return legend_below(styled(figure, "Learning curves", height=480), room=96)


_COLOURS = {"without an LSTM": MODEL_COLOURS["A"], "with an LSTM": MODEL_COLOURS["B"]}
_CONTRAST = MODEL_COLOURS["A"]
_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8c8c8c")


def _families(variants: pd.DataFrame):
    recurrent = variants["model"].str.startswith("cnn_lstm")
    return zip(_COLOURS, (variants[~recurrent], variants[recurrent]))


def _row_height(table: pd.DataFrame) -> int:
    """Pixels: room for the longest name."""
    lines = (name.count("<br>") + 1 for name in _wrapped(table["title"]))
    return 18 + 14 * max(lines, default=1)


def _wrapped(titles: pd.Series) -> list[str]:
    """Names of rows, in lines that a telephone has room for."""
    return ["<br>".join(wrap(title, 24)) for title in titles]


def _published_across(figure: go.Figure, *, named: bool, col: int) -> None:
    """The publication's two figures as lines across a panel."""
    for model, accuracy in PAPER.items():
        name = {"annotation_text": f"{AUTHORS}, {model}", "annotation_position": "bottom left"}
        figure.add_hline(
            100 * accuracy, line_dash="dash", line_color=REFERENCE_COLOUR, col=col,
            **(name if named else {}),
        )  # fmt: skip
