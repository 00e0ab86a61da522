"""A tree `<split>/<class>/*` of images: Kaggle's FER2013 folders, or anyone's labelled faces."""

import re
from collections.abc import Callable, Collection, Iterable
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from fercore.data.container import Container
from fercore.errors import ConfigError, DataError, ImageError
from fercore.faces.photos import SUFFIXES, open_photo
from fercore.labels import CLASSES, SIZE, USAGES, class_index, usage_name

LISTED = 10

# Kaggle's files say their usage: train/angry/Training_3908.jpg, test/sad/PublicTest_98629128.jpg
_KAGGLE_NAME = re.compile(rf"^({'|'.join(USAGES)})_\d+$")


def image_names(names: Iterable[str]) -> list[str]:
    """The names that look like images, hidden files and macOS's '__MACOSX' left out."""
    return sorted(name for name in names if is_image(name))


def is_image(name: str, suffixes: Collection[str] = SUFFIXES) -> bool:
    """Whether a name has one of these suffixes, and no part of it is hidden or macOS's."""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in suffixes and not hidden


def read_tree(container: Container, *, progress: Callable[[int], None] | None = None):
    """Images uint8 (N, 48, 48), labels, usage and notes, in the order of the sorted names.

    Images of another size are resized, and expressions without images named, each in a note.
    Raises `DataError` where a folder names no expression or no split, fewer than two expressions
    have images, or images cannot be read.
    """
    names = image_names(container.names)
    if len(set(names)) < len(names):
        raise DataError(
            f"{container.path}: the archive holds several files of one name. Pack it again."
        )
    targets = {name: _target(name, container) for name in names}
    notes = _absent({label for _, label in targets.values()}, container)

    images = np.empty((len(names), SIZE, SIZE), np.uint8)
    position = {name: i for i, name in enumerate(names)}
    unreadable, resized = [], 0
    for done, (name, content) in enumerate(container.read(names), start=1):
        try:
            image = open_photo(content, name).convert("L")
        except ImageError:
            unreadable.append(name)
            continue
        if image.size != (SIZE, SIZE):
            image = image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
            resized += 1
        images[position[name]] = np.asarray(image)
        if progress and done % 500 == 0:
            progress(done)
    if unreadable:
        raise DataError(_unreadable(sorted(unreadable), container))

    usage, labels = zip(*targets.values(), strict=True)
    if resized:
        notes.append(f"{resized} images were not {SIZE}×{SIZE} and were resized.")
    return images, labels, usage, notes


def _target(name: str, container: Container) -> tuple[str, int]:
    parts = PurePosixPath(name).parts
    if len(parts) < 3:
        raise DataError(
            f"{container.path}: the image '{name}' is not in a <split>/<class>/ folder, "
            "for example train/happy/. Move it there."
        )
    split, folder = parts[-3], parts[-2]
    try:
        kaggle = _KAGGLE_NAME.match(PurePosixPath(name).stem)
        return usage_name(kaggle[1] if kaggle else split), class_index(folder)
    except ConfigError as error:
        raise DataError(f"{container.path}: in '{name}', {error} Rename the folder.") from error


def _absent(present: set[int], container: Container) -> list[str]:
    """A note that names the expressions without images, if any. Two at least need some."""
    if len(present) < 2:
        raise DataError(
            f"{container.path}: only images of {CLASSES[min(present)]} were found. At least two "
            "expressions need a folder with their name, holding images."
        )
    missing = [name for label, name in enumerate(CLASSES) if label not in present]
    return [f"There are no images of {', '.join(missing)}."] if missing else []


def _unreadable(names: list[str], container: Container) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    count = f"{len(names)} images" if len(names) > 1 else "one image"
    return (
        f"{container.path}: {count} cannot be read: {', '.join(names[:LISTED])}{more}. "
        "Remove or replace them."
    )
