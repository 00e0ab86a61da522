"""What the pages Robustness and Embedding share: cached reading of a run's extras, and figures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from PIL import Image
from plotly.subplots import make_subplots

from dashboard.base import image_loading, loading
from dashboard.base.current import can_be_asked_or_say_so, was_trained_or_say_so
from dashboard.base.failures import errors_kept
from dashboard.base.figures import drawn_once
from dashboard.base.keys import LASSO
from dashboard.base.selection import Selection
from dashboard.base.tiles import enlarged
from fercore import data
from fercore.analysis import from_weights
from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from fercore.figures.colours import (
    CLASS_COLOURS,
    MARK_COLOUR,
    MODEL_COLOURS,
    REFERENCE_COLOUR,
)
from fercore.figures.parts import error_bars, in_csv, legend_below, panel, styled, with_panels
from fercore.figures.pictures import png_url
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.wording import count

_OUTCOMES = {"right": REFERENCE_COLOUR, "wrong": MARK_COLOUR}
PLACE = {"x": "x", "y": "y"}  # on a map, whose axes have no meaning
_GAP = 9  # pixels between the pictures of a strip


def robustness(run: Run) -> pd.DataFrame | None:
    """`fercore.analysis.from_weights.robustness`, cached until the file changes."""
    return _robustness(run, _changed(run, from_weights.ROBUSTNESS))


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _robustness(run: Run, changed: float) -> pd.DataFrame | None:
    return from_weights.robustness(run)


def embedding(run: Run) -> pd.DataFrame | None:
    """`fercore.analysis.from_weights.embedding`, cached until the file changes."""
    return _embedding(run, embedding_changed(run))


def embedding_changed(run: Run) -> float:
    """When the file was last written, in seconds since 1970; 0 where there is none."""
    return _changed(run, from_weights.EMBEDDING)


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _embedding(run: Run, changed: float) -> pd.DataFrame | None:
    return from_weights.embedding(run)


def _changed(run: Run, name: str) -> float:
    path = run.folder / name
    return path.stat().st_mtime if path.exists() else 0.0


def not_computed(key: str, run: Run) -> None:
    """The empty state: which command computes a run's extras, or why none can."""
    if was_trained_or_say_so(key, run, "weights") and can_be_asked_or_say_so(key, run):
        st.info(
            f"{key} has not been analysed yet. Run `fercore analyse {run.run_id}` in a terminal; "
            "it takes minutes on FER2013, and needs the images."
        )


def images_in_words(run: Run, table: pd.DataFrame) -> str:
    """How many images a table of `robustness` is of: '3 589', or '3 554 of 3 589'."""
    n, every = table["n"].iloc[0], len(loading.run_predictions(run, "private"))
    return count(n) if n == every else f"{count(n)} of {count(every)}"


def example_face(run: Run, expression: str) -> tuple[np.ndarray, bool]:
    """A face uint8 (48, 48) with that label, and whether it is one of the run's images.

    It is drawn where the run's images are not on this machine.
    """
    label, table = CLASSES.index(expression), loading.run_predictions(run, "private")
    images = image_loading.images(run)
    of_class = (images.get(pixels) for pixels in table.pixels[table.labels == label])
    face = next((face for face in of_class if face is not None), None)
    return (_drawn_faces()[label], False) if face is None else (face, True)


@st.cache_resource(show_spinner=False)
def _drawn_faces() -> np.ndarray:
    return data.synthetic((0, 0, 1)).images


@st.cache_data(max_entries=200, show_spinner=False)
def corruption_strip(face: np.ndarray, kind: str) -> str:
    """One face uint8 (48, 48), untouched and at strengths 1 to 5, as a picture's URL."""
    tiles = [enlarged(corrupt(face[None], kind, strength)[0], 3) for strength in STRENGTHS]
    step = tiles[0].width + _GAP
    strip = Image.new("LA", (step * len(tiles) - _GAP, tiles[0].height))
    for strength, shown in zip(STRENGTHS, tiles, strict=True):
        strip.paste(shown.convert("LA"), (step * strength, 0))
    return png_url(strip)


def scale(kind: str) -> str:
    """'Blur (deviation, pixels): 0 · 0.5 · …'."""
    corruption = CORRUPTIONS[kind]
    values = " · ".join(f"{value:g}" for value in corruption.values)
    return f"{corruption.title} ({corruption.unit}): {values}"


