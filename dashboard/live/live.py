"""The webcam's frames: face followed, expressions drawn, results handed to the page.

Two threads meet here. streamlit-webrtc calls a `FrameAnnotator` from a thread of its own, which
must not touch Streamlit; the page's thread calls `configure` and `moments`. Whole named tuples are
handed over, so neither sees a half-written one. Frames are never stored.
"""

import json
import os
import threading
import time
from typing import NamedTuple

import av
import numpy as np
import torch
from PIL import Image, ImageOps

from dashboard.base.failures import errors_passed_on
from dashboard.live.drawing import draw_face
from fercore.errors import ConfigError
from fercore.faces.detection import find_faces, preprocess
from fercore.faces.video import (
    MAX_FRAME_SIDE,
    SAID_SECONDS,
    FaceFollower,
    History,
    Moment,
    Smoother,
    check_frame,
)
from fercore.labels import SIZE
from fercore.predict.predictor import Predictor

_NOTHING = np.zeros((SIZE, SIZE), np.uint8)
_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")


class LiveSettings(NamedTuple):
    """What the page asks of the video's thread."""

    predictors: dict[str, Predictor]  # by model, 'A' and 'B'
    smoothing: float  # seconds
    mirror: bool


class FrameAnnotator:
    """Called for each frame; gives it back with the face, its expression and bars drawn in."""

    def __init__(self, settings: LiveSettings) -> None:
        # For the threads that start from now on. One face is too little to share out, and where
        # other work holds the cores a second thread is waited for a hundred times longer.
        torch.set_num_threads(1)
        self._follower = FaceFollower()
        self._smoothers: dict[str, Smoother] = {}  # by run
        self._history = History(SAID_SECONDS)
        self._runs: dict[str, str] = {}  # whose answers the history has, by model
        self._lock = threading.Lock()  # around the history alone: held for microseconds
        self.failure = ""  # a sentence on a frame that could not be looked at, for the page
        find_faces(Image.new("L", (240, 240)), thorough=False)
        self.configure(settings)

    def configure(self, settings: LiveSettings) -> None:
        """What holds from the next frame on; for the page's thread.

        A model's first answer, and the detector's, take seconds on a busy machine, and
        streamlit-webrtc drops a callback that takes ten. They are had here, before the video.
        Where a letter stands for another model than before, nothing is kept of what it said.
        """
        for predictor in settings.predictors.values():
            if predictor.run_id not in self._smoothers:
                predictor.record.calibrated(predictor.probs(_NOTHING[None]))
                self._smoothers[predictor.run_id] = Smoother()
        self._settings = settings
        runs = {key: predictor.run_id for key, predictor in settings.predictors.items()}
        if any(self._runs.get(key, run_id) != run_id for key, run_id in runs.items()):
            with self._lock:
                self._history.clear()
        self._runs |= runs

    def moments(self) -> list[Moment]:
        """The last minute, oldest first; for the page's thread."""
        with self._lock:
            return self._history.moments()

    def clear(self) -> None:
        """Forget the results of an earlier video."""
        self.failure = ""
        with self._lock:
            self._history.clear()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        # In the video's thread from here on: no Streamlit, and only one look at the settings.
        annotated = None
        with errors_passed_on(self._fail, "A frame could not be looked at"):
            check_frame(frame.width, frame.height)
            annotated = self._annotated(frame)
        if annotated:
            self.failure = ""  # of an earlier frame
            return annotated
        # The video goes on, at a size that costs little to send back.
        scale = min(1.0, MAX_FRAME_SIDE / max(frame.width, frame.height))
        return frame.reformat(max(2, int(scale * frame.width)), max(2, int(scale * frame.height)))

    def _fail(self, sentence: str) -> None:
        self.failure = sentence

    def _annotated(self, frame: av.VideoFrame) -> av.VideoFrame:
        arrived = time.perf_counter()
        settings = self._settings
        picture = frame.to_image()
        if settings.mirror:
            picture = ImageOps.mirror(picture)
        box, probs = self._follower(picture), {}
        if box:
            face = preprocess(picture, box)[None]
            for key, predictor in settings.predictors.items():
                seen = predictor.record.calibrated(predictor.probs(face))[0]
                smoother = self._smoothers[predictor.run_id]
                probs[key] = smoother(seen, arrived, settings.smoothing)
            draw_face(picture, box, probs)
        annotated = av.VideoFrame.from_image(picture)
        annotated.pts, annotated.time_base = frame.pts, frame.time_base
        moment = Moment(arrived, probs, 1000 * (time.perf_counter() - arrived))
        with self._lock:
            self._history.add(moment)
        return annotated


def ice_servers() -> list[dict]:
    """Connection helpers for the video, from FERCORE_ICE_SERVERS (a JSON list); none by default.

    Raises `ConfigError` where the setting is not such a list.
    """
    setting = os.environ.get("FERCORE_ICE_SERVERS") or "[]"
    try:
        servers = json.loads(setting)
    except json.JSONDecodeError as error:
        raise ConfigError(f"FERCORE_ICE_SERVERS is not JSON: {error}.") from error
    if not isinstance(servers, list) or not all(map(_is_server, servers)):
        raise ConfigError(
            'FERCORE_ICE_SERVERS must be a list such as [{"urls": "turn:turn.example.org"}].'
        )
    return servers


def _is_server(server: object) -> bool:
    urls = server.get("urls") if isinstance(server, dict) else None
    urls = [urls] if isinstance(urls, str) else urls
    return isinstance(urls, list) and all(str(url).startswith(_SCHEMES) for url in urls)
