"""What was found in one's own photos, and how its faces are put into parts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.faces.detection import Box
from fercore.labels import CLASSES, USAGES

SHARES = {"PublicTest": 0.2, "PrivateTest": 0.2}  # of a class's faces; Training has the rest

FOUND, WHOLE, NO_FACE, UNREADABLE, COPY, LEFT_OUT, PASSED_OVER = (
    "face found", "whole picture", "no face", "not readable", "copy", "left out", "passed over",
)  # fmt: skip
KEPT = (FOUND, WHOLE)


@dataclass(frozen=True)
class OwnPhoto:
    """One photo, and what was found in it.

    file: its name in the source. label: index into `CLASSES`, None where it has no class. outcome:
    'face found', 'whole picture' (a picture taken for a face), 'no face', 'not readable', 'copy',
    'left out', or 'passed over' for a file that is no picture. reason: a sentence where no face is
    kept, or on what of its file could not be read. box: in the photo's pixels. face: uint8
    (48, 48). split: the usage that its folder names, or ''. usage: the part it was put in, or ''.
    """

    file: str
    label: int | None
    split: str
    outcome: str
    reason: str = ""
    box: Box | None = None
    face: NDArray[np.uint8] | None = None
    usage: str = ""

    @property
    def kept(self) -> bool:
        return self.outcome in KEPT

    @property
    def class_name(self) -> str:
        """'' where it has no class."""
        return "" if self.label is None else CLASSES[self.label]


@dataclass(frozen=True)
class OwnFaces:
    """Photos with their parts; `notes` on them, and a `problem` where they make no dataset."""

    photos: tuple[OwnPhoto, ...]
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def kept(self) -> list[OwnPhoto]:
        """The photos whose face becomes part of the dataset."""
        return [photo for photo in self.photos if photo.kept]

    @property
    def faces(self) -> list[tuple[OwnPhoto, NDArray[np.uint8]]]:
        """The same, each with its face."""
        return [(photo, photo.face) for photo in self.kept if photo.face is not None]

    def counts(self) -> pd.DataFrame:
        """Faces by class (rows, those that occur) and usage (columns)."""
        counted = Counter((photo.label, photo.usage) for photo in self.kept)
        present = _labels(self.photos)
        rows = [[counted[label, usage] for usage in USAGES] for label in present]
        return pd.DataFrame(rows, [CLASSES[label] for label in present], list(USAGES))

    def table(self) -> pd.DataFrame:
        """A line per photo: file, class, outcome, part, box ('left, top, side'), reason."""
        return pd.DataFrame(
            [
                {
                    "file": photo.file,
                    "class": photo.class_name,
                    "outcome": photo.outcome,
                    "part": photo.usage,
                    "box": ", ".join(map(str, photo.box[:3])) if photo.box else "",
                    "reason": photo.reason,
                }
                for photo in self.photos
            ]
        )


def split_faces(photos: Sequence[OwnPhoto], *, seed: int = 0) -> OwnFaces:
    """Put each face into Training, PublicTest or PrivateTest.

    By the folders where these name the parts; a part other than Training that they lack is drawn
    from Training. Else by drawing, for each class alone, 60, 20 and 20 %, at least one each; a
    class with fewer than three faces is left out. Same photos and seed, same split.
    """
    others = [photo for photo in photos if photo.label is None]
    photos = [photo for photo in photos if photo.label is not None]
    named = {photo.split for photo in photos}
    own = "" not in named and len(named) > 1
    if own and "Training" not in named:
        return OwnFaces(
            (*photos, *others), problem="The folders name test parts, but none 'train'."
        )
    drawn = [usage for usage in SHARES if not (own and usage in named)]
    notes = []
    if "" in named and len(named) > 1:
        notes.append("Some folders name a part and others none: all parts are drawn.")
    elif own and drawn:
        notes.append(f"No folder is for {drawn[0]}: it is drawn from Training's faces.")
    placed: list[OwnPhoto] = []
    for label in _labels(photos):
        of_class = [photo for photo in photos if photo.label == label]
        pool = [p.file for p in of_class if p.kept and (not own or p.split == "Training")]
        if len(pool) <= len(drawn) and (pool or not own):
            notes.append(_too_few(label, len(pool), 1 + len(drawn)))
            placed += map(_left_out, of_class)
            continue
        usage = _drawn(pool, drawn, (seed, label))
        placed += [replace(p, usage=usage.get(p.file, p.split)) if p.kept else p for p in of_class]
    placed = sorted([*placed, *others], key=lambda photo: photo.file)
    return OwnFaces(tuple(placed), (*notes, *_untrained(placed)), _problem(placed))


def _labels(photos: Iterable[OwnPhoto]) -> list[int]:
    return sorted({photo.label for photo in photos if photo.label is not None})


def _drawn(files: list[str], parts: list[str], seed: tuple[int, int]) -> dict[str, str]:
    """Usage by file: each part's share of one class's faces, the rest to Training."""
    shuffled = list(np.random.default_rng(seed).permutation(files))
    usage = dict.fromkeys(files, "Training")
    for part in parts:
        for _ in range(max(1, round(SHARES[part] * len(files)))):
            usage[str(shuffled.pop())] = part
    return usage


def _left_out(photo: OwnPhoto) -> OwnPhoto:
    if not photo.kept:
        return photo
    return replace(photo, outcome=LEFT_OUT, reason="Its class has too few faces.")


def _too_few(label: int, count: int, needed: int) -> str:
    faces = f"{count} face{'' if count == 1 else 's'}" if count else "no face"
    return (
        f"{CLASSES[label]} is left out: {faces} found, and it needs {needed}, one for each part. "
        "Add photos to keep it."
    )


def _untrained(photos: list[OwnPhoto]) -> list[str]:
    kept = [photo for photo in photos if photo.kept]
    trained = _labels(photo for photo in kept if photo.usage == "Training")
    tested = [CLASSES[label] for label in _labels(kept) if label not in trained]
    return [f"{name} is tested, but has no face to learn from." for name in tested]


def _problem(photos: list[OwnPhoto]) -> str:
    kept = [photo for photo in photos if photo.kept]
    trained = {photo.label for photo in kept if photo.usage == "Training"}
    if len(trained) < 2:
        return "At least two expressions with three faces each are needed to train on."
    missing = [usage for usage in USAGES if not any(photo.usage == usage for photo in kept)]
    return f"There is no face for {' and '.join(missing)}. Add photos." if missing else ""
