"""`Predictor`: from a photo to the expressions of the faces in it.

>>> predictor = Predictor.from_run("cnn")  # doctest: +SKIP
>>> predictor(Image.open("me.jpg"))[0].expression  # doctest: +SKIP
'happy'
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.errors import ImageError, RunError
from fercore.faces.detection import ALL_FACES, Box, Found, crops, find_in
from fercore.faces.photos import PhotoLike, opened_photo
from fercore.labels import CLASSES, SIZE
from fercore.models.feeding import feeding_from
from fercore.models.inference import for_inference, predict_probs
from fercore.models.onnx_file import FedModel, read_model
from fercore.models.precision import REFERENCE
from fercore.predict.track_record import TrackRecord
from fercore.runs.artifacts import Run
from fercore.runs.ensemble import members_of
from fercore.runs.listing import find_run, list_runs

Answers = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # of faces (N, 48, 48), (N, 7)


@dataclass(frozen=True)
class FacePrediction:
    """One face. `face` is uint8 (48, 48), as the model saw it; `probs` float32 (7,), calibrated.

    `whole` says that the whole picture was taken for a face, `weak` that none stood out and this
    may be none.
    """

    box: Box
    face: NDArray[np.uint8]
    probs: NDArray[np.float32]
    whole: bool
    weak: bool = False

    @property
    def expression(self) -> str:
        return CLASSES[int(self.probs.argmax())]

    @property
    def confidence(self) -> float:
        return float(self.probs.max())


class Predictor:
    """A run's model, ready to look at faces, with its record on PublicTest."""

    def __init__(self, answers: Answers, run_id: str, record: TrackRecord) -> None:
        self.answers, self.run_id, self.record = answers, run_id, record

    @classmethod
    def from_run(cls, run: str | Run) -> "Predictor":
        """From a run, its name, or a model's name ('cnn'): that model's first run, shipped first.

        An ensemble answers by its members. Raises `RunError` where there is no such run, or nothing
        of it to ask.
        """
        run = _found(run) if isinstance(run, str) else run
        return cls(answers_of(run), run.run_id, TrackRecord(run.predictions("public")))

    def probs(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, 7) of faces uint8 (N, 48, 48), as the model gives them: what a run's
        stored predictions hold. `record.calibrated` makes them as sure as they are right.

        Raises `ImageError` for faces of another kind or size.
        """
        known = isinstance(faces, np.ndarray) and faces.dtype == np.uint8
        if not known or faces.ndim != 3 or faces.shape[1:] != (SIZE, SIZE):
            said = f"{faces.dtype} of shape {faces.shape}" if hasattr(faces, "dtype") else "this"
            raise ImageError(
                f"The faces must be uint8 from 0 to 255 of shape (N, {SIZE}, {SIZE}), not {said}. "
                "For a photo of any size call the predictor itself."
            )
        return self.answers(faces)

    def __call__(self, photo: PhotoLike, *, faces: str = ALL_FACES) -> list[FacePrediction]:
        """The faces in a photo, largest first; empty where none is found. For `faces` see
        `find_in`, for what a photo may be `read_photo`: a path, a picture and its array give the
        same.

        Raises `ImageError` where it is no picture that can be read.
        """
        with opened_photo(photo) as opened:
            return self.look(opened.picture, find_in(opened.picture, faces))

    def look(self, photo: Image.Image, found: Found) -> list[FacePrediction]:
        """The faces that were found in a photo, for when several models look at the same."""
        return self.judge(found, crops(photo, found))

    def judge(self, found: Found, faces: NDArray[np.uint8]) -> list[FacePrediction]:
        """The same where the faces (N, 48, 48) that were found have been cut out already."""
        if not found.boxes:
            return []
        probs = self.record.calibrated(self.probs(faces))
        return [
            FacePrediction(*seen, found.whole, found.weak)
            for seen in zip(found.boxes, faces, probs, strict=True)
        ]


def answers_of(run: Run) -> Answers:
    """What asks a run about faces, as its stored predictions answer; an ensemble's is the mean of
    its members'. Raises `RunError` where there is nothing to ask, or a member is not here any more.
    """
    if not run.members:
        return _answers_of(run)
    members = [_answers_of(member) for member in members_of(run)]

    def mean(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(
            np.mean([answers(faces) for answers in members], axis=0, dtype=np.float32)
        )

    return mean


def _answers_of(run: Run) -> Answers:
    """A run's network, its own or the one it was imported as."""
    file = run.model_file()
    if run.imported:
        feeding = feeding_from(run.imported.get("feeding", {}))
        return run.read(file.name, lambda path: FedModel(read_model(path)[1], feeding))
    return partial(predict_probs, for_inference(run.load_model()), precision=REFERENCE)


def _found(name: str) -> Run:
    try:
        return find_run(name)
    except RunError:
        trained = (run for run in list_runs() if run.trained)
        run = next((run for run in trained if run.info["model"] == name), None)
        if run is None:
            raise
        return run
