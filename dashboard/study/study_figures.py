"""Figures of a study: what each head and each condition does to the accuracy."""

from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.base.figures import drawn_once, error_bars, heat, legend_below, styled
from dashboard.base.theme import DIFFERENCE, MODEL_COLOURS, REFERENCE_COLOUR, text_on
from fercore.scoring.statistics import LEVEL
from fercore.study.references import PAPER
from fercore.wording import in_points, p_value, signed

PAPER_GAP = PAPER["CNN-LSTM"] - PAPER["CNN"]


@drawn_once
def variants_figure(gaps: pd.DataFrame) -> go.Figure:
    """Left, each variant's mean accuracy; right, its difference to the CNN in points.

    Bars are 95 % intervals over seeds and images. On the right a filled point is beyond chance
    after Holm's correction.
    """
    figure = make_subplots(
        rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04,
        subplot_titles=("accuracy, %", "against the CNN, points<br>filled: beyond chance"),
    )  # fmt: skip
    for name, family in _families(gaps):
        beyond = (family["p_holm"] < LEVEL) | family["p_holm"].isna()
        common = {"y": family["title"], "mode": "markers", "name": name, "legendgroup": name}
        figure.add_scatter(
            x=100 * family["accuracy"],
            error_x=error_bars(family),
            marker={"size": 10, "color": _COLOURS[name]},
            customdata=family["seeds"],
            hovertemplate="%{y}: %{x:.1f} % (%{customdata} seeds)<extra></extra>",
            **common,
            row=1,
            col=1,
        )
        figure.add_scatter(
            x=100 * family["difference"],
            error_x=error_bars(family, "difference"),
            marker={
                "size": 10,
                "color": _COLOURS[name],
                "symbol": np.where(beyond, "circle", "circle-open"),
                "line": {"width": 2, "color": _COLOURS[name]},
            },
            customdata=np.stack(
                [
                    [in_points(gap) for gap in family["difference"]],
                    [p_value(p) for p in family["p_holm"]],
                ],
                axis=-1,
            ),
            hovertemplate="%{y}: %{customdata[0]} points, corrected %{customdata[1]}"
            "<extra></extra>",
            showlegend=False,
            **common,
            row=1,
            col=2,
        )
    figure.update_annotations(yshift=18)  # the titles, above the lines' names
    for model, accuracy in PAPER.items():
        _paper_line(figure, 100 * accuracy, f"paper {model}", col=1)
    _paper_line(figure, 100 * PAPER_GAP, "paper's gap", col=2)
    figure.add_vline(0, line_color=MODEL_COLOURS["A"], line_width=1, col=2)
    figure.update_yaxes(categoryorder="array", categoryarray=list(gaps["title"])[::-1])
    figure = legend_below(styled(figure, "", height=232 + 26 * len(gaps), wide=True))
    return figure.update_layout(margin_t=82)


@drawn_once
def cost_figure(gaps: pd.DataFrame) -> go.Figure:
    """Accuracy against parameters and, where it was measured, latency: a point for each head."""
    heads = gaps[gaps["condition"] == ""]
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
                text=family["title"],
                hovertemplate="%{text}: %{y:.1f} %, %{x:.3g}<extra></extra>",
                row=1,
                col=column,
            )
        for model, accuracy in PAPER.items():
            name = {"annotation_text": f"paper {model}", "annotation_position": "bottom left"}
            figure.add_hline(
                100 * accuracy, line_dash="dash", line_color=REFERENCE_COLOUR, col=column,
                **(name if column == 1 else {}),
            )  # fmt: skip
        figure.update_xaxes(title=title, rangemode="tozero", col=column)
    figure.update_yaxes(title="accuracy, %", col=1)
    return styled(
        figure, f"Accuracy against {' and '.join(_COSTS[f] for f in panels)}", height=440, wide=True
    )


_COSTS = {"parameters": "size", "latency_ms": "time"}


@drawn_once
def condition_figure(conditions: pd.DataFrame) -> go.Figure:
    """CNN and CNN-LSTM under each condition of the recipe."""
    figure = go.Figure()
    for column, title, key in (("cnn", "CNN", "A"), ("cnn_lstm", "CNN-LSTM", "B")):
        figure.add_bar(
            x=["<br>".join(wrap(title, 15)) for title in conditions["title"]],
            y=100 * conditions[column],
            name=title,
            marker_color=MODEL_COLOURS[key],
            text=[f"{100 * value:.1f}" for value in conditions[column]],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont_color=text_on(MODEL_COLOURS[key]),
            hovertemplate=f"{title}, %{{x}}: %{{y:.1f}} %<extra></extra>",
        )
    _papers_accuracies(figure, "right")
    figure.update_yaxes(title="accuracy, %", range=[0, 78])
    drawn = styled(figure, "The same change made to both models", height=440, wide=True)
    return drawn.update_layout(margin_r=110)  # for the paper's names, beside the bars


@drawn_once
def class_effect_figure(effect: pd.DataFrame, titles: list[str]) -> go.Figure:
    """Recall of each class minus the CNN's, in points: blue better, orange worse."""
    values = 100 * effect.to_numpy()
    limit = max(5.0, float(np.abs(values).max()))
    text = [[signed(value) for value in row] for row in values]
    figure = go.Figure(
        heat(values, text, DIFFERENCE, zmin=-limit, zmax=limit, x=list(effect.columns), y=titles)
    )
    figure.update_traces(hoverinfo=None, hovertemplate="%{y}, %{x}: %{text} points<extra></extra>")
    figure.update_xaxes(autotickangles=[0, 90])
    figure.update_yaxes(autorange="reversed")
    height = 120 + 32 * len(titles)
    return styled(
        figure,
        "Recall of each class against the CNN's, points",
        height=height,
        legend=False,
        wide=True,
    )


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
    _papers_accuracies(figure, "bottom right", " (test)")
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="PublicTest accuracy, %")
    return legend_below(styled(figure, "Learning curves", height=480), room=96)


_COLOURS = {"without an LSTM": MODEL_COLOURS["A"], "with an LSTM": MODEL_COLOURS["B"]}
_LINES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8c8c8c")


def _families(gaps: pd.DataFrame):
    recurrent = gaps["model"].str.startswith("cnn_lstm")
    return zip(_COLOURS, (gaps[~recurrent], gaps[recurrent]))


def _paper_line(figure: go.Figure, x: float, name: str, *, col: int) -> None:
    figure.add_vline(
        x, line_dash="dash", line_color=REFERENCE_COLOUR, annotation_text=name,
        annotation_position="top", col=col,
    )  # fmt: skip


def _papers_accuracies(figure: go.Figure, where: str, more: str = "") -> None:
    """A line across for each of the paper's models, its name at that place."""
    for model, accuracy in PAPER.items():
        figure.add_hline(
            100 * accuracy, line_dash="dash", line_color=REFERENCE_COLOUR,
            annotation_text=f"paper {model}{more}", annotation_position=where,
        )  # fmt: skip
