"""One photo with its faces: boxes on the picture, and for each face what the models say."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.plain import plain
from dashboard.base.selection import Selection
from dashboard.base.tiles import tile
from dashboard.base.turns import out_of_turn
from dashboard.base.widgets import letter
from dashboard.faces.looks import what_they_look_at
from fercore.faces.detection import Box, Found, crops, find_faces, remarks
from fercore.faces.photos import Photo
from fercore.figures.colours import MARK_COLOUR
from fercore.figures.parts import probability_figure
from fercore.labels import CLASSES
from fercore.predict.predictor import FacePrediction
from fercore.predict.track_record import COVERAGE, TrackRecord
from fercore.runs.artifacts import Run
from fercore.wording import percent

FACES_SHOWN = 6  # in full; the others on demand
CALIBRATED = (
    "Probabilities are calibrated, and each model's record is counted, on its own PublicTest "
    "images. Photos that differ from them may be harder."
)
# In this session's state, of the photos shown now: what was found, and what models said of it.
_SEEN, _JUDGED = "photos-seen", "photos-judged"
_SHOWN_SIDES = 300, 1000  # pixels; smaller photos are shown enlarged, larger ones reduced


class Seen(NamedTuple):
    """A photo as shown, its size, what was found in it, the faces as the models see them, and what
    to say of its file.
    """

    shown: Image.Image
    size: tuple[int, int]
    found: Found
    faces: NDArray[np.uint8]
    notes: tuple[str, ...]


class Source(NamedTuple):
    """A photo to look at. `key` tells it from any other, one of the same name included.

    forget: takes the photo of that key away; None where that is not this page's to do.
    """

    key: str
    name: str
    opened: Callable[[], AbstractContextManager[Photo]]
    forget: Callable[[str], None] | None = None


class Judge(NamedTuple):
    """One model as it is set to answer: `threshold` is a confidence from 0 to 1."""

    run: Run
    record: TrackRecord
    threshold: float


def seen(source: Source) -> Seen:
    """What is found in a photo, kept in this session until `forget_others` drops it.

    Raises `ImageError` where it cannot be read.
    """
    kept = st.session_state.setdefault(_SEEN, {})
    if source.key not in kept:
        with out_of_turn(), source.opened() as (photo, notes):
            found = find_faces(photo)
            shown, faces = _with_boxes(photo, found), crops(photo, found)
        kept[source.key] = Seen(shown, photo.size, found, faces, notes)
    return kept[source.key]


def judged(source: Source, photo: Seen, run: Run) -> list[FacePrediction]:
    """A run's answers about the faces in a photo, asked once and kept as what `seen` found."""
    kept = st.session_state.setdefault(_JUDGED, {}).setdefault(source.key, {})
    if (known := loading.identity(run)) not in kept:
        predictor = loading.predictor(run)
        with out_of_turn():
            kept[known] = predictor.judge(photo.found, photo.faces)
    return kept[known]


def forget_others(sources: list[Source]) -> None:
    """Drop the photos that are shown no more."""
    wanted = {source.key for source in sources}
    for name in (_SEEN, _JUDGED):
        kept = st.session_state.get(name, {})
        st.session_state[name] = {key: value for key, value in kept.items() if key in wanted}


def judges(selection: Selection, records: dict[str, TrackRecord]) -> dict[str, Judge]:
    """Sliders for the confidence below which 'A' and 'B' say 'unsure', and what they are set to."""
    chosen = {}
    answered = f"it answers about {percent(COVERAGE, 0)} of PublicTest."
    for place, (key, record) in zip(st.columns(2), records.items()):
        run, default = selection.runs[key], round(100 * record.threshold)
        percents = place.slider(
            f"{key} says 'unsure' below",
            0,
            100,
            default,
            format="%d %%",
            key=f"unsure-{key}-{run.run_id}",
            persist_state="session",
            help=f"A calibrated confidence. At {default} % {answered}"
            if len(record.public)
            else "A confidence as the model gives it: it was not scored on PublicTest.",
        )
        exact = record.threshold if percents == default else percents / 100
        chosen[key] = Judge(run, record, exact)
    if all(len(record.public) for record in records.values()):
        st.caption(CALIBRATED)
    return chosen


