"""Reads a dataset from a path, telling by looking what lies there."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fercore.data.class_names import ClassNames
from fercore.data.container import Container, Folder, SingleFile, open_container
from fercore.data.csv_source import read_csv
from fercore.data.faceset import FaceSet, face_set
from fercore.data.tree_source import image_names, read_tree
from fercore.errors import DataError
from fercore.faces.photo_files import is_hidden
from fercore.labels import CLASSES

FER2013_CSV = ("fer2013.csv", "icml_face_data.csv")
_FER2013_FILE = re.compile(r"^(fer2013|icml_face_data)(\.csv)?(\.zip|\.gz|\.tar|\.tar\.gz|\.tgz)?$")

RESERVED = ("fer2013", "synthetic")  # runs on these sets are told from others by the name


_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".xz", ".bz2", ".zst")

# What a set without a part cannot do, and the way on.
_ABSENT = {
    "Training": "There are no images to train on (Training).",
    "PublicTest": "There are no validation images (PublicTest), by which a training chooses its "
    "epoch: set a share of Training aside, with `fercore train … --validation 0.1` or in the form "
    "for a training.",
    "PrivateTest": "There are no test images (PrivateTest): runs are judged by PublicTest, which "
    "chooses their epoch.",
}


def read_source(
    path: Path,
    class_names: ClassNames = ClassNames(),
    *,
    progress: Callable[[int], None] | None = None,
) -> FaceSet:
    """The dataset at `path`: a CSV, an archive of one, or an image tree as folder or archive.

    `class_names` says what its own names for classes stand for. `progress` is called with the
    number of images read so far. Raises `DataError`.
    """
    try:
        return _read(path, class_names, progress)
    except OSError as error:
        raise DataError(f"{path}: it cannot be read ({error.strerror or error}).") from error


def _read(path: Path, class_names: ClassNames, progress: Callable[[int], None] | None) -> FaceSet:
    container = open_container(path)
    if isinstance(container, Folder) and (inner := _archive_inside(container)):
        return _read(inner, class_names, progress)

    row = None
    if name := _csv_name(container):
        shown = _shown(container, name)
        with container.open(name) as stream:
            images, labels, usage, row, notes = read_csv(
                stream, shown, class_names, progress=progress
            )
    elif image_names(container.names):
        images, labels, usage, notes = read_tree(container, class_names, progress=progress)
    else:
        raise DataError(
            f"{path}: neither a FER2013 CSV nor images in <split>/<class>/ folders were found "
            f"there. {_archives(container)}Give fer2013.csv, icml_face_data.csv, Kaggle's archive, "
            "or an image folder."
        )
    name = f"own {path.stem}" if path.stem.lower() in RESERVED else path.stem
    if class_names.left_out:
        name = f"{name} without {', '.join(class_names.left_out)}"
    absent = [expression for label, expression in enumerate(CLASSES) if label not in set(labels)]
    if absent:
        notes.insert(0, f"There are no images of {', '.join(absent)}.")
    notes += [sentence for part, sentence in _ABSENT.items() if part not in usage]
    faces = face_set(name, images, labels, usage, row=row, source=str(path.absolute()), notes=notes)
    return replace(faces, name="FER2013") if faces.is_fer2013() else faces


def _archives(container: Container) -> str:
    if "xl/workbook.xml" in container.names:
        return "It is an Excel workbook: save its sheet as CSV. "
    inside = [n for n in container.names if n.lower().endswith(_ARCHIVES) and not is_hidden(n)]
    return f"It holds archives: {', '.join(inside[:5])}. Unpack them first. " if inside else ""


def _archive_inside(folder: Folder) -> Path | None:
    """The FER2013 file that a folder without an image tree holds, `fer2013.csv` before archives."""
    top = sorted(n for n in folder.names if "/" not in n and _FER2013_FILE.match(n.lower()))
    if image_names(folder.names) or not top:
        return None
    return folder.path / min(top, key=lambda name: (not name.lower().endswith(".csv"), name))


def _csv_name(container: Container) -> str | None:
    if isinstance(container, SingleFile) and not image_names(container.names):
        return container.names[0]
    tables = [n for n in container.names if n.lower().endswith((".csv", ".tsv"))]
    tables = [name for name in tables if not is_hidden(name)]
    known = [n for n in tables if PurePosixPath(n).name.lower() in FER2013_CSV]
    if known:
        return known[0]
    if len(tables) > 1 and not image_names(container.names):
        raise DataError(
            f"{container.path}: it holds several tables ({', '.join(tables[:5])}) and none is "
            f"called {' or '.join(FER2013_CSV)}. Give the one to read."
        )
    return tables[0] if tables and not image_names(container.names) else None


def _shown(container: Container, name: str) -> str:
    alone = isinstance(container, SingleFile)
    return str(container.path) if alone else f"{container.path}: {name}"
