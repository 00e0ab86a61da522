"""A clip in Predict: the field for it, how far it is, and what was said of its faces over time."""

from io import BytesIO
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.clicks import clickable_figure
from dashboard.base.downloads import csv_button
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.plain import plain
from dashboard.base.selection import Selection
from dashboard.base.tiles import tile
from dashboard.base.turns import out_of_turn
from dashboard.faces.clip_work import ClipWork, as_url
from dashboard.faces.photo_view import Judge, answer_in_words, judges
from fercore.faces.clip_names import MAX_SECONDS, NAMED, PER_SECOND, SUFFIXES
from fercore.figures.clips import clip_figure
from fercore.figures.colours import MARK_COLOUR
from fercore.figures.parts import probability_figure
from fercore.labels import CLASSES
from fercore.predict.clip_results import Sight, clip_records, clip_table
from fercore.predict.predictor import Predictor
from fercore.wording import duration, number

UPLOAD_MEGABYTES = 100
_WORK, _FIELD, _FACE, _TIME = "clip-work", "clip-field", "clip-face", "clip-time"
_FRAMES = 8  # beneath the chart
_OTHER_FACE = "#B0B0B0"


def clip_page(selection: Selection) -> None:
    """All that the page Predict has of a clip."""
    work = clip_field()
    if work is None:
        st.info("Drop a clip above. Tell whoever is filmed in it.")
        return
    predictors = {key: loading.predictor(run) for key, run in selection.runs.items()}
    if not look_at(work, predictors):
        return
    records = {key: predictor.record for key, predictor in predictors.items()}
    judged_by = judges(selection, records)
    clip_view(work, predictors, judged_by)


def clip_field() -> ClipWork | None:
    """The field for a clip, and the clip of this session, if there is one."""
    key = f"clip-{st.session_state.get(_FIELD, 0)}"
    st.file_uploader(
        f"A clip: {NAMED}", type=sorted(suffix[1:] for suffix in SUFFIXES), key=key,
        max_upload_size=UPLOAD_MEGABYTES, on_change=_take, args=(key,),
        help=f"Looked at are {PER_SECOND:.0f} frames a second of its first "
        f"{duration(MAX_SECONDS)}. It stays in memory until it was seen, and is never stored.",
    )  # fmt: skip
    work: ClipWork | None = st.session_state.get(_WORK)
    if work:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(work.name), anchor=False)
            st.button(
                "Remove", icon=":material/close:", key="clip-remove", type="tertiary",
                help="Take it away, with all that was seen in it", on_click=_forget,
            )  # fmt: skip
    return work


@errors_kept("Taking the clip")
def _take(key: str) -> None:
    if upload := st.session_state[key]:
        _forget()
        st.session_state[_WORK] = ClipWork(BytesIO(upload.getvalue()), upload.name)
        st.session_state[_FIELD] = st.session_state.get(_FIELD, 0) + 1  # a new, empty one


@errors_kept("Taking the clip away")
def _forget() -> None:
    if work := st.session_state.pop(_WORK, None):
        work.close()
    for key in (_FACE, _TIME):
        st.session_state.pop(key, None)


def look_at(work: ClipWork, predictors: dict[str, Predictor]) -> bool:
    """Whether all is seen and said; until then it works on, and shows how far it is."""
    if not work.seen or work.missing(predictors):
        bar, stop = st.progress(*work.how_far(predictors)), st.empty()
        stop.button("Cancel", key="clip-cancel", on_click=_forget)
        with out_of_turn():
            while work.step(predictors):
                bar.progress(*work.how_far(predictors))  # where a click interrupts it
        bar.empty()
        stop.empty()
    if work.problem:
        st.error(plain(work.problem))
        return False
    for note in work.notes:
        st.info(plain(note))
    if not work.found:
        st.info(
            f"No face was found in {len(work.times)} frames. The detector wants a face from the "
            "front, wider than a sixteenth of the frame, and not covered."
        )
    return bool(work.found)


