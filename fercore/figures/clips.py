"""The probabilities of a face in a clip over time, with frames of it beneath."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from fercore.figures.colours import CLASS_COLOURS, MODEL_COLOURS, REFERENCE_COLOUR, needs_rim
from fercore.figures.parts import STILL, styled

_PANEL, _FRAMES = 170, 84  # pixels high

Picture = tuple[float, str]  # a time in seconds, and a frame's data URL


def clip_figure(
    times: Sequence[float],
    probs: Mapping[str, NDArray[np.floating]],
    pictures: Sequence[Picture],
    chosen: float,
) -> go.Figure:
    """A line for each class, a panel for each model, gaps where the face was not seen; beneath, in
    the place of their times, frames. A line marks the time that is chosen.

    times: (T,), seconds. probs: by 'A' and 'B', (T, 7), NaN where it was not seen.
    """
    rows = len(probs) + 1
    high = 60 + _PANEL * len(probs) + _FRAMES
    figure = make_subplots(
        rows=rows, shared_xaxes=True, vertical_spacing=0.1 / rows,
        row_heights=[*[_PANEL] * len(probs), _FRAMES], row_titles=[*probs, ""],
    )  # fmt: skip
    titles = {title.text: title for title in figure.layout.annotations}
    for row, (key, values) in enumerate(probs.items(), start=1):
        titles[key].update(textangle=0, font={"color": MODEL_COLOURS[key]}, text=f"<b>{key}</b>")
        _lines(figure, key, times, 100 * np.asarray(values), row)
    figure.update_yaxes(range=[-3, 103], tickvals=[0, 50, 100], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(visible=False, range=[0, 1], row=rows)
    span = max(times[-1] - times[0], 0.1)
    room = 0.5 * span / max(len(pictures), 1)
    figure.update_xaxes(range=[times[0] - room, times[-1] + room], fixedrange=True)
    figure.update_xaxes(title="seconds", row=rows)
    for picture in pictures:
        figure.add_layout_image(_placed(picture, 1.9 * room, rows))
    figure.add_vline(x=chosen, line={"color": REFERENCE_COLOUR, "width": 1.5, "dash": "dot"})
    figure.update_layout(dragmode=False)
    columns = {"y": "probability, %"}
    return styled(figure, "Probabilities over time", height=high, wide=True, columns=columns)


def _lines(
    figure: go.Figure, key: str, times: Sequence[float], values: NDArray[np.floating], row: int
) -> None:
    for number, (name, colour) in enumerate(CLASS_COLOURS.items()):
        common: dict[str, Any] = {"x": times, "y": values[:, number], "legendgroup": name}
        if needs_rim(colour):
            rim = {"color": REFERENCE_COLOUR, "width": 4.5}
            figure.add_scatter(
                **common, mode="lines", line=rim, showlegend=False, hoverinfo="skip", row=row, col=1
            )
        figure.add_scatter(
            **common, mode="lines+markers", line={"color": colour, "width": 2.5},
            marker={"size": 4}, unselected={"marker": STILL}, name=name, showlegend=row == 1,
            hovertemplate=f"{key} · {name} at %{{x:.1f}} s: %{{y:.0f}} %<extra></extra>",
            row=row, col=1,
        )  # fmt: skip


def _placed(picture: Picture, width: float, row: int) -> dict[str, Any]:
    at, url = picture
    return {
        "source": url, "x": at, "y": 0.5, "xref": f"x{row}", "yref": f"y{row}", "sizex": width,
        "sizey": 1, "xanchor": "center", "yanchor": "middle", "sizing": "contain", "layer": "above",
    }  # fmt: skip
