"""Finds faces in a photo and cuts out the 48×48 grey picture that a model sees.

The detector is dlib's HOG and linear SVM (Dalal & Triggs, 2005; King, 2015), whose model comes
with the package. `preprocess` is the only way from a photo to a model's input. The constants were
chosen on FER2013's PublicTest; `python benchmarks/photo_path.py` measures what they achieve.
"""

import math
from functools import cache
from threading import Lock
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.errors import ConfigError
from fercore.labels import SIZE

# From the detector's box to FER2013's framing: medians over PublicTest faces pasted into pictures.
CROP_SIDE = 1.14  # side of the crop, in widths of the box
CROP_RISE = 0.07  # how far its centre lies above the box's, in sides of the crop

ALL_FACES, LARGEST_FACE, NO_SEARCH = FACE_CHOICES = ("all", "largest", "none")
SEARCH = "search"  # the same as 'all', where one face is taken of each picture

DETECTION_SIDE = 1280  # pixels; larger photos are searched at this size
SMALLEST = 40  # pixels there, of the faces that are found
_SURE = 0.3  # a score; a face scores about 1, a fold of cloth beside one below 0.25
_WEAK = -0.2  # what the best match must score where no face stands out
_TILTS = (0, 15, -15, 30, -30)  # degrees by which the picture is turned to look for that match
_LEAN = {3: 15.0, 4: -15.0}  # degrees; the detector's two parts for faces that lean to a side
_ZOOMS = (80, 90, 100, 112)  # pixels; a face is looked at again in these sizes, and averaged
_LOOKED_FOR = -1.0  # a score that is enough where a face is known to be
# Pixels. A nearly square picture up to the first side is taken for a face unsearched, since its
# face can be little smaller; up to the second, if none is found in it; below the least, never.
_ALWAYS_TIGHT, _TIGHT, _LEAST_SIDE = 64, 160, 20
# The detector keeps its pyramid from search to search, so that two searches at once end the
# process. One for all threads: another takes half a second to build, and up to 50 MB to keep.
_ONE_SEARCH = Lock()


class Box(NamedTuple):
    """A square in the photo's pixels; it may reach over the border.

    tilt: degrees by which the face, and the square around its own centre, leans counter-clockwise.
    """

    left: int
    top: int
    side: int
    tilt: float = 0.0


class Found(NamedTuple):
    """Faces, largest first.

    whole: the picture itself is taken for a face. weak: no face stood out, and the one given may
    be none.
    """

    boxes: list[Box]
    whole: bool
    weak: bool = False


class Match(NamedTuple):
    """Where the detector sees a face: its score, centre, side in pixels, and lean in degrees."""

    score: float
    x: float
    y: float
    side: float
    tilt: float


