"""Colours of figures, the same wherever one is drawn: on a page and in a report."""

import numpy as np

MODEL_COLOURS = {"A": "#0072B2", "B": "#D55E00"}
REFERENCE_COLOUR = "#8c8c8c"
MARK_COLOUR = "#E69F00"  # around a face that was found or a cell that was chosen; of what is wrong

# Okabe & Ito's seven colours that are not black.
CLASS_COLOURS = {
    "angry": "#E69F00",
    "disgust": "#56B4E9",
    "fear": "#009E73",
    "happy": "#F0E442",
    "sad": "#0072B2",
    "surprise": "#D55E00",
    "neutral": "#CC79A7",
}

Scale = list[tuple[float, str]]  # of colours, as Plotly has them: places from 0 to 1

# Sequential for magnitudes, diverging and centred on zero for differences; both also dark-safe.
MAGNITUDE: Scale = [(0, "#eef4fa"), (0.5, "#6aaed6"), (1, "#08306b")]
DIFFERENCE: Scale = [(0, "#D55E00"), (0.5, "#f2f2f2"), (1, "#0072B2")]
_FAINT = 1.5  # contrast to white below which a line is drawn with a rim


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, '#rrggbb', from 1 to 21 (WCAG 2)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever is read better on a colour: always at a contrast above 4.5."""
    return max(("#000000", "#ffffff"), key=lambda text: contrast(text, colour))


def needs_rim(colour: str) -> bool:
    """Whether a line of it is hardly seen on white."""
    return contrast(colour, "#ffffff") < _FAINT


def colour_at(scale: Scale, share: float) -> str:
    """The colour of a scale of Plotly's at a place from 0 to 1."""
    places, colours = zip(*scale)
    channels = zip(*map(_channels, colours))
    mixed = (np.interp(share, places, channel) for channel in channels)
    return "#" + "".join(f"{round(value):02x}" for value in mixed)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _luminance(colour: str) -> float:
    shares = (value / 255 for value in _channels(colour))
    linear = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear))
