"""A run's predictions: a table of labels and probabilities, and the parts it is looked at in."""

from collections.abc import Sized
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.faceset import FaceSet
from fercore.errors import RunError
from fercore.labels import CLASSES, USAGES

PROBABILITY_COLUMNS = [f"p_{name}" for name in CLASSES]

# What a page may look at. 'clean' leaves out images whose exact pixels occur in an earlier usage.
PARTS = {
    "private": "PrivateTest",
    "clean": "PrivateTest without duplicates",
    "public": "PublicTest",
}
_SUM = 1e-3  # by which an image's probabilities may miss 1: they are float32
_USAGE = {"private": "PrivateTest", "clean": "PrivateTest", "public": "PublicTest"}


@dataclass(frozen=True)
class Predictions:
    """One model's predictions on one part.

    rows: int64 (N,), the images' rows in the source. pixels: int64 (N,), hashes by which the
    images are found again in anyone's copy. labels: int64 (N,), true classes.
    probs: float32 (N, 7).
    """

    rows: NDArray[np.int64]
    pixels: NDArray[np.int64]
    labels: NDArray[np.int64]
    probs: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each image (N,)."""
        return np.asarray(self.probs.argmax(1))

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the predicted class (N,)."""
        return np.asarray(self.probs.max(1))

    @cached_property
    def labels_only(self) -> bool:
        """Whether it says a class of each image and nothing of how sure it is: no curve and no
        calibration can be had from that.
        """
        return bool(len(self) and (self.probs.max(1) == 1).all())

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def loss(self) -> NDArray[np.float32]:
        """The cross-entropy of each image's label, in nats."""
        return -np.log(np.maximum(self._of_label, np.finfo(np.float32).tiny))

    @cached_property
    def margin(self) -> NDArray[np.float32]:
        """The label's probability minus the highest other one, from -1 to 1."""
        others = self.probs.copy()
        others[np.arange(len(self)), self.labels] = -1
        return np.asarray(self._of_label - others.max(1))

    @property
    def _of_label(self) -> NDArray[np.float32]:
        return self.probs[np.arange(len(self)), self.labels]

    def where(self, keep: NDArray[np.bool_]) -> "Predictions":
        """The images for which `keep`, bool (N,), holds."""
        return Predictions(self.rows[keep], self.pixels[keep], self.labels[keep], self.probs[keep])

    def same_images(self, other: "Predictions") -> bool:
        """Whether the other table is about the same images with the same labels, in order."""
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("rows", "pixels", "labels")
        )


def image_count(answers: Sized) -> int:
    """How many images a run's predictions, or a group's, are about, one at least. Raises
    `RunError` where there are none.
    """
    if not len(answers):
        raise RunError("The model was not scored on these images: its dataset has none.")
    return len(answers)


class _Answers(Protocol):
    """A run's predictions, or a group's."""

    def __len__(self) -> int: ...

    def same_images(self, other: Self, /) -> bool: ...


T = TypeVar("T", bound=_Answers)


def check_paired(a: T, b: T) -> None:
    """Raise `RunError` where there are no images, or the two are about different ones."""
    if not len(a) or not len(b):
        raise RunError("One of the two was not scored on these images: its dataset has none.")
    if not a.same_images(b):
        raise RunError(
            "The two were not scored on the same images, so they cannot be compared image by "
            "image. Choose two of one dataset."
        )


def prediction_frame(faces: FaceSet, probs: NDArray[np.float32]) -> pd.DataFrame:
    """The table as stored, of every image that is not Training's; `probs` (N, 7) belong to those.

    Columns: usage, row, label, pixels (a hash), copy (whether the exact pixels also occur in an
    earlier usage), p_angry … p_neutral.
    """
    frame = image_frame(faces)
    frame[PROBABILITY_COLUMNS] = np.asarray(probs, np.float32)
    return frame


def image_frame(faces: FaceSet) -> pd.DataFrame:
    """The same table without probabilities."""
    scored = faces.usage != "Training"
    return pd.DataFrame(
        {
            "usage": faces.usage[scored],
            "row": faces.row[scored],
            "label": faces.labels[scored].astype(np.int8),
            "pixels": faces.pixel_hashes()[scored],
            "copy": faces.copies_of_earlier()[scored],
        }
    )


def checked_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A stored table, as `prediction_frame` makes it; raises `RunError` for any other."""
    if problem := _problem(frame):
        raise RunError(f"The table of predictions is damaged: {problem}.")
    return frame


def read_frame(path: Path) -> pd.DataFrame:
    """The table in a file, checked. Raises `RunError`, and what Parquet's library raises."""
    return checked_frame(pd.read_parquet(path))


def checked_images(frame: pd.DataFrame) -> pd.DataFrame:
    """The images of such a table, without probabilities; raises `RunError` for any other."""
    if problem := _odd_column(frame, _IMAGES) or _odd_image(frame):
        raise RunError(f"The table of images is damaged: {problem}.")
    return frame


# By column, NumPy's kinds of dtype; text has several.
_IMAGES = {"usage": "", "row": "iu", "label": "iu", "pixels": "iu", "copy": "b"}
_KINDS = _IMAGES | dict.fromkeys(PROBABILITY_COLUMNS, "f")


def _problem(frame: pd.DataFrame) -> str | None:
    return _odd_column(frame, _KINDS) or _odd_image(frame) or _odd_probability(frame)


def _odd_column(frame: pd.DataFrame, kinds: dict[str, str]) -> str | None:
    for name, kind in kinds.items():
        if list(frame.columns).count(name) != 1:
            return f"it has no column '{name}'"
        if kind and getattr(frame[name].dtype, "kind", "O") not in kind:
            return f"'{name}' holds {frame[name].dtype}"
    return None


def _odd_image(frame: pd.DataFrame) -> str | None:
    if frame.empty:
        return "it holds no image"
    if unknown := set(frame["usage"].unique()) - set(USAGES[1:]):
        return f"it names the usage '{min(map(str, unknown))}'"
    labels = frame["label"].to_numpy()
    odd = (labels < 0) | (labels >= len(CLASSES))
    if odd.any():
        return f"{labels[odd][0]} is no label from 0 to {len(CLASSES) - 1}"
    if (frame["row"] < 0).any() or frame["row"].duplicated().any():
        return "its rows are not those of a dataset, each once"
    return None


def _odd_probability(frame: pd.DataFrame) -> str | None:
    probs = frame[PROBABILITY_COLUMNS].to_numpy(np.float64)
    if not (probs >= 0).all() or not (np.abs(probs.sum(1) - 1) <= _SUM).all():
        return "the probabilities of an image are not from 0 to 1 with the sum 1"
    return None


def select_part(frame: pd.DataFrame, part: str) -> Predictions:
    """One part of a stored table, in row order. Raises `RunError` for an unknown part."""
    if part not in PARTS:
        raise RunError(f"There is no part '{part}'. Choose one of: {', '.join(PARTS)}.")
    keep = frame["usage"] == _USAGE[part]
    if part == "clean":
        keep &= ~frame["copy"]
    chosen = frame[keep].sort_values("row")
    return Predictions(
        rows=chosen["row"].to_numpy(np.int64),
        pixels=chosen["pixels"].to_numpy(np.int64),
        labels=chosen["label"].to_numpy(np.int64),
        probs=chosen[PROBABILITY_COLUMNS].to_numpy(np.float32),
    )