def find_faces(photo: Image.Image, *, thorough: bool = True) -> Found:
    """Square boxes framed like FER2013's faces.

    Searched are the photo and the photo at twice its size, for faces down to `SMALLEST` pixels. A
    small, nearly square picture in which nothing is found counts as one face, and so does a very
    small one unsearched. In another, the best match is taken that the picture or the turned picture
    shows. No face means an empty list.

    `thorough` may be turned off for video: twice the size is searched where nothing is found
    otherwise, the turned picture never, and the boxes are not averaged over closer looks, which
    takes a quarter of the time.
    """
    if _tight(photo, _ALWAYS_TIGHT):
        return Found([whole_picture(photo)], whole=True)
    scale = min(1.0, DETECTION_SIDE / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    grey = photo.convert("L").resize(size, Image.Resampling.BILINEAR)
    matches = detect(grey)
    if thorough or not matches:
        matches = _standing_out(_once([*matches, *detect(grey, upsample=1)]))
    if not matches and _tight(photo, _TIGHT):
        return Found([whole_picture(photo)], whole=True)
    if thorough:
        matches = [_sharpened(grey, match) for match in matches or _best_turned(grey)]
    boxes = sorted((_framed(match, scale) for match in matches), key=lambda box: -box.side)
    return Found(boxes, False, weak=any(match.score < 0 for match in matches))


def find_in(photo: Image.Image, faces: str) -> Found:
    """The faces to look at: 'all' that are found, the 'largest' of them, or 'none' is to be looked
    for and the middle square of the picture is one itself.

    Raises `ConfigError` for another word.
    """
    faces = checked_choice(faces)
    if faces == NO_SEARCH:
        return Found([whole_picture(photo)], whole=True)
    found = find_faces(photo)
    return found._replace(boxes=found.boxes[:1]) if faces == LARGEST_FACE else found


def checked_choice(faces: str) -> str:
    """`faces`, if it is one of `FACE_CHOICES`, or 'search' for 'all'; else `ConfigError`."""
    faces = ALL_FACES if faces == SEARCH else faces
    if faces not in FACE_CHOICES:
        raise ConfigError(f"Faces are {', '.join(FACE_CHOICES)}, not '{faces}'.")
    return faces


def remarks(found: Found, size: tuple[int, int]) -> list[str]:
    """What a person should know of how faces were found in a photo of `size`, a sentence each."""
    if not found.boxes:
        smallest = math.ceil(SMALLEST * max(1.0, max(size) / DETECTION_SIDE))
        return [
            f"No face was found. The detector wants a face from the front, at least {smallest} "
            "pixels wide in this photo and not covered. Try a closer or brighter one."
        ]
    if found.whole:
        return ["This picture is small: the whole of it is taken for one face."]
    said = []
    if found.weak:
        said.append("No face stands out; this is the best match, and it may be none.")
    cut = [str(number) for number, box in enumerate(found.boxes, 1) if _cut_by_border(box, size)]
    if cut:
        faces = ", ".join(cut)
        said.append(
            f"Cut by the photo's border: face {faces}. What lies beyond repeats the border."
        )
    return said


def crops(photo: Image.Image, found: Found) -> NDArray[np.uint8]:
    """The faces that were found, as a model sees them: (N, 48, 48) uint8."""
    faces = [preprocess(photo, box) for box in found.boxes]
    return np.stack(faces) if faces else np.empty((0, SIZE, SIZE), np.uint8)


def whole_picture(photo: Image.Image) -> Box:
    """The largest square in the middle of a picture that is itself a face."""
    side = min(photo.size)
    return Box((photo.width - side) // 2, (photo.height - side) // 2, side)


def detect(grey: Image.Image, *, upsample: int = 0) -> list[Match]:
    """The faces that stand out in a grey picture.

    Finds them from about 80 pixels wide; each `upsample` halves that and takes four times as long.
    The best match from 0 on is kept, further ones from `_SURE` on.
    """
    return _standing_out(_matches(grey, upsample=upsample, threshold=0.0))


def _standing_out(matches: list[Match]) -> list[Match]:
    best = max((match.score for match in matches), default=0.0)
    return [match for match in matches if match.score >= min(_SURE, best)]


def _once(matches: list[Match]) -> list[Match]:
    """Each face once: the first match of it that is sure, else the first."""
    found: list[Match] = []
    for match in sorted(matches, key=lambda match: match.score < _SURE):
        if not any(_same_face(match, other) for other in found):
            found.append(match)
    return found


def _same_face(one: Match, other: Match) -> bool:
    """Whether the centre of either lies in the inner half of the other."""
    return math.hypot(one.x - other.x, one.y - other.y) < max(one.side, other.side) / 2


def preprocess(photo: Image.Image, box: Box) -> NDArray[np.uint8]:
    """The face in `box` as a model sees it: grey, upright, (48, 48) uint8.

    What the box covers beyond the photo's border repeats the border. Normalisation by the training
    set's mean and deviation is the model's first layer.
    """
    margin = 0 if not box.tilt else math.ceil(box.side * (math.sqrt(2) - 1) / 2)
    crop = _cut(photo, box.left - margin, box.top - margin, box.side + 2 * margin)
    if box.tilt:
        upright = crop.rotate(-box.tilt, Image.Resampling.BICUBIC)
        crop = upright.crop((margin, margin, margin + box.side, margin + box.side))
    if box.side == SIZE:
        return np.asarray(crop)
    return np.asarray(crop.resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def _cut_by_border(box: Box, size: tuple[int, int]) -> bool:
    """Whether more than a tenth of the box's side lies beyond the border."""
    beyond = max(-box.left, -box.top, box.left + box.side - size[0], box.top + box.side - size[1])
    return beyond > box.side / 10


def _cut(photo: Image.Image, left: int, top: int, side: int) -> Image.Image:
    rows = np.clip(np.arange(top, top + side), 0, photo.height - 1)
    columns = np.clip(np.arange(left, left + side), 0, photo.width - 1)
    corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    if 4 * len(rows) * len(columns) > photo.width * photo.height:  # grey takes a quarter of RGB
        inside = photo.convert("L").crop(corners)
    else:
        inside = photo.crop(corners).convert("L")
    return Image.fromarray(np.asarray(inside)[np.ix_(rows - rows[0], columns - columns[0])])


def _tight(photo: Image.Image, largest: int) -> bool:
    smallest = min(photo.size)
    return smallest >= _LEAST_SIDE and max(photo.size) <= min(largest, 1.5 * smallest)


def _best_turned(grey: Image.Image) -> list[Match]:
    """The best match in the picture and in the picture turned, if it reaches `_WEAK`."""
    matches = []
    for tilt in _TILTS:
        turned = grey.rotate(-tilt, Image.Resampling.BILINEAR) if tilt else grey
        middle = Match(0.0, grey.width / 2, grey.height / 2, 0.0, tilt)
        for match in _matches(turned, threshold=_WEAK):
            x, y = _beside(middle, match.x - middle.x, match.y - middle.y)
            matches.append(Match(match.score, x, y, match.side, tilt + match.tilt))
    return [max(matches)] if matches else []


def _sharpened(grey: Image.Image, match: Match) -> Match:
    """The same face, its place and size averaged over closer looks, each upright.

    The detector's boxes come in steps of a fifth of their size; averaging smooths the steps.
    """
    looks = [match]
    reach = match.side
    corners = [(-reach, -reach), (-reach, reach), (reach, reach), (reach, -reach)]
    quad = [value for corner in corners for value in _beside(match, *corner)]
    for zoom in _ZOOMS:
        view = grey.transform(
            (2 * zoom, 2 * zoom), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR
        )
        seen = max(_matches(view, threshold=_LOOKED_FOR), default=None)
        if seen is None:
            continue
        factor = reach / zoom
        dx, dy = factor * (seen.x - zoom), factor * (seen.y - zoom)
        if math.hypot(dx, dy) < 0.3 * reach and 0.7 < seen.side / zoom < 1.4:
            x, y = _beside(match, dx, dy)
            looks.append(match._replace(x=x, y=y, side=factor * seen.side))
    x, y, log_side = np.mean([(look.x, look.y, math.log(look.side)) for look in looks], 0)
    return match._replace(x=x, y=y, side=math.exp(log_side))


def _framed(match: Match, scale: float) -> Box:
    side = match.side * CROP_SIDE
    x, y = _beside(match, 0, -CROP_RISE * side)
    left, top = round((x - side / 2) / scale), round((y - side / 2) / scale)
    return Box(left, top, max(1, round(side / scale)), match.tilt)


def _beside(match: Match, dx: float, dy: float) -> tuple[float, float]:
    """The point `dx` to the right of a match's centre and `dy` below it, as its upright has it."""
    cos, sin = math.cos(math.radians(match.tilt)), math.sin(math.radians(match.tilt))
    return match.x + dx * cos + dy * sin, match.y - dx * sin + dy * cos


def _matches(grey: Image.Image, *, threshold: float, upsample: int = 0) -> list[Match]:
    picture = np.ascontiguousarray(grey)
    with _ONE_SEARCH:
        rectangles, scores, parts = _detector().run(picture, upsample, threshold)
    return [
        Match(
            score,
            rectangle.left() + rectangle.width() / 2,
            rectangle.top() + rectangle.width() / 2,
            rectangle.width(),
            _LEAN.get(part, 0.0),
        )
        for rectangle, score, part in zip(rectangles, scores, parts, strict=True)
    ]


class _Detector(Protocol):
    """Of dlib's detector, which has no types, what is used here."""

    def run(
        self, image: NDArray[np.uint8], upsample: int, threshold: float
    ) -> tuple[list["_Rectangle"], list[float], list[int]]: ...


class _Rectangle(Protocol):
    def left(self) -> int: ...

    def top(self) -> int: ...

    def width(self) -> int: ...


@cache
def _detector() -> _Detector:
    import dlib

    detector: _Detector = dlib.get_frontal_face_detector()
    return detector
