"""A tree `<split>/<class>/*` of images: Kaggle's FER2013 folders, or anyone's labelled faces."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.data.class_names import ClassNames, advice
from fercore.data.container import Container
from fercore.data.face_file import FaceFile
from fercore.data.usual_shapes import UsualShape, usual_shape
from fercore.errors import ConfigError, DataError, ImageError
from fercore.faces.photo_files import is_photo, listed, passed_over
from fercore.faces.photos import opened_photo
from fercore.labels import CLASSES, SIZE, USAGES, usage_name
from fercore.wording import count

# Kaggle's files say their usage: train/angry/Training_3908.jpg, test/sad/PublicTest_98629128.jpg
_KAGGLE_NAME = re.compile(rf"^({'|'.join(USAGES)})_\d+$")
_MOST_UNREADABLE = 0.5  # of the images; with more of them it is no dataset


class Tree(NamedTuple):
    """images: uint8 (N, 48, 48). labels: (N,). usage: (N,). notes: what a user should know."""

    images: NDArray[np.uint8]
    labels: list[int]
    usage: list[str]
    notes: list[str]


def image_names(names: Iterable[str]) -> list[str]:
    """The names that look like images, hidden files and macOS's '__MACOSX' left out."""
    return sorted(name for name in names if is_photo(name))


def read_tree(
    container: Container,
    class_names: ClassNames = ClassNames(),
    *,
    progress: Callable[[int], None] | None = None,
) -> Tree:
    """The tree's faces in the order of the sorted names.

    Each in a note: images of another size, which are resized; classes and images that are left
    out; files that are passed over; images that lie there twice by name and content, which are
    counted once. Raises `DataError` where a folder names no expression or
    no split, fewer than two expressions have images, or most images cannot be read.
    """
    names = image_names(container.names)
    if len(set(names)) < len(names):
        raise DataError(
            f"{container.path}: the archive holds several files of one name. Pack it again."
        )
    shape = usual_shape(container, names, all_classes=bool(class_names.given))
    names = names if shape is None else sorted(shape.places)
    targets, notes = _targets(names, class_names, container, shape or UsualShape({}))
    names = list(targets)
    reading = _read_faces(container, names, progress or (lambda done: None))
    kept, twice = _counted_once(targets, reading.digests)
    notes += [*_unreadable(reading, names, container), *twice, *_changed(reading)]
    usage, labels = zip(*(targets[name] for name in kept), strict=True)
    if len(set(labels)) < 2:
        raise DataError(
            f"{container.path}: only images of {CLASSES[labels[0]]} were found. At least two "
            "expressions need a folder with their name, holding images."
        )
    wanted = set(kept)
    numbers = [number for number, name in enumerate(names) if name in wanted]
    return Tree(reading.faces.images(numbers), list(labels), list(usage), notes)


class _Reading(NamedTuple):
    """faces: those that can be read, by their place among the names. digests: their files', by
    name. told: what was told of a file, by name. resized: how many had another size.
    """

    faces: FaceFile
    digests: dict[str, bytes]
    told: dict[str, str]
    resized: int


def _read_faces(
    container: Container, names: list[str], progress: Callable[[int], None]
) -> _Reading:
    faces, number = FaceFile(), {name: number for number, name in enumerate(names)}
    digests: dict[str, bytes] = {}
    told: dict[str, str] = {}
    resized = 0
    for done, (name, content) in enumerate(container.read(names), start=1):
        try:
            with opened_photo(content, name) as (picture, notes):
                image = picture.convert("L")
        except ImageError:
            continue
        if image.size != (SIZE, SIZE):
            image = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
            resized += 1
        faces.write(number[name], np.asarray(image))
        digests[name] = hashlib.sha256(content).digest()
        if notes:
            told[name] = " ".join(notes)
        if done % 500 == 0:
            progress(done)
    return _Reading(faces, digests, told, resized)


