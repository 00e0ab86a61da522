"""What figures share: how they look, and the pieces that several pages draw. No model.

A figure is a pure function from tables of results to a Plotly figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from fercore.figures.colours import MODEL_COLOURS, Scale, colour_at, text_on
from fercore.labels import CLASSES
from fercore.wording import percent

_LEGEND_ROOM = 36  # pixels above the panels
COUNT = ",.1~f"  # how a hover text tells a count, of a group a mean with a decimal
STILL = {"opacity": 1}  # for `unselected`'s markers: a click marks a point and dims no other


def heat(
    values: NDArray[np.float64],
    text: list[list[str]],
    colorscale: Scale,
    *,
    zmin: float,
    zmax: float,
    x: Sequence[str],
    y: Sequence[str],
    name: str,
    about: Mapping[str, NDArray[Any]],
) -> list[go.Heatmap]:
    """Coloured cells with a text each, in black or white, as it is read on their colours.

    name: what `values` are. about: what else a figure's CSV tells of each cell.
    """
    data = np.stack([np.asarray(each, object) for each in about.values()], axis=-1).tolist()
    shares = np.nan_to_num(np.clip((values - zmin) / (zmax - zmin), 0, 1))
    white = np.array(
        [[text_on(colour_at(colorscale, share)) == "#ffffff" for share in line] for line in shares]
    )
    return [
        go.Heatmap(
            z=np.where(cells, values, np.nan), text=np.where(cells, text, ""),
            x=x, y=y, name=name, colorscale=colorscale, zmin=zmin, zmax=zmax,
            texttemplate="%{text}", textfont={"color": colour}, showscale=False, hoverinfo="skip",
            hoverongaps=False, xgap=1, ygap=1, customdata=data, meta=in_csv(*about),
        )
        for colour, cells in (("#000000", ~white), ("#ffffff", white))
    ]  # fmt: skip


def points_by_row(
    tables: Mapping[str, pd.DataFrame],
    value: str,
    row: str,
    n: str,
    *,
    title: str,
    seeds: Mapping[str, pd.DataFrame] | None = None,
) -> go.Figure:
    """A point with its interval for each model in each row, the first row at the top.

    value: the column of shares from 0 to 1 that is drawn; row: that of the rows' names, which the
    first table has all of; n: that of the number of images. Each point's data are its row's name
    and n. seeds: tables of the same columns of a group's single seeds, which are drawn faintly.
    """
    names = list(next(iter(tables.values()))[row])

    def heights(table: pd.DataFrame, shift: float) -> list[float]:
        return [names.index(name) + shift for name in table[row]]

    figure = go.Figure()
    for offset, (key, table) in zip(ROW_OFFSETS, tables.items(), strict=False):
        table = table[table[row].isin(names)]
        shift = offset if len(tables) > 1 else 0
        if seeds and key in seeds:
            own = seeds[key][seeds[key][row].isin(names)]
            figure.add_trace(faint_seeds(key, 100 * own[value], heights(own, shift)))
        figure.add_scatter(
            x=100 * table[value], y=heights(table, shift), error_x=error_bars(table, value),
            mode="markers", marker={"size": 10, "color": MODEL_COLOURS[key]},
            name=key, legendgroup=key, unselected={"marker": STILL},
            customdata=table[[row, n]], meta=in_csv("", "n"),
            hovertemplate=f"{key} · %{{customdata[0]}}: %{{x:.1f}} % "
            f"(n = %{{customdata[1]:{COUNT}}})<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(**rows(names)).update_xaxes(fixedrange=True)
    figure.update_layout(dragmode=False)
    height, columns = 150 + 45 * len(names), {"x": f"{value}, %", "y": row}
    return styled(figure, title, height=height, columns=columns)


def faint_seeds(key: str, x: "pd.Series[float]", y: Sequence[float]) -> go.Scatter:
    """A group's single seeds, beneath its mean: neither in the legend nor clicked."""
    return go.Scatter(
        x=x, y=y, mode="markers", hoverinfo="skip", showlegend=False, legendgroup=key,
        name=f"{key}, each seed",
        marker={
            "size": 9, "symbol": "line-ns-open", "color": MODEL_COLOURS[key], "opacity": 0.6,
        },
        unselected={"marker": {"opacity": 0.6}},
    )  # fmt: skip


def rows(names: Sequence[str], *, room_for: int = 0) -> dict[str, Any]:
    """An axis whose places 0, 1, … have names, from the top down; with room for more of them."""
    return {
        "tickmode": "array", "tickvals": list(range(len(names))), "ticktext": list(names),
        "range": [max(len(names), room_for) - 0.4, -0.6], "fixedrange": True,
    }  # fmt: skip


ROW_OFFSETS = (-0.13, 0.13)  # of A's and B's points from the middle of their row


def panel(index: int) -> dict[str, int]:
    """The place of a panel in two rows of four, as `add_trace` takes it."""
    return {"row": index // 4 + 1, "col": index % 4 + 1}


def ring(key: str) -> dict[str, Any]:
    """The marker of what was chosen on a model's line."""
    return {
        "size": 14, "symbol": "circle-open", "line": {"width": 3}, "color": MODEL_COLOURS[key],
    }  # fmt: skip


def probability_figure(probs: dict[str, NDArray[np.floating]]) -> go.Figure:
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
    title, columns = "Probability of each expression", {"x": "probability, %", "y": "class"}
    return styled(figure, title, height=320, legend=len(probs) > 1, columns=columns)


def error_bars(table: pd.DataFrame, value: str = "accuracy", **look: Any) -> dict[str, Any]:
    """Intervals as Plotly's error bars, in percent, from a column of shares from 0 to 1 and its
    `_low` and `_high`.
    """
    return {
        "array": 100 * (table[f"{value}_high"] - table[value]),
        "arrayminus": 100 * (table[value] - table[f"{value}_low"]),
        "thickness": 2,
    } | look


def in_csv(*columns: str) -> dict[str, Any]:
    """A trace's `meta`: what a figure's CSV calls each of its points' data, '' for what is left
    out of it.
    """
    return {"columns": columns}


def styled(
    figure: go.Figure,
    title: str,
    *,
    height: int,
    legend: bool = True,
    wide: bool = False,
    columns: Mapping[str, str] | None = None,
) -> go.Figure:
    """The figure as the page shows it: `charts.show_figure` writes the title above it.

    wide: of panels side by side, which need more room than a telephone has. columns: what a CSV of
    the figure calls 'x' and 'y' where the axes have no titles; '' leaves one out.
    """
    figure.update_layout(
        meta={"title": title, "wide": wide, "columns": dict(columns or {})},
        height=height,
        margin={"l": 8, "r": 8, "t": _LEGEND_ROOM if legend else 16, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        separators=".\u202f",  # of decimals and thousands
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
