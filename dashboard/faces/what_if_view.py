"""What if: sliders over one face, what the models say of it, and where an answer flips."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard.base.charts import show_figure
from dashboard.base.downloads import csv_button
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.figures import drawn_once
from dashboard.base.tiles import tile
from dashboard.base.widgets import letter
from dashboard.faces import face_loading
from dashboard.faces.looks import what_they_look_at
from fercore.analysis.what_if import SCALES, Change, Flip, changed, flips, nearest_flip
from fercore.figures.colours import CLASS_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import in_csv, legend_below, probability_figure, styled
from fercore.groups.group import group_of
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from fercore.wording import number, percent

ALONG = "along"  # the change that the curve follows, also in the URL
_COLUMNS = (("light", "contrast", "blur", "noise", "rotation"),
            ("right", "down", "hand", "hand_right", "hand_down"))  # fmt: skip
_SEEN = 0.1  # the probability that a class reaches somewhere on a curve that is drawn


@st.fragment
@errors_told("What if")
def what_if(face: NDArray[np.uint8], runs: Mapping[str, Run]) -> None:
    """The sliders over a face (48, 48), and what the runs, by 'A' and 'B', say of it.

    A fragment: a slider that moves draws this alone anew.
    """
    in_sight = st.container(horizontal=True, vertical_alignment="center", key="what-if-in-sight")
    sliders, answers = st.columns(2, gap="large")
    with sliders:
        change = _sliders()
    seen = changed(face, change)
    probs = {key: face_loading.answers(run)(seen[None])[0] for key, run in runs.items()}
    with in_sight:
        st.image(tile(face, 3), caption="untouched", width=144)
        st.image(tile(seen, 3), caption="as the models see it", width=144)
        st.markdown("  \n".join(likeliest(key, of) for key, of in probs.items()), width="content")
    with answers:
        show_figure(probability_figure(probs), alt="Seven probabilities", key="what-if-bars")
    name = st.selectbox(
        "Curve along", list(SCALES), key=ALONG, format_func=lambda each: SCALES[each].title,
        help="The slider that was moved last, or another. The rest of the change stays as it is.",
    )  # fmt: skip
    _curves(face, change, name, runs)
    if st.toggle("What speaks for its answer in this face", key="what-if-looks"):
        for key, run in runs.items():
            what_they_look_at({key: run}, seen, int(probs[key].argmax()))


def likeliest(key: str, probs: NDArray[np.floating]) -> str:
    """What a model finds most probable and second, of its probabilities (7,)."""
    first, second = np.argsort(-probs)[:2]
    return (
        f"{letter(key)} **{CLASSES[first]}** {percent(float(probs[first]))}, "
        f"{CLASSES[second]} {percent(float(probs[second]))}"
    )


def _sliders() -> Change:
    """The change as the sliders have it."""
    for place, names in zip(st.columns(len(_COLUMNS), gap="medium"), _COLUMNS):
        for name in names:
            scale, kind = SCALES[name], type(SCALES[name].step)
            place.slider(
                f"{scale.title} ({scale.unit})", kind(scale.low), kind(scale.high),
                value=kind(getattr(Change(), name)), step=scale.step, key=_key(name),
                persist_state="session", on_change=_follow, args=(name,),
                disabled=name.startswith("hand_") and not st.session_state.get(_key("hand")),
            )  # fmt: skip
    st.button("Back to the untouched face", icon=":material/undo:", on_click=_undo)
    return Change(**{name: st.session_state[_key(name)] for name in SCALES})


def _key(name: str) -> str:
    return f"what-if-{name}"


@errors_kept("The slider")
def _follow(name: str) -> None:
    st.session_state[ALONG] = name


@errors_kept("Going back to the untouched face")
def _undo() -> None:
    for name, scale in SCALES.items():
        st.session_state[_key(name)] = type(scale.step)(getattr(Change(), name))


def _curves(face: NDArray[np.uint8], change: Change, name: str, runs: Mapping[str, Run]) -> None:
    """Each run's probabilities along one slider, and where its answer flips."""
    at = float(getattr(change, name))
    # all that differs in the slider itself is one scan
    rest = replace(change, **{name: getattr(Change(), name)})
    lines = []
    for place, (key, run) in zip(st.columns(max(2, len(runs))), runs.items()):
        values, probs = face_loading.scanned(run, face, rest, name)
        with place:
            st.markdown(flip_in_words(key, name, values, probs, at))
            show_figure(
                curve_figure(values, probs, at, name, key), alt=f"{key}'s probabilities",
                key=f"what-if-curve-{key}",
            )  # fmt: skip
        line = pd.DataFrame(probs, columns=PROBABILITY_COLUMNS)
        lines.append(line.assign(model=key, kind=name, value=values))
    csv_button(
        pd.concat(lines), f"what-if-{name}",
        models={key: group_of(run) for key, run in runs.items()}, label="Curves as CSV",
    )  # fmt: skip