def _changed(reading: _Reading) -> list[str]:
    """What was done to pictures that could be read."""
    notes = []
    if reading.resized:
        notes.append(f"{count(reading.resized)} images were not {SIZE}×{SIZE} and were resized.")
    if told := reading.told:
        first = min(told)
        also = f" and {count(len(told) - 1)} more images" if len(told) > 1 else ""
        notes.append(f"{listed([first])}{also}: {told[first]}")
    return notes


def _targets(
    names: list[str], class_names: ClassNames, container: Container, shape: UsualShape
) -> tuple[dict[str, tuple[str, int]], list[str]]:
    """Each image's usage and label; and notes on the classes that are left out."""
    targets: dict[str, tuple[str, int]] = {}
    unknown, left_out = Counter[str](), Counter[str]()
    for name in names:
        folders = PurePosixPath(shape.places.get(name, name)).parts[:-1]
        if len(folders) < 2:
            raise DataError(
                f"{container.path}: the image '{name}' is not in a <split>/<class>/ folder, for "
                "example train/happy/. Move it there, or let `fercore data photos` draw the parts."
            )
        place = class_names.place(folders)
        if place is None:
            unknown[folders[-1]] += 1
            continue
        label = class_names.index(folders[place])
        if label is None:
            left_out[folders[place]] += 1
            continue
        targets[name] = _usage(name, [*folders[:place], *folders[place + 1 :]], container), label
    if unknown:
        raise DataError(f"{container.path}: {advice(unknown)}")
    if not targets:
        raise DataError(f"{container.path}: no image remains, since all classes are left out.")
    others = [name for name in container.names if name not in shape.labels_in]
    notes = [*shape.notes, *passed_over(others), *container.notes]
    if left_out:
        named = ", ".join(f"{name} ({count})" for name, count in sorted(left_out.items()))
        notes.insert(0, f"Left out as asked: {named}.")
    notes += class_names.not_found(left_out)
    return targets, notes


def _usage(name: str, folders: list[str], container: Container) -> str:
    """What the file's own name says, else the innermost of the folders that names a part."""
    if kaggle := _KAGGLE_NAME.match(PurePosixPath(name).stem):
        return kaggle[1]
    for folder in reversed(folders):
        try:
            return usage_name(folder)
        except ConfigError:
            continue
    try:
        return usage_name(folders[-1])
    except ConfigError as error:
        raise DataError(f"{container.path}: in '{name}', {error} Rename the folder.") from error


def _counted_once(
    targets: dict[str, tuple[str, int]], digests: dict[str, bytes]
) -> tuple[list[str], list[str]]:
    """The names to keep, in their order; and a note where one image lay in two places.

    One image: the same file name and content, with the same label in the same part.
    """
    groups: dict[tuple[str, str, int, bytes], list[str]] = {}
    for name, digest in digests.items():
        key = (PurePosixPath(name).name, *targets[name], digest)
        groups.setdefault(key, []).append(name)
    kept = {min(group, key=lambda name: (name.count("/"), name)) for group in groups.values()}
    again = sorted({str(PurePosixPath(name).parents[1]) for name in digests.keys() - kept})
    twice = (
        f"{count(len(digests) - len(kept))} images lie here twice, with the same name and content, "
        f"and are counted once: those in {listed(again)} are left out."
    )
    return sorted(kept), [twice] if again else []


def _unreadable(reading: _Reading, asked: list[str], container: Container) -> list[str]:
    names = [name for name in asked if name not in reading.digests]
    if not names:
        return []
    images = f"{count(len(names))} images" if len(names) > 1 else "one image"
    if len(names) > _MOST_UNREADABLE * len(asked):
        raise DataError(
            f"{container.path}: {images} cannot be read: {listed(names)}. Remove or replace them."
        )
    are = "are" if len(names) > 1 else "is"
    return [f"{images.capitalize()} cannot be read and {are} left out: {listed(names)}."]
