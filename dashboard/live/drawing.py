"""What is drawn into the webcam's frames: the box, the expression, a bar for each probability."""

from functools import lru_cache

from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fercore.faces.detection import Box
from fercore.figures.colours import MARK_COLOUR, MODEL_COLOURS, text_on
from fercore.labels import CLASSES

_TRACK = "#5a5a5a"  # behind a bar, so that its full length is seen
_DARK = 0.6  # how far the picture is darkened under the bars


def draw_face(picture: Image.Image, box: Box, probs: dict[str, NDArray]) -> None:
    """Draw one face's box, expressions and bars, by model, into the picture, which is changed."""
    unit = max(8, picture.width // 46)  # a line of text; 13 pixels in a frame of 640
    draw = ImageDraw.Draw(picture)
    left, top, side = box[:3]
    draw.rectangle((left, top, left + side, top + side), outline=MARK_COLOUR, width=unit // 4)
    _draw_bars(picture, probs, unit)
    _draw_expressions(draw, box, probs, unit, picture.width)


def _draw_expressions(
    draw: ImageDraw.ImageDraw, box: Box, probs: dict[str, NDArray], unit: int, width: int
) -> None:
    """One line for each model, standing on the box, readable on the model's colour."""
    font, height = _font(round(1.5 * unit)), 2 * unit
    labels = {key: f"{key} {CLASSES[p.argmax()]} {100 * p.max():.0f} %" for key, p in probs.items()}
    top = max(0, box.top - height * len(labels) - 2)
    for key, label in labels.items():
        long = draw.textlength(label, font) + unit
        left = min(max(0, box.left), width - long)
        draw.rectangle((left, top, left + long, top + height - 2), fill=MODEL_COLOURS[key])
        colour = text_on(MODEL_COLOURS[key])
        draw.text((left + unit / 2, top + height / 2 - 1), label, colour, font, anchor="lm")
        top += height


def _draw_bars(picture: Image.Image, probs: dict[str, NDArray], unit: int) -> None:
    """In the lower left corner: a row for each class, in it a bar for each model."""
    font, row, names = _font(unit), round(1.4 * unit), 5 * unit
    panel = (0, picture.height - row * len(CLASSES) - unit, names + 8 * unit, picture.height)
    under = picture.crop(panel)
    picture.paste(Image.blend(under, Image.new("RGB", under.size), _DARK), panel)
    draw = ImageDraw.Draw(picture)
    thick, full = (row - 4) / max(1, len(probs)), 7 * unit
    for number, name in enumerate(CLASSES):
        top = panel[1] + unit / 2 + number * row
        draw.text((unit / 2, top + row / 2), name, "white", font, anchor="lm")
        for place, (key, values) in enumerate(probs.items()):
            y = top + 2 + place * thick
            draw.rectangle((names, y, names + full, y + thick - 1), fill=_TRACK)
            reach = names + full * float(values[number])
            draw.rectangle((names, y, reach, y + thick - 1), fill=MODEL_COLOURS[key])


@lru_cache(maxsize=100)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)