def flip_in_words(
    key: str, name: str, values: NDArray[np.float64], probs: NDArray[np.floating], at: float
) -> str:
    """What a model says at a value of a slider, and where on it that changes."""
    here = probs[int(np.abs(values - at).argmin())]
    said = CLASSES[int(here.argmax())]
    words = f"{letter(key)} says **{said}**, {percent(float(here.max()))}"
    scale = SCALES[name]
    flip = nearest_flip(values, probs, at)
    if flip is None:
        return f"{words}, and stays with it all along {scale.title.lower()}."
    return f"{words}. {_told(flip, scale.title, places=_places(name))}."


def _told(flip: Flip, title: str, *, places: int) -> str:
    return (
        f"Nearest flip: at {title.lower()} **{number(flip.value, places)}**, {flip.before} → "
        f"{flip.after}"
    )


def _places(name: str) -> int:
    return 0 if SCALES[name].step >= 2 else 1


@drawn_once
def curve_figure(
    values: NDArray[np.float64], probs: NDArray[np.floating], at: float, name: str, key: str
) -> go.Figure:
    """A model's probabilities (V, 7) over a slider's values (V,): a line where the slider is, a
    diamond where the answer flips, and a dashed line at the nearest flip.
    """
    figure = go.Figure()
    for k, label in enumerate(CLASSES):
        if probs[:, k].max() >= _SEEN:
            figure.add_scatter(
                x=values, y=100 * probs[:, k], mode="lines", name=label,
                line={"color": CLASS_COLOURS[label], "width": 2.5},
                hovertemplate=f"{label}: %{{y:.1f}} %<extra></extra>",
            )  # fmt: skip
    figure.add_vline(at, line_color=REFERENCE_COLOUR, line_width=2)
    found = flips(values, probs)
    if flip := nearest_flip(values, probs, at):
        figure.add_vline(
            flip.value, line_color=REFERENCE_COLOUR, line_dash="dash", line_width=2,
            annotation_text=f"{flip.before} → {flip.after}",
            annotation_position=f"top {'left' if flip.value > values.mean() else 'right'}",
        )  # fmt: skip
    heights = [
        100 * float(np.interp(flip.value, values, probs[:, CLASSES.index(flip.before)]))
        for flip in found
    ]
    figure.add_scatter(
        x=[flip.value for flip in found], y=heights, mode="markers", showlegend=False,
        marker={"symbol": "diamond", "size": 12, "color": REFERENCE_COLOUR},
        customdata=[f"{flip.before} → {flip.after}" for flip in found], meta=in_csv("answers"),
        hovertemplate="%{customdata} at %{x:.2f}<extra></extra>", name="flip",
    )  # fmt: skip
    scale = SCALES[name]
    figure.update_xaxes(title=scale.unit, range=[scale.low, scale.high], fixedrange=True)
    figure.update_yaxes(range=[0, 103], ticksuffix=" %", fixedrange=True)
    figure.update_layout(dragmode=False)
    title = f"{key} along {scale.title.lower()}"
    columns = {"x": f"{scale.title.lower()}, {scale.unit}", "y": "probability, %"}
    return legend_below(styled(figure, title, height=360, columns=columns), room=96)
