"""One photo with its faces: boxes on the picture, and for each face what the models say."""

import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from dashboard.figures import STATIC, probability_figure
from dashboard.theme import percent
from dashboard.widgets import enlarged, letter
from fercore.predictor import FacePrediction

BOX_COLOUR = "#E69F00"
_SHOWN_SIDE = 1000  # pixels; larger photos are shown reduced


def photo_view(name: str, photo: Image.Image, faces: dict[str, list[FacePrediction]]) -> None:
    """The photo and its faces; `faces` maps 'A' and 'B' to what each model found in it."""
    found = next(iter(faces.values()))
    with st.container(border=True):
        st.subheader(name)
        left, right = st.columns([2, 3])
        left.image(with_boxes(photo, found), width="stretch")
        with right:
            if not found:
                st.info(
                    "No face was found. The detector wants a face from the front, at least 40 "
                    "pixels wide and not covered. Try a closer or brighter photo."
                )
            elif found[0].whole:
                st.caption("No face was found in this small picture; the whole of it is taken.")
            for number in range(len(found)):
                _face(number, {key: found[number] for key, found in faces.items()})


def _face(number: int, by_model: dict[str, FacePrediction]) -> None:
    face = next(iter(by_model.values()))
    picture, bars = st.columns([1, 3], vertical_alignment="center")
    picture.image(enlarged(face.face, 4), caption=f"face {number + 1}, as seen", width="stretch")
    with bars:
        said = [
            f"{letter(key)} **{result.expression}** {percent(result.confidence)}"
            for key, result in by_model.items()
        ]
        st.markdown("  ·  ".join(said))
        st.plotly_chart(
            probability_figure({key: result.probs for key, result in by_model.items()}),
            config=STATIC,
            alt=f"Probabilities of face {number + 1}",
        )


def with_boxes(photo: Image.Image, faces: list[FacePrediction]) -> Image.Image:
    """A copy of the photo, reduced for the screen, with a numbered box around each face."""
    scale = min(1.0, _SHOWN_SIDE / max(photo.size))
    shown = photo.resize((max(1, int(photo.width * scale)), max(1, int(photo.height * scale))))
    draw = ImageDraw.Draw(shown)
    weight = max(2, shown.width // 200)
    font = ImageFont.load_default(size=max(12, shown.width // 30))
    for number, face in enumerate(faces, start=1):
        left, top, side = (round(value * scale) for value in face.box)
        draw.rectangle((left, top, left + side, top + side), outline=BOX_COLOUR, width=weight)
        draw.text((left + 2 * weight, top + weight), str(number), fill=BOX_COLOUR, font=font)
    return shown