@drawn_once
def robustness_figure(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """Accuracy by strength with its interval, a panel for each corruption."""
    figure = make_subplots(
        rows=2, cols=4, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.22,
        subplot_titles=[corruption.title for corruption in CORRUPTIONS.values()],
    )  # fmt: skip
    for index, (kind, corruption) in enumerate(CORRUPTIONS.items()):
        place = panel(index)
        for key, table in tables.items():
            line = table[table["kind"].isin((from_weights.CLEAN, kind))]
            figure.add_scatter(
                x=line["strength"],
                y=100 * line["accuracy"],
                error_y=error_bars(line, thickness=1.5),
                mode="lines+markers",
                line={"color": MODEL_COLOURS[key], "width": 2},
                name=key,
                legendgroup=key,
                showlegend=index == 0,
                customdata=[corruption.values[strength] for strength in line["strength"]],
                hovertemplate=f"{key}, {corruption.title.lower()} %{{customdata:g}}: "
                "%{y:.1f} %<extra></extra>",
                **place,
            )
        figure.update_xaxes(
            title=corruption.unit,
            tickvals=list(STRENGTHS),
            ticktext=[f"{value:g}" for value in corruption.values],
            fixedrange=True,
            **place,
        )
    figure.update_yaxes(range=[0, 100], fixedrange=True)
    figure.update_yaxes(title="accuracy, %", col=1)
    title = "Accuracy on ever worse images, with 95 % interval"
    return with_panels(styled(figure, title, height=640, wide=True, columns={"x": "value"}))


def drops_table(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What each corruption changes, in points, negative for a loss: a line each."""
    columns = {"mean_drop": "mean", "last_drop": "strongest", "mean_f1_drop": "mean, macro F1"}
    table = pd.DataFrame({"corruption": [entry.title for entry in CORRUPTIONS.values()]})
    for key, scores in tables.items():
        drops = from_weights.robustness_drops(scores).set_index("kind").loc[list(CORRUPTIONS)]
        for column, title in columns.items():
            table[f"{key} {title}"] = -100 * drops[column].to_numpy()
    return table


@drawn_once
def embedding_figure(
    samples: pd.DataFrame, model: str, colouring: str, *, marked: pd.Series | None = None
) -> go.Figure:
    """The images as points, coloured by one of `COLOURINGS`, with what model 'a' or 'b' says.

    `samples` is a sample table with x and y. Where `marked`, bool, is given, the others step back.
    Each point's first custom datum is its image's index in the table.
    """
    names, colours = _groups(samples, model, colouring)
    figure = go.Figure()
    for name, colour in colours.items():
        group = samples[names == name]
        if group.empty:
            continue
        points = _points(group, model, symbol="x" if name == "wrong" else "circle", color=colour)
        chosen = None if marked is None else np.flatnonzero(marked[names == name])
        figure.add_trace(points.update(name=f"{name} ({count(len(group))})", selectedpoints=chosen))
    # t-SNE's axes have no meaning, so they have no marks either.
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_layout(dragmode="lasso")
    title = f"{model.upper()}'s features, coloured by {colouring}"
    return legend_below(styled(figure, title, height=660, columns=PLACE), room=56)


def _points(group: pd.DataFrame, model: str, **look: str) -> go.Scattergl:
    sure = group[f"{model}_confidence"].astype(float).round(2)
    about = (group.index, group["label"], group[f"{model}_predicted"], sure)
    rim = {"width": 0.5, "color": REFERENCE_COLOUR}
    return go.Scattergl(
        x=group["x"],
        y=group["y"],
        mode="markers",
        marker={"size": 6, "opacity": 0.8, "line": rim} | look,
        unselected={"marker": {"opacity": 0.1}},
        customdata=np.stack([np.asarray(column) for column in about], axis=1),
        meta=in_csv("", "label", "predicted", "confidence"),
        hovertemplate="label %{customdata[1]}, predicted %{customdata[2]} "
        "%{customdata[3]}<extra></extra>",
    )


def _groups(samples: pd.DataFrame, model: str, colouring: str) -> tuple[pd.Series, dict[str, str]]:
    """Each line's group, and the groups' colours."""
    if colouring == "right or wrong":
        return samples[f"{model}_correct"].map({True: "right", False: "wrong"}), _OUTCOMES
    return samples["label" if colouring == "label" else f"{model}_predicted"], CLASS_COLOURS


def by_place(selection: Selection) -> pd.DataFrame:
    """The sample table, its index each image's place in the part whatever labels are laid over it:
    a choice of faces means the same ones after a verdict leaves an image out.
    """
    samples = selection.samples
    places = np.searchsorted(
        selection.a.run.stored_predictions(selection.part).rows, samples["row"]
    )
    return samples.set_axis(pd.Index(places))


def picked(event: dict[str, Any]) -> tuple[int, ...]:
    """The places, as `by_place` gives them, of the points that a lasso, a box or clicks select."""
    return tuple(sorted({int(point["customdata"][0]) for point in event["selection"]["points"]}))


def lasso_keeper(figure: str) -> Callable[[], None]:
    """A callback that keeps what the figure's lasso holds: another colouring is another figure,
    which would forget it. Not a page's own function, which a session would keep with all it held.
    """

    @errors_kept("The lasso")
    def keep_lassoed() -> None:
        st.session_state[LASSO] = picked(st.session_state[figure])

    return keep_lassoed


@errors_kept("Clearing the selection")
def forget_lassoed() -> None:
    """Mark no face on the map."""
    st.session_state[LASSO] = ()


def counts_line(counts: pd.Series) -> str:
    """'happy 12, sad 3, fear 1': the three most frequent."""
    return ", ".join(f"{name} {count(many)}" for name, many in counts.head(3).items())
