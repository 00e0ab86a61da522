"""Colours and numbers, the same on every page."""

import math

from fercore.wording import NO_BREAK, number, signed

MODEL_COLOURS = {"A": "#0072B2", "B": "#D55E00"}
REFERENCE_COLOUR = "#8c8c8c"

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

# Sequential for magnitudes, diverging and centred on zero for differences; both also dark-safe.
MAGNITUDE = [[0, "#eef4fa"], [0.5, "#6aaed6"], [1, "#08306b"]]
DIFFERENCE = [[0, "#D55E00"], [0.5, "#f2f2f2"], [1, "#0072B2"]]


def percent(share: float | None) -> str:
    """'63.2 %', never broken into two lines; a dash for an unknown one."""
    return "–" if share is None or math.isnan(share) else f"{number(100 * share)}{NO_BREAK}%"


def interval(bounds) -> str:
    """'[61.6, 64.8]', in percent, in one piece; a dash for an unknown one."""
    low, high = bounds
    return "–" if math.isnan(low) else f"[{number(100 * low)},{NO_BREAK}{number(100 * high)}]"


def points(difference: float) -> str:
    """A difference of two shares with its sign: '+1.4 points'; a dash for an unknown one."""
    return "–" if math.isnan(difference) else f"{signed(100 * difference)}{NO_BREAK}points"


def points_interval(bounds) -> str:
    """'[+0.2, +2.6]', in points, in one piece; a dash for an unknown one."""
    low, high = bounds
    return "–" if math.isnan(low) else f"[{signed(100 * low)},{NO_BREAK}{signed(100 * high)}]"


def count(number: int) -> str:
    """With thin spaces between thousands, which do not break."""
    return f"{number:,}".replace(",", "\u202f")
