"""Follows faces through a clip: from frame to frame each keeps its number.

Boxes are joined with those of the frame before by the least distance between centres, all at once
(Kuhn, 1955): SORT (Bewley et al., 2016) without its model of motion. What the detector misses is
looked for where it was.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from fercore.faces.clips import Frame
from fercore.faces.detection import (
    ALL_FACES,
    LARGEST_FACE,
    NO_SEARCH,
    Box,
    Found,
    checked_choice,
    whole_picture,
)
from fercore.faces.video import near, search

MOST = 10  # faces of a frame, the largest
FORGET = 1.0  # seconds without it after which a face that appears is another one
_SEARCH_SIDE = 640  # pixels; frames are searched at this size, for faces from 40 pixels on
_REACH = 1.0  # sides of the smaller box; how far a centre may have moved
_LARGER = 2.0  # times; how much the side may have changed
_NEVER = 1e6  # a distance


class Tracked(NamedTuple):
    """A face in a frame. number: the same through the clip, from 1 on, as they appear. whole and
    weak: as `Found` has them.
    """

    number: int
    box: Box
    whole: bool = False
    weak: bool = False


class FaceTracker:
    """Called with each frame in turn; gives the faces in it, largest first."""

    def __init__(self, faces: str = ALL_FACES) -> None:
        """faces: as `find_in` takes it."""
        self._faces = checked_choice(faces)
        self._last: dict[int, tuple[float, Box]] = {}  # time and box, by number
        self._numbers = 0

    def __call__(self, picture: Image.Image, at: float) -> list[Tracked]:
        """at: the frame's time, in seconds, never before the last one's."""
        found = self._found(picture)
        self._last = {
            number: (seen, box) for number, (seen, box) in self._last.items() if at - seen <= FORGET
        }
        numbers = self._joined(found.boxes)
        faces = [
            Tracked(number, box, found.whole, found.weak)
            for number, box in zip(numbers, found.boxes, strict=True)
        ]
        if self._faces == ALL_FACES and not found.whole:
            faces += self._missed(picture, faces)
        self._last |= {face.number: (at, face.box) for face in faces}
        return sorted(faces, key=lambda face: -face.box.side)

    def _found(self, picture: Image.Image) -> Found:
        if self._faces == NO_SEARCH:
            return Found([whole_picture(picture)], whole=True)
        scale = min(1.0, _SEARCH_SIDE / max(picture.size))
        found = search(picture, (0, 0, *picture.size), scale)
        most = 1 if self._faces == LARGEST_FACE else MOST
        return found._replace(boxes=found.boxes[:most])

    def _joined(self, boxes: list[Box]) -> list[int]:
        """The number of each box, an old or a new one."""
        from scipy.optimize import linear_sum_assignment

        known = list(self._last)
        distances = np.array(
            [[_distance(self._last[number][1], box) for box in boxes] for number in known]
        ).reshape(len(known), len(boxes))
        joined = {
            int(column): known[row]
            for row, column in zip(*linear_sum_assignment(distances), strict=True)
            if distances[row, column] < _NEVER
        }
        return [joined.get(place) or self._new() for place in range(len(boxes))]

    def _new(self) -> int:
        self._numbers += 1
        return self._numbers

    def _missed(self, picture: Image.Image, faces: list[Tracked]) -> list[Tracked]:
        """Those known that the search did not find, where a look near their last place does."""
        here = {face.number for face in faces}
        more: list[Tracked] = []
        for number, (_, last) in self._last.items():
            if number in here or len(faces) + len(more) >= MOST:
                continue
            box = near(picture, last)
            if box and all(_apart(box, face.box) for face in (*faces, *more)):
                more.append(Tracked(number, box))
        return more


class Seen(NamedTuple):
    """A frame of a clip, and the faces in it, whose boxes are the picture's."""

    frame: Frame
    faces: list[Tracked]


def followed(frames: Iterable[Frame], faces: str = ALL_FACES) -> Iterator[Seen]:
    """Frame by frame, the faces in a clip; nothing is kept but where they were."""
    tracker = FaceTracker(faces)
    for frame in frames:
        yield Seen(frame, tracker(frame.picture, frame.at))


def _between(one: Box, other: Box) -> float:
    """The distance of two boxes' centres, pixels."""
    x, y = ((box.left + box.side / 2, box.top + box.side / 2) for box in (one, other))
    return math.dist(x, y)


def _distance(one: Box, other: Box) -> float:
    smaller, larger = sorted((one.side, other.side))
    moved = _between(one, other) / max(smaller, 1)
    return moved if moved < _REACH and larger < _LARGER * max(smaller, 1) else _NEVER


def _apart(one: Box, other: Box) -> bool:
    return _between(one, other) > max(one.side, other.side) / 2