@st.fragment
@errors_told("The clip")
def clip_view(
    work: ClipWork, predictors: dict[str, Predictor], judged_by: dict[str, Judge]
) -> None:
    """The chart of one face, the frame at one time, and the download.

    A fragment: choosing a time draws this alone anew.
    """
    face = _chosen_face(work)
    answers = {key: work.answers(one) for key, one in predictors.items()}
    sights = [(place, sight) for place, sight in enumerate(work.found) if sight.number == face]
    at = _chosen_time(work, sights[0][1].at)
    probs = {key: _over_time(work, sights, said) for key, said in answers.items()}
    figure = clip_figure(work.times, probs, _strip(work), at)
    clickable_figure(
        figure, f"clip-{face}", _choose_time,
        alt=f"Probabilities of face {face} over time, and frames of the clip",
    )  # fmt: skip
    st.select_slider(
        "Time, seconds", work.times, key=_TIME, format_func=number,
        help="A click in the chart chooses a time, too.",
    )  # fmt: skip
    left, right = st.columns([2, 3])
    left.image(_frame(work, at, face), width="stretch", alt=f"The frame at {number(at)} s")
    with right:
        _at_that_time(dict(sights), at, answers, judged_by)
    records = [
        record
        for key, said in answers.items()
        for record in clip_records(
            work.name, work.found, said, predictors[key], judged_by[key].threshold
        )
    ]
    csv_button(clip_table(records), "faces-in-clip")


def _chosen_face(work: ClipWork) -> int:
    """The number of the face that is looked at: the one that is seen most often, at first."""
    often: dict[int, list[float]] = {}
    for sight in work.found:
        often.setdefault(sight.number, []).append(sight.at)
    numbers = sorted(often, key=lambda face: -len(often[face]))
    if len(numbers) == 1:
        st.caption(f"One face, {_when(often[numbers[0]])}")
        return numbers[0]
    words = {face: f"face {face}, {_when(often[face])}" for face in numbers}
    return st.selectbox("Face", numbers, key=_FACE, format_func=lambda face: words.get(face, ""))


def _when(times: list[float]) -> str:
    """'0.0 to 3.8 s, in 20 frames'."""
    frames = "1 frame" if len(times) == 1 else f"{len(times)} frames"
    return f"{number(times[0])} to {number(times[-1])} s, in {frames}"


def _chosen_time(work: ClipWork, otherwise: float) -> float:
    if st.session_state.get(_TIME) not in work.times:
        st.session_state[_TIME] = otherwise
    return float(st.session_state[_TIME])


@errors_kept("Choosing a time")
def _choose_time(point: dict[str, Any]) -> None:
    times = st.session_state[_WORK].times
    st.session_state[_TIME] = min(times, key=lambda at: abs(at - point["x"]))


def _over_time(
    work: ClipWork, sights: list[tuple[int, Sight]], said: NDArray[np.float32]
) -> NDArray[np.float64]:
    """What is said of a face at each time, (T, 7); NaN where it was not seen."""
    probs = np.full((len(work.times), len(CLASSES)), np.nan)
    rows = {at: row for row, at in enumerate(work.times)}
    for place, sight in sights:
        probs[rows[sight.at]] = said[place]
    return probs


def _strip(work: ClipWork) -> list[tuple[float, str]]:
    """A few frames, evenly over the clip."""
    every = np.unique(np.linspace(0, len(work.times) - 1, _FRAMES).round().astype(int))
    return [(work.times[place], as_url(work.pictures[place])) for place in every]


def _frame(work: ClipWork, at: float, face: int) -> Image.Image:
    """The frame at a time, its faces in boxes: the chosen one in colour, the others in grey."""
    picture = Image.open(BytesIO(work.pictures[work.times.index(at)])).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for sight in work.found:
        if sight.at == at:
            left, top, side = (value * work.scale for value in sight.box[:3])
            colour = MARK_COLOUR if sight.number == face else _OTHER_FACE
            draw.rectangle((left, top, left + side, top + side), outline=colour, width=3)
    return picture


def _at_that_time(
    sights: dict[int, Sight],
    at: float,
    answers: dict[str, NDArray[np.float32]],
    judged_by: dict[str, Judge],
) -> None:
    """What each model says of the face at one time."""
    place = next((place for place, sight in sights.items() if sight.at == at), None)
    if place is None:
        st.info(f"At {number(at)} s this face is not seen.")
        return
    seen, bars = st.columns([1, 3], vertical_alignment="center")
    seen.image(tile(sights[place].face, 3), caption="as the models see it", width=144)
    with bars:
        said = {key: answer[place] for key, answer in answers.items()}
        words = (answer_in_words(key, one, judged_by[key]) for key, one in said.items())
        st.markdown("  ·  ".join(words))
        show_figure(
            probability_figure(said), alt=f"Probabilities at {number(at)} s", key="clip-bars"
        )
