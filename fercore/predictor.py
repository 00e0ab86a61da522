"""`Predictor`: from a photo to the expressions of the faces in it.

>>> predictor = Predictor.from_run("cnn-s0")  # doctest: +SKIP
>>> predictor(Image.open("me.jpg"))  # doctest: +SKIP
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from fercore.artifacts import Run, find_run
from fercore.faces import Box, Found, find_faces, preprocess
from fercore.inference import predict_probs
from fercore.labels import CLASSES
from fercore.photos import open_photo
from fercore.precision import REFERENCE


@dataclass(frozen=True)
class FacePrediction:
    """One face. `face` is uint8 (48, 48), as the model saw it; `probs` float32 (7,).

    `whole` says that no face was found and the whole picture was taken for one.
    """

    box: Box
    face: NDArray[np.uint8]
    probs: NDArray[np.float32]
    whole: bool

    @property
    def expression(self) -> str:
        return CLASSES[int(self.probs.argmax())]

    @property
    def confidence(self) -> float:
        return float(self.probs.max())


class Predictor:
    """A run's model, ready to look at faces."""

    def __init__(self, model: nn.Module, run_id: str) -> None:
        self.model, self.run_id = model, run_id

    @classmethod
    def from_run(cls, run: str | Run) -> "Predictor":
        """From a run or its name. Raises `RunError` where there is no such run."""
        run = find_run(run) if isinstance(run, str) else run
        return cls(run.load_model(), run.run_id)

    def probs(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, 7) of faces uint8 (N, 48, 48)."""
        return predict_probs(self.model, faces, precision=REFERENCE)

    def __call__(self, photo: Image.Image | Path | str) -> list[FacePrediction]:
        """The faces in a photo, largest first; empty where none is found.

        Raises `ImageError` where a path's file cannot be read as a picture.
        """
        if not isinstance(photo, Image.Image):
            photo = open_photo(Path(photo))
        return self.look(photo, find_faces(photo))

    def look(self, photo: Image.Image, found: Found) -> list[FacePrediction]:
        """The faces that were found in a photo, for when several models look at the same."""
        if not found.boxes:
            return []
        faces = np.stack([preprocess(photo, box) for box in found.boxes])
        return [
            FacePrediction(box, face, probs, found.whole)
            for box, face, probs in zip(found.boxes, faces, self.probs(faces), strict=True)
        ]
