"""The webcam's frames: faces found, expressions drawn, the newest result kept for the page."""

import json
import os
import threading
import time
from collections import deque
from typing import NamedTuple

import av
import numpy as np
from PIL import ImageDraw, ImageFont

from fercore.errors import ConfigError
from fercore.labels import CLASSES
from fercore.predictor import Predictor

BOX_COLOUR = "#E69F00"
_FONT_SIZE = 22


class Live(NamedTuple):
    """The newest frame's result. `probs` is (7,), or None where no face was found."""

    probs: np.ndarray | None
    milliseconds: float
    frames_per_second: float


class FrameAnnotator:
    """Called by the video's thread for each frame; `latest` is read by the page's thread."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._font = ImageFont.load_default(size=_FONT_SIZE)
        self._times: deque[float] = deque(maxlen=30)
        self._lock = threading.Lock()
        self._latest: Live | None = None

    @property
    def latest(self) -> Live | None:
        with self._lock:
            return self._latest

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        started = time.perf_counter()
        picture = frame.to_image()
        faces = self._predictor(picture)
        draw = ImageDraw.Draw(picture)
        for face in faces:
            self._draw(draw, face)
        annotated = av.VideoFrame.from_image(picture)
        annotated.pts, annotated.time_base = frame.pts, frame.time_base
        self._record(faces[0].probs if faces else None, started)
        return annotated

    def _draw(self, draw: ImageDraw.ImageDraw, face) -> None:
        left, top, side = face.box
        draw.rectangle((left, top, left + side, top + side), outline=BOX_COLOUR, width=3)
        label = f"{face.expression} {face.confidence:.0%}"
        place = (max(4, left), max(2, top - _FONT_SIZE - 8))
        draw.rectangle(draw.textbbox(place, label, font=self._font), fill="black")
        draw.text(place, label, fill=BOX_COLOUR, font=self._font)

    def _record(self, probs, started: float) -> None:
        now = time.perf_counter()
        self._times.append(now)
        span = self._times[-1] - self._times[0]
        rate = (len(self._times) - 1) / span if span else 0.0
        with self._lock:
            self._latest = Live(probs, 1000 * (now - started), rate)


def ice_servers() -> list[dict]:
    """Connection helpers for the video, from FERCORE_ICE_SERVERS (a JSON list); none by default.

    Raises `ConfigError` where the setting is not such a list.
    """
    setting = os.environ.get("FERCORE_ICE_SERVERS", "[]")
    try:
        servers = json.loads(setting)
    except json.JSONDecodeError as error:
        raise ConfigError(f"FERCORE_ICE_SERVERS is not JSON: {error}.") from error
    if not isinstance(servers, list):
        raise ConfigError('FERCORE_ICE_SERVERS must be a list such as [{"urls": "turn:…"}].')
    return servers


def sentence(live: Live | None) -> str:
    """What the newest frame shows, in words."""
    if live is None:
        return "Press start and allow the camera."
    pace = f"{live.milliseconds:.0f} ms a frame, {live.frames_per_second:.0f} frames a second"
    if live.probs is None:
        return f"No face in the picture. {pace}"
    best = int(live.probs.argmax())
    return f"**{CLASSES[best]}** {live.probs[best]:.0%} · {pace}"
