"""Slices: a model's accuracy on each, with its interval."""

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fercore.figures.colours import MODEL_COLOURS
from fercore.figures.parts import COUNT, ROW_OFFSETS, STILL, error_bars, in_csv, rows, styled
from fercore.scoring.slices import FIFTHS
from fercore.wording import count, in_points


def slices_figure(tables: dict[str, pd.DataFrame], everyone: dict[str, float]) -> go.Figure:
    """Accuracy on each slice with its interval; a line where all images are.

    `tables` are those of `slices`, by model; `everyone` the models' accuracy on all images.
    Within a property A's worst slice comes first. A ring marks a slice of few images.
    """
    columns = [lines for lines in _columns(tables["A"]) if lines]
    longest = max(map(len, columns))
    figure = make_subplots(rows=1, cols=len(columns), horizontal_spacing=0.18)
    for place, lines in enumerate(columns, start=1):
        for offset, (key, table) in zip(ROW_OFFSETS, tables.items()):
            shift = offset if len(tables) > 1 else 0
            figure.add_trace(_points(key, table, lines, shift, legend=place == 1), row=1, col=place)
            figure.add_vline(
                100 * everyone[key], line_color=MODEL_COLOURS[key], line_dash="dot",
                line_width=1, row=1, col=place,
            )  # fmt: skip
        names = [text for _, text in lines]
        figure.update_yaxes(**rows(names, room_for=longest), showgrid=False, col=place)
    figure.update_xaxes(title="accuracy, %", fixedrange=True, zeroline=False)
    if len(columns) > 1:
        figure.update_xaxes(matches="x", col=2)
    figure.update_layout(dragmode=False)
    title = "Accuracy on each slice, with 95 % interval (dotted: all images)"
    return styled(figure, title, height=120 + 25 * longest, wide=True, columns={"y": ""})


_Line = tuple[tuple[str, str] | None, str]  # a slice's (property, name), None for a header; words


def _columns(table: pd.DataFrame) -> tuple[list[_Line], list[_Line]]:
    """The lines of two panels: what was measured in the images, and the rest."""
    left: list[_Line] = []
    right: list[_Line] = []
    for name in dict.fromkeys([*FIFTHS, *table["property"]]):
        of_property = table[table["property"] == name]
        if of_property.empty:
            continue
        side = left if name in FIFTHS else right
        side.append((None, f"<b>{name}</b>"))
        for line in of_property.itertuples():
            side.append(((name, line.slice), f"{escape(line.slice)}, {count(line.n)}"))
    return left, right


def _points(
    key: str, table: pd.DataFrame, lines: list[_Line], shift: float, *, legend: bool
) -> go.Scatter:
    heights = {slice_: height for height, (slice_, _) in enumerate(lines) if slice_}
    names = list(zip(table["property"], table["slice"]))
    shown = table[[name in heights for name in names]]
    return go.Scatter(
        x=100 * shown["accuracy"],
        y=[heights[name] + shift for name in names if name in heights],
        error_x=error_bars(shown, width=0),
        mode="markers",
        marker={
            "size": 9,
            "color": MODEL_COLOURS[key],
            "symbol": np.where(shown["few"], "circle-open", "circle"),
        },
        unselected={"marker": STILL},
        name=key,
        legendgroup=key,
        showlegend=legend,
        customdata=shown[["property", "slice", "n"]].assign(
            gap=[in_points(gap) for gap in shown["difference"]],
            title=[escape(title) for title in shown["slice"]],
        ),
        meta=in_csv("property", "slice", "n"),
        hovertemplate=f"{key} · %{{customdata[0]}}, %{{customdata[4]}}: %{{x:.1f}} % "
        f"(n = %{{customdata[2]:{COUNT}}}), %{{customdata[3]}} points to all<extra></extra>",
    )
