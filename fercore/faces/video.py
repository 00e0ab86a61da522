"""What a live video needs beyond a photo: its face followed, its probabilities smoothed and kept.

Nothing here knows where frames come from; `python benchmarks/following.py` measures the follower.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.errors import ImageError
from fercore.faces.detection import Box, Found, find_faces
from fercore.labels import CLASSES

HISTORY_SECONDS = 30.0  # of the chart and the pace
SAID_SECONDS = 60.0  # over which is counted what was said
MAX_FRAME_SIDE = 3840  # pixels; more than any webcam sends, while a browser may claim anything

_SEARCH_WIDTH = 320  # pixels; enough for faces from 80 pixels wide in a frame of 640
_FULL_SEARCH = 30  # while no face is known, one search in so many is at full size, for small faces
_RENEWAL = 30  # frames; the whole frame is searched anew, so that a larger face takes over
_MARGIN = 0.7  # of the window beside the box, in sides of the box
_WINDOW = 280  # pixels; the window is resized to this, whatever the face's size
_FORGET = 1.0  # seconds without a face after which smoothing starts afresh


def check_frame(width: int, height: int) -> None:
    """Raise `ImageError` for a frame larger than is looked at; before pixels are made of it."""
    if max(width, height) > MAX_FRAME_SIDE:
        raise ImageError(
            f"The camera sends {width}×{height} pixels, and at most {MAX_FRAME_SIDE} a side are "
            "looked at. Choose a smaller picture in the camera's settings."
        )


class FaceFollower:
    """The largest face of a video, from frame to frame.

    The whole frame is searched only while no face is known, and now and then for a larger one.
    Between, the detector looks into a window around the last box alone: as sure and exact as a
    search of every frame in less than half of its time, and more exact than a correlation tracker.
    """

    def __init__(self) -> None:
        self._box: Box | None = None
        self._frame = 0

    def __call__(self, picture: Image.Image) -> Box | None:
        """The face's box in the next frame, framed as `find_faces` does; None where there is none.

        Frames may change their size and need not be of one scene. Raises `ImageError` for one
        that is too large, see `check_frame`.
        """
        check_frame(*picture.size)
        self._frame += 1
        followed = near(picture, self._box) if self._box else None
        if followed is None or self._frame % _RENEWAL == 0:
            found = self._search(picture)
            if found and (followed is None or found.side > followed.side):
                followed = found
        self._box = followed
        return followed

    def _search(self, picture: Image.Image) -> Box | None:
        full = self._box is None and self._frame % _FULL_SEARCH == 1
        scale = 1.0 if full else min(1.0, _SEARCH_WIDTH / picture.width)
        return _largest(picture, (0, 0, *picture.size), scale)


def near(picture: Image.Image, box: Box) -> Box | None:
    """The largest face in a window around where one was; None where there is none."""
    margin = _MARGIN * box.side
    window = (
        max(0, math.floor(box.left - margin)),
        max(0, math.floor(box.top - margin)),
        min(picture.width, math.ceil(box.left + box.side + margin)),
        min(picture.height, math.ceil(box.top + box.side + margin)),
    )
    if window[0] >= window[2] or window[1] >= window[3]:  # the frame has become smaller
        return None
    return _largest(picture, window, _WINDOW / (box.side + 2 * margin))


def _largest(picture: Image.Image, window: tuple[int, int, int, int], scale: float) -> Box | None:
    found = search(picture, window, scale)
    return None if found.whole or not found.boxes else found.boxes[0]


def search(picture: Image.Image, window: tuple[int, int, int, int], scale: float) -> Found:
    """The quick `find_faces` in a part of a frame, resized by `scale`; boxes are the frame's."""
    left, top, right, bottom = window
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    view = picture.resize(size, Image.Resampling.BILINEAR, box=window)
    found = find_faces(view, thorough=False)
    boxes = [
        box._replace(
            left=round(left + box.left / scale),
            top=round(top + box.top / scale),
            side=round(box.side / scale),
        )
        for box in found.boxes
    ]
    return found._replace(boxes=boxes)


class Smoother:
    """Exponential smoothing over time (Brown, 1956), the same at any rate of frames."""

    def __init__(self) -> None:
        self._value: NDArray[np.floating] | None = None
        self._at = -math.inf

    def __call__(
        self, probs: NDArray[np.floating], at: float, seconds: float
    ) -> NDArray[np.floating]:
        """Probabilities (7,) at the time `at`, in seconds, with the time constant `seconds`.

        What was seen `seconds` ago counts 1/e of what is seen now; 0 smooths nothing. After a
        second without a face the past is forgotten.
        """
        passed = at - self._at
        if self._value is None or seconds <= 0 or passed > _FORGET:
            self._value = probs
        else:
            self._value = self._value + (1 - math.exp(-passed / seconds)) * (probs - self._value)
        self._at = at
        return self._value


class Moment(NamedTuple):
    """One frame's result: all that crosses from the video's thread to the page's."""

    at: float  # seconds, by a clock that only goes forward
    probs: dict[str, NDArray[np.floating]]  # by model, (7,), smoothed; empty where no face was
    milliseconds: float  # from the frame's arrival until it was drawn


class Pace(NamedTuple):
    """How a video is keeping up."""

    frames_per_second: float
    median_ms: float
    p95_ms: float
    face_share: float


class History:
    """The moments of the last `seconds`."""

    def __init__(self, seconds: float = HISTORY_SECONDS) -> None:
        self.seconds = seconds
        self._moments: deque[Moment] = deque()

    def add(self, moment: Moment) -> None:
        self._moments.append(moment)
        while self._moments[0].at < moment.at - self.seconds:
            self._moments.popleft()

    def moments(self) -> list[Moment]:
        """Oldest first."""
        return list(self._moments)

    def clear(self) -> None:
        self._moments.clear()


def newest(moments: list[Moment], seconds: float = HISTORY_SECONDS) -> list[Moment]:
    """Those of the last `seconds` before the newest one."""
    return [moment for moment in moments if moment.at >= moments[-1].at - seconds]


def said_shares(moments: list[Moment], model: str) -> NDArray[np.floating]:
    """How often each class was a model's most probable one, as shares (7,) of its answers.

    All NaN where it gave none.
    """
    said = [moment.probs[model].argmax() for moment in moments if model in moment.probs]
    counts = np.bincount(np.array(said, np.int64), minlength=len(CLASSES))
    return counts / len(said) if said else np.full(len(CLASSES), np.nan)


def pace(moments: list[Moment]) -> Pace:
    """Rate, latency and share of frames with a face. Needs at least one moment."""
    span = moments[-1].at - moments[0].at
    times = [moment.milliseconds for moment in moments]
    return Pace(
        (len(moments) - 1) / span if span > 0 else 0.0,
        float(np.median(times)),
        float(np.percentile(times, 95)),
        sum(bool(moment.probs) for moment in moments) / len(moments),
    )
