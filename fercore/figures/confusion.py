"""Confusion: the matrices of A and B, and what one puts into a cell more often than the other."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from fercore.figures.colours import DIFFERENCE, MAGNITUDE, MARK_COLOUR
from fercore.figures.parts import STILL, heat, styled
from fercore.labels import CLASSES
from fercore.scoring.matrices import share_of
from fercore.wording import count, number, percent, signed

# (7, 7), by label and by what was said; of a group the means over its seeds
Counts = NDArray[np.integer] | NDArray[np.floating]
ROW_COLOUR, COLUMN_COLOUR = "#009E73", "#CC79A7"  # of a lesson's frames
_SIDE = 38  # of a cell's mark, pixels
_SHARES = {"row": "% of the row", "column": "% of the column", "none": "% of the largest cell"}


def confusion_figure(
    counts: Counts,
    *,
    title: str,
    normalise: str = "row",
    selected: tuple[str, str] | None = None,
    rows: str = "label",
    columns: str = "predicted",
    taught: tuple[str, str] | None = None,
) -> go.Figure:
    """A confusion matrix: the count in each cell, and its share of the row, the column or neither.

    `rows` and `columns` say what they are, for the axes and the hover text. taught: the label and
    the prediction whose row and column are framed, with their recall and precision.
    """
    shares = _shares(counts, normalise)
    text = [
        [
            f"{_told(n)}<br>{100 * s:.0f} %" if normalise != "none" else _told(n)
            for n, s in zip(*lines)
        ]
        for lines in zip(counts, shares, strict=True)
    ]
    top = 100 * max(shares.max(), 1e-9)
    cells = heat(
        100 * shares, text, MAGNITUDE, zmin=0, zmax=top, x=CLASSES, y=CLASSES,
        name=_SHARES[normalise], about={"images": counts},
    )  # fmt: skip
    hover = [[f"n = {_told(n)}" for n in line] for line in counts]
    figure = _matrix(cells, hover, title, selected, rows, columns)
    return _with_lesson(figure, counts, *taught) if taught else figure


def _with_lesson(figure: go.Figure, counts: Counts, label: str, predicted: str) -> go.Figure:
    """Frames around a row and a column, with what they are summed up in."""
    row, column, edge = CLASSES.index(label), CLASSES.index(predicted), len(CLASSES) - 0.5
    recall, precision = _shares(counts, "row")[row, row], _shares(counts, "column")[column, column]
    for axis, at, colour in (("y", row, ROW_COLOUR), ("x", column, COLUMN_COLOUR)):
        other = "x" if axis == "y" else "y"
        ends = {f"{axis}0": at - 0.5, f"{axis}1": at + 0.5, f"{other}0": -0.5, f"{other}1": edge}
        figure.add_shape(type="rect", line={"color": colour, "width": 3, "dash": "dot"}, **ends)
    figure.add_annotation(
        text=f"recall<br>{percent(recall)}", showarrow=False,
        x=1, xref="paper", xanchor="left", y=row,
    )  # fmt: skip
    figure.add_annotation(
        text=f"precision {percent(precision)}", showarrow=False,
        x=column, y=1, yref="paper", yanchor="bottom",
        xanchor="right" if column > len(CLASSES) // 2 else "left",
    )  # fmt: skip
    return figure.update_layout(margin={"t": 32, "r": 64})


def difference_figure(
    a: Counts,
    b: Counts,
    *,
    title: str,
    marked: NDArray[np.bool_] | None = None,
    selected: tuple[str, str] | None = None,
) -> go.Figure:
    """Row shares of A minus those of B, in points; blue where A has more, orange where B has.

    Cells of `marked`, bool (K, K), carry a star: their difference is beyond chance.
    """
    difference = 100 * (_shares(a, "row") - _shares(b, "row"))
    limit = max(5.0, float(np.abs(difference).max()))
    marked = np.zeros(a.shape, bool) if marked is None else marked
    places = 0 if np.issubdtype(a.dtype, np.integer) and np.issubdtype(b.dtype, np.integer) else 1
    text = [
        [
            f"{signed(d, places)}{' ★' if star else ''}<br>{signed(share)}"
            for d, share, star in zip(*lines)
        ]
        for lines in zip(a - b, difference, marked, strict=True)
    ]
    cells = heat(
        difference, text, DIFFERENCE, zmin=-limit, zmax=limit, x=CLASSES, y=CLASSES,
        name="A − B, points of the row", about={"A − B, images": a - b, "beyond chance": marked},
    )  # fmt: skip
    hover = [
        [
            f"A {_told(of_a)}, B {_told(of_b)}: {signed(of_a - of_b, places)}"
            for of_a, of_b in zip(*lines)
        ]
        for lines in zip(a, b, strict=True)
    ]
    return _matrix(cells, hover, title, selected, "label", "predicted")


def _told(n: np.integer | np.floating) -> str:
    """A count; of a group a mean of counts, with a decimal where it is less than ten."""
    small = isinstance(n, np.floating) and 0 < n < 10
    return number(float(n), 1) if small else count(round(float(n)))


def _shares(counts: Counts, normalise: str) -> NDArray[np.float64]:
    """Of the row or the column; with 'none', of the largest cell, for the colour alone."""
    counts = np.asarray(counts, np.float64)
    if normalise == "none":
        return counts / max(float(counts.max()), 1.0)
    axis = 1 if normalise == "row" else 0
    return share_of(counts, counts.sum(axis, keepdims=True))


def _matrix(
    cells: list[go.Heatmap],
    hover: list[list[str]],
    title: str,
    selected: tuple[str, str] | None,
    rows: str,
    columns: str,
) -> go.Figure:
    """`hover` is what the mouse is told of each cell."""
    figure = go.Figure(cells)
    # Streamlit delivers no clicks on a heatmap; transparent markers over its cells take them.
    predicted, true = np.meshgrid(CLASSES, CLASSES)
    figure.add_scatter(
        x=predicted.ravel(),
        y=true.ravel(),
        customdata=[text for line in hover for text in line],
        mode="markers",
        marker={"size": _SIDE, "symbol": "square", "color": "rgba(0,0,0,0)"},
        hovertemplate=f"{rows} %{{y}}, {columns} %{{x}}: %{{customdata}}<extra></extra>",
        unselected={"marker": STILL},
        showlegend=False,
    )
    if selected and all(name in CLASSES for name in selected):
        row, column = (CLASSES.index(name) for name in selected)
        figure.add_shape(
            type="rect", x0=column - 0.5, x1=column + 0.5, y0=row - 0.5, y1=row + 0.5,
            line={"color": MARK_COLOUR, "width": 4},
        )  # fmt: skip
    edge = len(CLASSES) - 0.5
    figure.update_xaxes(
        title=columns, fixedrange=True, showgrid=False, range=[-0.5, edge], autotickangles=[0, 90]
    )
    figure.update_yaxes(title=rows, fixedrange=True, showgrid=False, range=[edge, -0.5])
    figure.update_layout(dragmode=False)
    return styled(figure, title, height=520, legend=False)
