"""Finds faces in a photo and cuts out the 48×48 grey picture that a model sees.

The detector is dlib's HOG and linear SVM (Dalal & Triggs, 2005; King, 2015), whose model comes
with the package. `preprocess` is the only way from a photo to a model's input.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.data.faceset import SIZE

# From the detector's box to FER2013's framing: medians over PublicTest faces enlarged and pasted
# into a larger picture. `python benchmarks/photo_path.py` prints them.
CROP_SIDE = 1.07  # side of the crop, in widths of the box
CROP_RISE = 0.06  # how far its centre lies above the box's, in sides of the crop

DETECTION_SIDE = 1280  # pixels; larger photos are searched at this size
_SURE = 0.2  # a detector's score; a face scores about 1, a fold of cloth beside one below 0.1
_TIGHT_SIDE = 160  # a picture up to this size in which no face is found is taken for a face itself


class Box(NamedTuple):
    """A square in the photo's pixels; it may reach over the border."""

    left: int
    top: int
    side: int


class Found(NamedTuple):
    """Faces, largest first. `whole` says that none was found and the picture itself is taken."""

    boxes: list[Box]
    whole: bool


def find_faces(photo: Image.Image) -> Found:
    """Square boxes framed like FER2013's faces, by detection at two scales.

    A small, nearly square picture in which nothing is found counts as one face. Otherwise no
    face means an empty list.
    """
    scale = min(1.0, DETECTION_SIDE / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    grey = np.asarray(photo.convert("L").resize(size, Image.Resampling.BILINEAR))
    boxes = detect(grey) or detect(grey, upsample=1)
    if boxes:
        return Found([_framed(box, scale) for box in boxes], whole=False)
    if max(photo.size) <= _TIGHT_SIDE and max(photo.size) <= 1.5 * min(photo.size):
        side = min(photo.size)
        left, top = (photo.width - side) // 2, (photo.height - side) // 2
        return Found([Box(left, top, side)], whole=True)
    return Found([], whole=False)


def detect(grey: NDArray[np.uint8], *, upsample: int = 0) -> list[Box]:
    """The detector's own boxes in a grey picture (H, W), largest first.

    Finds frontal faces from about 80 pixels wide; each `upsample` halves that and takes four times
    as long. The best match is kept however weak, further ones from `_SURE` on.
    """
    found, scores, _poses = _detector().run(np.ascontiguousarray(grey), upsample, 0.0)
    boxes = [
        Box(rectangle.left(), rectangle.top(), rectangle.width())
        for rectangle, score in zip(found, scores, strict=True)
        if score >= min(_SURE, max(scores))
    ]
    return sorted(boxes, key=lambda box: -box.side)


def preprocess(photo: Image.Image, box: Box) -> NDArray[np.uint8]:
    """The face in `box` as a model sees it: grey, (48, 48) uint8.

    What the box covers beyond the photo's border repeats the border. Normalisation by the training
    set's mean and deviation is the model's first layer.
    """
    grey = np.asarray(photo.convert("L"))
    rows = np.clip(np.arange(box.top, box.top + box.side), 0, grey.shape[0] - 1)
    columns = np.clip(np.arange(box.left, box.left + box.side), 0, grey.shape[1] - 1)
    crop = Image.fromarray(grey[np.ix_(rows, columns)])
    if box.side == SIZE:
        return np.asarray(crop)
    return np.asarray(crop.resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def _framed(box: Box, scale: float) -> Box:
    side = box.side * CROP_SIDE
    x = box.left + box.side / 2
    y = box.top + box.side / 2 - CROP_RISE * side
    return Box(
        round((x - side / 2) / scale), round((y - side / 2) / scale), max(1, round(side / scale))
    )


@cache
def _detector():
    import dlib

    return dlib.get_frontal_face_detector()
