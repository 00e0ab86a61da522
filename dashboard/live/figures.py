"""The webcam's chart: probabilities over the last half-minute."""

from functools import lru_cache

import numpy as np
from plotly.subplots import make_subplots

from fercore.faces.video import HISTORY_SECONDS, Moment
from fercore.figures.colours import CLASS_COLOURS, MODEL_COLOURS, REFERENCE_COLOUR, needs_rim
from fercore.figures.parts import styled
from fercore.labels import CLASSES

_POINTS_PER_SECOND = 4  # more cannot be seen, and all are sent to the browser every second


def live_figure(moments: list[Moment], models: list[str]) -> dict:
    """A line for each class, a panel for each model; gaps where no face was seen.

    Time runs from 30 seconds ago to the newest moment. A figure as Plotly's JSON: it is drawn
    every second beside the video's thread, and building it anew would hold that up.
    """
    thinned = _thinned(moments)
    seconds = np.array([moment.at - moments[-1].at for moment in thinned], np.float32)
    nothing = np.full(len(CLASSES), np.nan)
    lines = {}
    for key in models:
        probs = [moment.probs.get(key, nothing) for moment in thinned]
        lines[key] = 100 * np.array(probs, np.float32).reshape(-1, len(CLASSES)).T
    empty = _empty_figure(tuple(models))
    drawn = []
    for trace in empty["data"]:
        key, number = trace["meta"]
        drawn.append(trace | {"x": seconds, "y": lines[key][number]})
    return empty | {"data": drawn}


@lru_cache(maxsize=100)
def _empty_figure(models: tuple[str, ...]) -> dict:
    figure = make_subplots(
        rows=len(models), shared_xaxes=True, vertical_spacing=0.08, row_titles=models
    )
    for key, title in zip(models, figure.layout.annotations, strict=True):
        title.update(textangle=0, font={"color": MODEL_COLOURS[key]}, text=f"<b>{key}</b>")
    for row, key in enumerate(models, start=1):
        for number, (name, colour) in enumerate(CLASS_COLOURS.items()):
            if needs_rim(colour):
                figure.add_scatter(
                    mode="lines",
                    line={"color": REFERENCE_COLOUR, "width": 4.5},
                    meta=[key, number],
                    legendgroup=name,
                    showlegend=False,
                    hoverinfo="skip",
                    row=row,
                    col=1,
                )
            figure.add_scatter(
                meta=[key, number],
                mode="lines",
                line={"color": colour, "width": 2.5},
                name=name,
                legendgroup=name,
                showlegend=row == 1,
                hovertemplate=f"{key} · {name}: %{{y:.0f}} %<extra></extra>",
                row=row,
                col=1,
            )
    figure.update_yaxes(range=[0, 101], ticksuffix=" %", fixedrange=True)
    figure.update_xaxes(range=[-HISTORY_SECONDS, 0], fixedrange=True)
    figure.update_xaxes(title="seconds", row=len(models))
    columns = {"y": "probability, %"}
    figure = styled(figure, "", height=170 + 150 * len(models), columns=columns)
    figure.update_layout(
        legend={"y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin={"t": 70},
        uirevision="live",
        template=None,
    )
    return figure.to_plotly_json()


def _thinned(moments: list[Moment]) -> list[Moment]:
    """The newest of each quarter of a second."""
    newest = {int(moment.at * _POINTS_PER_SECOND): moment for moment in moments}
    return list(newest.values())
