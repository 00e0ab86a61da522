"""One's own photos: the faces in them found and cut out. Nothing is kept here.

A source is a zip or a folder of `<class>/*` or `<split>/<class>/*`, wherever in it these folders
lie. Each photo gives at most one face, its largest, by the same way as in prediction.
`fercore.data.own_faces` puts the faces into parts, `fercore.data.stored_faces` keeps them.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fercore.data.archives import Zip
from fercore.data.class_names import ClassNames, advice
from fercore.data.container import Folder, open_container
from fercore.data.own_faces import (
    COPY,
    FOUND,
    LEFT_OUT,
    NO_FACE,
    PASSED_OVER,
    UNREADABLE,
    WHOLE,
    OwnPhoto,
)
from fercore.errors import ConfigError, DataError, ImageError
from fercore.faces.detection import SEARCH, checked_choice, find_in, preprocess
from fercore.faces.photo_files import is_hidden, is_photo
from fercore.faces.photos import Photo, opened_photo
from fercore.labels import usage_name
from fercore.wording import count

MAX_PHOTOS = 3000
MAX_PHOTO_BYTES = 40 << 20
_LISTED = 5


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
        others += [_other(".", note) for note in container.notes]
        for done, (file, (split, label)) in enumerate(places.items(), start=1):
            photo = OwnPhoto(file, label, split, FOUND)
            photos.append(_look(photo, container, faces) if label is not None else _unwanted(photo))
            progress(done, len(places))
    return sorted([*_without_copies(photos), *others], key=lambda photo: photo.file)


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


def _is_other(file: str) -> bool:
    return not is_photo(file) and not is_hidden(file)


def _other(file: str, reason: str = "This file is no picture.") -> OwnPhoto:
    return OwnPhoto(file, None, "", PASSED_OVER, reason)


def _unwanted(photo: OwnPhoto) -> OwnPhoto:
    return replace(photo, outcome=LEFT_OUT, reason="Its class is left out, as asked.")


def _places(container: Folder | Zip, class_names: ClassNames) -> dict[str, tuple[str, int | None]]:
    """Each photo's usage as its folders name it, or '', and its class, None if left out."""
    names = sorted(name for name in container.names if is_photo(name))
    path = container.path
    if not names:
        raise DataError(f"{path}: no photos were found. Put them into folders like happy/ or sad/.")
    if len(names) > MAX_PHOTOS:
        raise DataError(
            f"{path}: {count(len(names))} photos are too many; {count(MAX_PHOTOS)} are read at "
            "once."
        )
    if len(set(names)) < len(names):
        raise DataError(f"{path}: it holds several files of one name. Pack it again.")
    loose = [name for name in names if "/" not in name]
    if loose:
        raise DataError(
            f"{path}: {_listed(loose)} lie in no folder. Put each photo into the folder of its "
            "expression, for example happy/."
        )
    places, unknown = dict[str, tuple[str, int | None]](), Counter[str]()
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
    first_with, marked = dict[bytes, OwnPhoto](), list[OwnPhoto]()
    for photo in photos:
        first = photo
        if photo.kept and photo.face is not None:
            first = first_with.setdefault(photo.face.tobytes(), photo)
        if first is not photo:
            other = f", which says {first.class_name}" if first.label != photo.label else ""
            reason = f"The same face as {first.file}{other}."
            photo = replace(photo, outcome=COPY, reason=reason)
        marked.append(photo)
    return marked


def _listed(names: list[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names[:_LISTED])
    return f"{quoted} and {len(names) - _LISTED} more" if len(names) > _LISTED else quoted
