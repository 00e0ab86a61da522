"""A clip that is looked at, step by step, in the thread of whoever handed it in.

It lies in this session's memory alone: the file until its frames were seen, small pictures of them
and the faces until another clip comes or the session ends. A click elsewhere interrupts a step;
the next run of the script goes on from there.
"""

import time
from base64 import b64encode
from collections.abc import Generator
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dashboard.base.stepwise import Stepwise
from fercore.errors import FerError
from fercore.faces.clips import Clip
from fercore.faces.tracking import Seen, followed
from fercore.predict.clip_results import Sight, all_answers, answers, sights
from fercore.predict.predictor import Predictor
from fercore.wording import duration, number

MOST_BYTES = 128_000_000  # that a decoder may keep, for each visitor: frames of Full HD
STEP = 0.5  # seconds of work between two looks at the screen
_PICTURE_SIDE = 480  # pixels, of a frame as it is kept
_QUALITY = 80
_Asked = tuple[str, float]  # a run, and how its answers are calibrated


class ClipWork(Stepwise):
    """times and pictures: of the frames looked at, and their JPEGs; scale: of those to the clip's
    pixels. problem: a sentence where it could not be read. Close it to end it early.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self.name, self.problem = name, ""
        self.times, self.pictures, self.found = list[float](), list[bytes](), list[Sight]()
        self.scale, self.notes = 1.0, list[str]()
        self.seconds: float | None = None
        self._begun = time.monotonic()
        self._looking: Generator[None] | None = self._look(file)
        self._asked: dict[_Asked, list[NDArray[np.float32]]] = {}

    def _let_go(self) -> None:
        if self._looking:
            self._looking.close()
            self._looking = None

    @property
    def seen(self) -> bool:
        """Whether all of its frames were looked at."""
        return self._looking is None

    def missing(self, predictors: dict[str, Predictor]) -> list[Predictor]:
        """Those that have not said all that they have to say."""
        return [one for one in predictors.values() if self._said(one) < len(self.found)]

    def answers(self, predictor: Predictor) -> NDArray[np.float32]:
        """What it says of each of `found`, once it is not missing: (N, 7), calibrated."""
        return all_answers(self._asked.get(_asked(predictor), []))

    def step(self, predictors: dict[str, Predictor]) -> bool:
        """Half a second of work; False where nothing is left to do."""
        until = time.monotonic() + STEP
        while self._advanced(predictors):
            if time.monotonic() >= until:
                return True
        return False

    def how_far(self, predictors: dict[str, Predictor]) -> tuple[float, str]:
        """The share that is done, from 0 to 1, and a sentence."""
        if self.seen:
            wanted = len(predictors) * len(self.found)
            said = sum(self._said(one) for one in predictors.values())
            return said / max(1, wanted), f"Asking the models: {said} of {wanted} answers"
        at = self.times[-1] if self.times else 0.0
        if not self.seconds:
            return 0.0, f"Looking for faces: {number(at)} s are seen"
        share = min(at / self.seconds, 1.0)
        of = f"{number(at)} of {number(self.seconds)} s"
        return share, f"Looking for faces: {of}{self._left(share)}"

    def _left(self, share: float) -> str:
        passed = time.monotonic() - self._begun
        return f" · {duration(passed * (1 - share) / share)} left" if share > 0.02 else ""

    def _said(self, predictor: Predictor) -> int:
        return sum(map(len, self._asked.get(_asked(predictor), [])))

    def _advanced(self, predictors: dict[str, Predictor]) -> bool:
        """Whether there was one more frame to look at, or a few more faces to ask about."""
        with self.one_step() as there_is_one:
            if not there_is_one:
                return False
            if self._looking:
                self._look_on(self._looking)
                return True
            missing = self.missing(predictors)
            if missing:
                self._ask(missing[0])
            return bool(missing)

    def _look_on(self, looking: Generator[None]) -> None:
        try:
            next(looking)
        except StopIteration:
            self._looking = None
        except FerError as error:
            self.problem, self._looking = str(error), None

    def _ask(self, predictor: Predictor) -> None:
        said = self._asked.setdefault(_asked(predictor), [])
        left = answers(predictor, self.found[self._said(predictor) :])
        said.append(next(left))

    def _look(self, file: BinaryIO) -> Generator[None]:
        with Clip(file, self.name, most=MOST_BYTES) as clip:
            self.seconds = clip.seconds
            for seen in followed(clip):
                self._keep(seen)
                yield
            self.notes = clip.notes

    def _keep(self, seen: Seen) -> None:
        picture = seen.frame.picture
        small = picture.copy()
        small.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
        self.scale = small.width / picture.width * seen.frame.scale
        self.times.append(seen.frame.at)
        self.pictures.append(_jpeg(small))
        self.found += sights(seen)


def _asked(predictor: Predictor) -> _Asked:
    """Against other labels it is calibrated in another way, so it is asked again."""
    return predictor.run_id, predictor.record.temperature


def _jpeg(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def as_url(jpeg: bytes) -> str:
    """A JPEG as a data URL."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
