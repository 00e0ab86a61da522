"""One's own photos made into a dataset: faces found, cut out and split. Nothing is kept here.

A source is a zip or a folder of `<class>/*` or `<split>/<class>/*`, wherever in it these folders
lie. Each photo gives at most one face, its largest, by the same way as in prediction.
`fercore.data.stored_faces` keeps the faces.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.class_names import ClassNames, advice
from fercore.data.container import Folder, Zip, open_container
from fercore.errors import ConfigError, DataError, ImageError
from fercore.faces.detection import SEARCH, Box, checked_choice, find_in, preprocess
from fercore.faces.photo_files import is_hidden, is_photo
from fercore.faces.photos import Photo, opened_photo
from fercore.labels import CLASSES, USAGES, usage_name

MAX_PHOTOS = 3000
MAX_PHOTO_BYTES = 40 << 20
SHARES = {"PublicTest": 0.2, "PrivateTest": 0.2}  # of a class's faces; Training has the rest
_LISTED = 5

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
                    "class": "" if photo.label is None else CLASSES[photo.label],
                    "outcome": photo.outcome,
                    "part": photo.usage,
                    "box": ", ".join(map(str, photo.box[:3])) if photo.box else "",
                    "reason": photo.reason,
                }
                for photo in self.photos
            ]
        )


def find_own_faces(
    source: Path | bytes,
    *,
    name: str = "the zip",
    names: ClassNames = ClassNames(),
    faces: str = SEARCH,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[OwnPhoto]:
    """Look for a face in every photo of a folder or zip, by name.

    `source` is a path, or a zip's content, called `name` in messages. `names` says what its folders
    stand for. `faces` is 'search' or 'largest' for the largest face of each photo, 'none' where
    each picture is itself a face, of any size. `progress` gets the photos looked at and their
    number, 0 and 1 while files are looked for. Raises `DataError` where the source cannot be read,
    is unsafe or too large, or its folders do not name expressions; a bad photo and a file that is
    no picture are reported, not raised.
    """
    checked_choice(faces)
    with _opened(source, name, lambda _: progress(0, 1)) as container:
        places, photos = _places(container, names), []
        others = [_other(file) for file in container.names if _is_other(file)]
        for done, (file, (split, label)) in enumerate(places.items(), start=1):
            photo = OwnPhoto(file, label, split, FOUND)
            photos.append(_look(photo, container, faces) if label is not None else _unwanted(photo))
            progress(done, len(places))
    return sorted([*_without_copies(photos), *others], key=lambda photo: photo.file)


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
    placed = []
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


@contextmanager
def _opened(
    source: Path | bytes, name: str, searched: Callable[[int], None]
) -> Iterator[Folder | Zip]:
    if isinstance(source, bytes):
        with tempfile.TemporaryDirectory(prefix="fercore-") as folder:
            path = Path(folder) / "photos.zip"
            path.write_bytes(source)
            try:
                with _opened(path, name, searched) as container:
                    yield container
            except DataError as error:  # its path says nothing to a person
                raise DataError(str(error).replace(str(path), name)) from error
        return
    container = _container(source, searched)
    with closing(container) if isinstance(container, Zip) else nullcontext():
        yield container


def _container(path: Path, searched: Callable[[int], None]) -> Folder | Zip:
    try:
        container = open_container(path, searched=searched)
    except OSError as error:
        raise DataError(f"{path}: it cannot be read ({error.strerror or error}).") from error
    if not isinstance(container, Folder | Zip):
        raise DataError(f"{path}: this is neither a folder nor a zip of photos.")
    return container


def _labels(photos: Iterable[OwnPhoto]) -> list[int]:
    return sorted({photo.label for photo in photos if photo.label is not None})


def _is_other(file: str) -> bool:
    return not is_photo(file) and not is_hidden(file)


def _other(file: str) -> OwnPhoto:
    return OwnPhoto(file, None, "", PASSED_OVER, "This file is no picture.")


def _unwanted(photo: OwnPhoto) -> OwnPhoto:
    return replace(photo, outcome=LEFT_OUT, reason="Its class is left out, as asked.")


def _places(container: Folder | Zip, class_names: ClassNames) -> dict[str, tuple[str, int | None]]:
    """Each photo's usage as its folders name it, or '', and its class, None if left out."""
    names = sorted(name for name in container.names if is_photo(name))
    path = container.path
    if not names:
        raise DataError(f"{path}: no photos were found. Put them into folders like happy/ or sad/.")
    if len(names) > MAX_PHOTOS:
        raise DataError(f"{path}: {len(names)} photos are too many; {MAX_PHOTOS} are read at once.")
    if len(set(names)) < len(names):
        raise DataError(f"{path}: it holds several files of one name. Pack it again.")
    loose = [name for name in names if "/" not in name]
    if loose:
        raise DataError(
            f"{path}: {_listed(loose)} lie in no folder. Put each photo into the folder of its "
            "expression, for example happy/."
        )
    places, unknown = {}, Counter()
    for name in names:
        folders = PurePosixPath(name).parts[:-1]
        at = class_names.place(folders)
        if at is None:
            unknown[folders[-1]] += 1
        else:
            parts = (*folders[:at], *folders[at + 1 :])
            places[name] = _split(parts), class_names.index(folders[at])
    if unknown:
        raise DataError(f"{path}: {advice(unknown)}")
    return places


