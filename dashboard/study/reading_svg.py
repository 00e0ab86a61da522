"""A diagram of how a model reads the 6×6 feature map, drawn as a path over a face."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image

from fercore.data import synthetic
from fercore.figures.pictures import png_url
from fercore.models import MODELS
from fercore.models.reading import READINGS

SIDE = 6  # positions of the feature map
_CELL = 32
_SIZE = SIDE * _CELL
_FIRST, _LAST = np.array([0x56, 0xB4, 0xE9]), np.array([0xD5, 0x5E, 0x00])  # early to late steps


def reading_svg(model: str) -> str:
    """An SVG: the order of steps from blue (first) to orange (last), or what takes its place."""
    arguments = MODELS[model].arguments
    reading = arguments.get("reading", "raster") if arguments["head"] == "recurrent" else None
    if reading in READINGS:
        steps = READINGS[reading](SIDE)
        marks = _path(steps) if steps.shape[1] == 1 else _bands(steps)
        if arguments.get("bidirectional"):
            marks += _note("and back again")
    elif reading == "scrambled":
        marks = _scattered()
    elif arguments["head"] == "self_attention":
        marks = _everyone_to_everyone()
    elif arguments["head"] == "flattened":
        marks = _dots()
    else:
        marks = _one_box()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" '
        f'font-family="sans-serif" font-size="11">'
        f'<rect width="{_SIZE}" height="{_SIZE}" fill="white"/>'
        f'<image width="{_SIZE}" height="{_SIZE}" href="{_face()}" opacity="0.55"/>{marks}</svg>'
    )


def _centre(position: int) -> tuple[float, float]:
    row, column = divmod(int(position), SIDE)
    return (column + 0.5) * _CELL, (row + 0.5) * _CELL


def _colour(step: int, steps: int) -> str:
    mixed = _FIRST + (_LAST - _FIRST) * step / max(1, steps - 1)
    return "#" + "".join(f"{round(value):02x}" for value in mixed)


def _path(steps) -> str:
    places = [_centre(position) for position in steps[:, 0]]
    lines = [
        f'<path d="M{x0} {y0}L{x1} {y1}" stroke="{_colour(index, len(places))}" '
        f'stroke-width="3" stroke-linecap="round"/>'
        for index, ((x0, y0), (x1, y1)) in enumerate(pairwise(places))
    ]
    ends = [
        f'<circle cx="{x}" cy="{y}" r="7" fill="{colour}"/>'
        f'<text x="{x}" y="{y + 4}" text-anchor="middle">{name}</text>'
        for (x, y), colour, name in (
            (places[0], _colour(0, 2), "1"),
            (places[-1], _colour(1, 2), str(len(places))),
        )
    ]
    return "".join(lines + ends)


def _bands(steps) -> str:
    parts = []
    for index, positions in enumerate(steps):
        (x0, y0), (x1, y1) = _centre(positions[0]), _centre(positions[-1])
        left, top = x0 - _CELL / 2 + 2, y0 - _CELL / 2 + 2
        width, height = x1 - x0 + _CELL - 4, y1 - y0 + _CELL - 4
        parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="6" '
            f'fill="{_colour(index, len(steps))}" opacity="0.65"/>'
            f'<text x="{x0}" y="{y0 + 4}" text-anchor="middle" '
            f'font-weight="600">{index + 1}</text>'
        )
    return "".join(parts)


def _one_box() -> str:
    x = _SIZE / 2
    return (
        f'<rect x="3" y="3" width="{_SIZE - 6}" height="{_SIZE - 6}" rx="8" fill="none" '
        f'stroke="{_colour(0, 2)}" stroke-width="4"/>'
        f'<circle cx="{x}" cy="{x}" r="24" fill="{_colour(0, 2)}"/>'
        f'<text x="{x}" y="{x + 4}" text-anchor="middle">mean</text>'
    )


def _dots() -> str:
    places = (_centre(position) for position in range(SIDE * SIDE))
    return "".join(f'<circle cx="{x}" cy="{y}" r="7" fill="{_colour(0, 2)}"/>' for x, y in places)


def _everyone_to_everyone() -> str:
    x0, y0 = _centre(2 * SIDE + 2)
    places = [_centre(position) for position in range(SIDE * SIDE)]
    rays = "".join(
        f'<path d="M{x0} {y0}L{x} {y}" stroke="{_colour(0, 2)}" stroke-width="1.5"/>'
        for x, y in places
    )
    return rays + _dots()


def _scattered() -> str:
    """Every step takes in all positions, of its own two or three channels."""
    rings = []
    for index, radius in enumerate((11, 7.5, 4)):
        colour = _colour(index, 3)
        rings += [
            f'<circle cx="{x}" cy="{y}" r="{radius}" fill="none" stroke="{colour}" '
            'stroke-width="2.5"/>'
            for x, y in map(_centre, range(SIDE * SIDE))
        ]
    return "".join(rings) + _note("every step: all places, few channels")


def _note(words: str) -> str:
    return (
        f'<rect x="0" y="{_SIZE - 18}" width="{_SIZE}" height="18" fill="black" opacity="0.6"/>'
        f'<text x="{_SIZE / 2}" y="{_SIZE - 5}" text-anchor="middle" fill="white" '
        f'font-size="10">{words}</text>'
    )


@lru_cache(maxsize=1)
def _face() -> str:
    """A drawn face as a data URL: this part of the picture is in everyone's copy."""
    return png_url(Image.fromarray(synthetic((1, 0, 0)).images[3]).resize((_SIZE, _SIZE)))