def photo_view(
    source: Source,
    photo: Seen,
    answers: dict[str, list[FacePrediction]],
    judged_by: dict[str, Judge],
) -> None:
    """The photo and its faces; the dictionaries hold what belongs to 'A' and to 'B'."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(plain(source.name), anchor=False)
            remove_button(source)
        left, right = st.columns([2, 3])
        left.image(photo.shown, width="stretch", alt="The photo, its faces in boxes")
        with right:
            for remark in (*photo.notes, *remarks(photo.found, photo.size)):
                st.info(plain(remark))
            for number in range(_how_many(source, len(photo.faces))):
                by_model = {key: faces[number] for key, faces in answers.items()}
                _face(f"{source.key}-{number}", number + 1, by_model, judged_by)


def remove_button(source: Source) -> None:
    """Takes a photo away, where it can be."""
    if source.forget:
        st.button(
            "Remove", icon=":material/close:", key=f"remove-{source.key}", type="tertiary",
            help=f"Take {plain(source.name)} away", on_click=source.forget, args=(source.key,),
        )  # fmt: skip


def _how_many(source: Source, faces: int) -> int:
    if faces <= FACES_SHOWN:
        return faces
    more = st.toggle(f"Show all {faces} faces, not the {FACES_SHOWN} largest", key=source.key)
    return faces if more else FACES_SHOWN


def _face(
    key: str, number: int, by_model: dict[str, FacePrediction], judged_by: dict[str, Judge]
) -> None:
    face = next(iter(by_model.values()))
    picture, bars = st.columns([1, 3], vertical_alignment="center")
    turned = ", turned upright" if face.box.tilt else ""
    picture.image(tile(face.face, 4), caption=f"face {number}, as seen{turned}", width="stretch")
    with bars:
        said = [
            answer_in_words(model, one.probs, judged_by[model]) for model, one in by_model.items()
        ]
        st.markdown("  ·  ".join(said))
        show_figure(
            probability_figure({model: face.probs for model, face in by_model.items()}),
            alt=f"Probabilities of face {number}",
            key=f"bars-{key}",
        )
        for model, face in by_model.items():
            st.caption(judged_by[model].record.sentence(face.expression, model))
    if st.toggle(f"What speaks for it in face {number}", key=f"look-{key}"):
        for model, face in by_model.items():
            asked = {model: judged_by[model].run}
            what_they_look_at(asked, face.face, CLASSES.index(face.expression))


def answer_in_words(key: str, probs: NDArray[np.float32], judge: Judge) -> str:
    """What 'A' or 'B' says of a face: 'unsure' below its threshold."""
    name, share = CLASSES[int(probs.argmax())], percent(float(probs.max()))
    if probs.max() < judge.threshold:
        return f"{letter(key)} **unsure**, most likely {name} {share}"
    return f"{letter(key)} **{name}** {share}"


def _with_boxes(photo: Image.Image, found: Found) -> Image.Image:
    """A copy of the photo, in a size for the screen, with a box around each face; several are
    numbered.
    """
    least, most = (side / max(photo.size) for side in _SHOWN_SIDES)
    scale = math.ceil(least) if least > 1 else min(1.0, most)
    width, height = (max(1, int(side * scale)) for side in photo.size)
    shown = photo.resize((width, height), Image.Resampling.NEAREST if scale > 1 else None)
    draw = ImageDraw.Draw(shown)
    weight = max(2, shown.width // 200)
    for number, box in enumerate(found.boxes, start=1):
        corners = [(x * scale, y * scale) for x, y in _corners(box)]
        draw.line([*corners, *corners[:2]], fill=MARK_COLOUR, width=weight, joint="curve")
        if len(found.boxes) > 1:
            letters = max(14, min(shown.width // 25, box.side * scale / 3))
            _write_number(draw, number, corners[0], ImageFont.load_default(letters))
    return shown


def _write_number(
    draw: ImageDraw.ImageDraw,
    number: int,
    corner: tuple[float, float],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    left, top = (max(0.0, value) for value in corner)
    left, top, right, bottom = draw.textbbox((left, top), str(number), font)
    draw.rectangle((left - 2, top - 2, right + 2, bottom + 2), fill=MARK_COLOUR)
    draw.text((left, top), str(number), "black", font, anchor="lt")


def _corners(box: Box) -> list[tuple[float, float]]:
    """The box's corners in the photo, clockwise from the face's upper left."""
    x, y, reach = box.left + box.side / 2, box.top + box.side / 2, box.side / 2
    cos, sin = math.cos(math.radians(box.tilt)), math.sin(math.radians(box.tilt))
    return [
        (x + reach * (dx * cos + dy * sin), y + reach * (dy * cos - dx * sin))
        for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