def _split(folders: tuple[str, ...]) -> str:
    """The part that the innermost of the folders names that names one, or ''."""
    for folder in reversed(folders):
        with suppress(ConfigError):
            return usage_name(folder)
    return ""


def _look(photo: OwnPhoto, container: Folder | Zip, faces: str) -> OwnPhoto:
    try:
        with container.open(photo.file) as stream:
            content = stream.read(MAX_PHOTO_BYTES + 1)
    except OSError as error:
        reason = f"The file cannot be read ({error.strerror or error})."
        return replace(photo, outcome=UNREADABLE, reason=reason)
    if len(content) > MAX_PHOTO_BYTES:
        reason = f"The file is larger than {MAX_PHOTO_BYTES >> 20} MB."
        return replace(photo, outcome=UNREADABLE, reason=reason)
    try:
        with opened_photo(content, PurePosixPath(photo.file).name) as opened:
            return _with_face(photo, opened, faces)
    except ImageError as error:
        return replace(photo, outcome=UNREADABLE, reason=str(error))


def _with_face(photo: OwnPhoto, opened: Photo, faces: str) -> OwnPhoto:
    picture, notes = opened
    found = find_in(picture, faces)
    if not found.boxes:
        reason = "No face from the front, at least 40 pixels wide and uncovered, was found."
        return replace(photo, outcome=NO_FACE, reason=reason)
    box = found.boxes[0]
    outcome = WHOLE if found.whole else FOUND
    face = preprocess(picture, box)
    return replace(photo, outcome=outcome, box=box, face=face, reason=" ".join(notes))


def _without_copies(photos: list[OwnPhoto]) -> list[OwnPhoto]:
    """The photos, a face that was seen before marked: in two parts it would be tested as learnt."""
    first_with, marked = {}, []
    for photo in photos:
        first = first_with.setdefault(photo.face.tobytes(), photo) if photo.kept else photo
        if first is not photo:
            other = f", which says {CLASSES[first.label]}" if first.label != photo.label else ""
            reason = f"The same face as {first.file}{other}."
            photo = replace(photo, outcome=COPY, reason=reason)
        marked.append(photo)
    return marked


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
    trained = {photo.label for photo in kept if photo.usage == "Training"}
    tested = sorted({photo.label for photo in kept} - trained)
    return [f"{CLASSES[label]} is tested, but has no face to learn from." for label in tested]


def _problem(photos: list[OwnPhoto]) -> str:
    kept = [photo for photo in photos if photo.kept]
    trained = {photo.label for photo in kept if photo.usage == "Training"}
    if len(trained) < 2:
        return "At least two expressions with three faces each are needed to train on."
    missing = [usage for usage in USAGES if not any(photo.usage == usage for photo in kept)]
    return f"There is no face for {' and '.join(missing)}. Add photos." if missing else ""


def _listed(names: list[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names[:_LISTED])
    return f"{quoted} and {len(names) - _LISTED} more" if len(names) > _LISTED else quoted
