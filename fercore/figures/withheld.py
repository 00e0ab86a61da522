"""What is left per class where a model withholds answers: against what was wanted, and before."""

import pandas as pd
import plotly.graph_objects as go

from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import ROW_OFFSETS, points_by_row

_TITLES = {"precision": "Precision of what is answered", "false_alarms": "False alarms"}


def wanted_figure(tables: dict[str, pd.DataFrame], metric: str) -> go.Figure:
    """What was wished of every class as it is on these images, a point with its interval for each
    model, and a mark at what was wanted. metric: 'precision' or 'false_alarms'. `tables` are
    those of `left_per_class`.
    """
    title = f"{_TITLES[metric]}, with 95 % interval (mark: wanted)"
    figure = points_by_row(tables, metric, "class", "n", title=title)
    wanted = next(iter(tables.values())).reset_index(drop=True)
    figure.add_scatter(
        x=100 * wanted["wanted"], y=wanted.index, mode="markers", name="wanted",
        marker={
            "symbol": "line-ns", "size": 26, "line": {"width": 3, "color": REFERENCE_COLOUR},
        },
        hovertemplate="wanted: %{x:.1f} %<extra></extra>",
    )  # fmt: skip
    return figure.update_xaxes(ticksuffix=" %")


def recall_figure(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """The recall that is left of every class, and as a ring what it was of all answers."""
    title = "Recall that is left, with 95 % interval (ring: nothing withheld)"
    figure = points_by_row(tables, "recall", "class", "support", title=title)
    for offset, (key, table) in zip(ROW_OFFSETS, tables.items(), strict=False):
        table = table.reset_index(drop=True)
        figure.add_scatter(
            x=100 * table["recall_of_all"],
            y=table.index + (offset if len(tables) > 1 else 0),
            mode="markers", showlegend=False, legendgroup=key, name=f"{key}, nothing withheld",
            marker={"symbol": "circle-open", "size": 12, "color": MODEL_COLOURS[key]},
            hovertemplate=f"{key}, nothing withheld: %{{x:.1f}} %<extra></extra>",
        )  # fmt: skip
    return figure.update_xaxes(range=[-2, 102], ticksuffix=" %")
