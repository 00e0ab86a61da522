"""Per class: a metric of every class for A and B, and their difference."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import COUNT, STILL, error_bars, in_csv, points_by_row, styled
from fercore.scoring.statistics import LEVEL
from fercore.wording import p_value, signed

_HEIGHT = 420  # of both figures, which stand side by side


def class_figure(
    tables: dict[str, pd.DataFrame], metric: str, seeds: dict[str, pd.DataFrame] | None = None
) -> go.Figure:
    """One metric of every class, a point with its interval for each model; a group's `seeds`,
    tables of the same columns, are drawn faintly.
    """
    title = f"{metric_title(metric)} per class, with 95 % interval"
    figure = points_by_row(tables, metric, "class", "support", title=title, seeds=seeds)
    figure.update_xaxes(range=[-2, 102], ticksuffix=" %")
    return figure.update_layout(height=_HEIGHT)


def metric_title(metric: str) -> str:
    """'F1', 'AUC', 'Recall'."""
    return metric.upper() if metric in ("f1", "auc") else metric.capitalize()


def class_difference_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """A minus B in one metric of every class, in points, with its paired interval; filled where
    its p, corrected for the number of classes, is below 0.05.
    """
    value, beyond = 100 * table[metric], table[f"{metric}_p_holm"] < LEVEL
    figure = go.Figure(
        go.Scatter(
            x=value,
            y=table["class"],
            error_x=error_bars(table, metric, color=REFERENCE_COLOUR),
            mode="markers",
            marker={
                "size": 11,
                "color": [MODEL_COLOURS["A" if v > 0 else "B"] for v in value],
                "symbol": np.where(beyond, "circle", "circle-open"),
                "line": {"width": 2},
            },
            unselected={"marker": STILL},
            customdata=table[["class", "support"]].assign(
                points=[signed(v) for v in value],
                p=[p_value(p) for p in table[f"{metric}_p_holm"]],
                p_holm=table[f"{metric}_p_holm"],
            ),
            meta=in_csv("", "n", "", "", "corrected p"),
            hovertemplate="%{y}: %{customdata[2]} points, corrected %{customdata[3]} "
            f"(n = %{{customdata[1]:{COUNT}}})<extra></extra>",
        )
    )
    figure.add_vline(0, line_color=REFERENCE_COLOUR)
    figure.update_yaxes(
        categoryorder="array", categoryarray=list(table["class"])[::-1], fixedrange=True
    )
    figure.update_xaxes(title="points", zeroline=False, fixedrange=True)
    figure.update_layout(dragmode=False)
    title = f"A − B, {metric_title(metric)}, with 95 % interval: filled where beyond chance"
    columns = {"x": f"A − B in {metric}, points", "y": "class"}
    return styled(figure, title, height=_HEIGHT, legend=False, columns=columns)
