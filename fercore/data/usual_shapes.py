"""The shapes in which RAF-DB, AffectNet and CK+ are handed out, seen as '<split>/<class>/<file>'.

RAF-DB (Li et al., 2017) has a list of labels beside its aligned faces, or on Kaggle folders 1 to 7;
AffectNet (Mollahosseini et al., 2017) a file of annotation for each face; CK+ (Lucey et al., 2010),
as 'CK+48' with the faces cut out, folders by class and no parts: all of it is taken for test.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from fercore.data.class_names import COLLECTIONS
from fercore.data.container import Container
from fercore.errors import DataError
from fercore.wording import count

CONTEMPT = "contempt"  # the eighth expression that two of them have
_RAF_LISTS = ("list_patition_label.txt", "list_partition_label.txt")  # the first is RAF-DB's own
_RAF = re.compile(r"(train|test)_\d+_aligned")
_AFFECTNET = re.compile(r"(train|val)_set/images/\d+")
_CK = re.compile(r"S\d{3}_\d{3}_\d{8}")


class UsualShape(NamedTuple):
    """places: by an image's name, where it would lie in a tree. labels_in: files that hold labels.
    notes: what a user should know.
    """

    places: dict[str, str]
    labels_in: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def usual_shape(container: Container, names: list[str], *, all_classes: bool) -> UsualShape | None:
    """How a collection's images would lie in a tree; None for a tree, and any other shape.

    names: its images. all_classes: whether contempt stays, for which a name is given then; else it
    is left out, and said.
    """
    for shape in (_raf_by_list, _raf_by_folder, _affectnet, _ck):
        if found := shape(container, names):
            return found if all_classes else _of_the_seven(found)
    return None


def _of_the_seven(shape: UsualShape) -> UsualShape:
    kept = {
        name: place for name, place in shape.places.items()
        if PurePosixPath(place).parts[-2] != CONTEMPT
    }  # fmt: skip
    if not (gone := len(shape.places) - len(kept)):
        return shape
    note = f"Left out, for it is none of the seven expressions: {CONTEMPT} ({gone})."
    return shape._replace(places=kept, notes=(*shape.notes, note))


def _raf_by_list(container: Container, names: list[str]) -> UsualShape | None:
    listed = [name for name in container.names if PurePosixPath(name).name in _RAF_LISTS]
    aligned = {
        PurePosixPath(name).stem.removesuffix("_aligned"): name
        for name in names if _RAF.fullmatch(PurePosixPath(name).stem)
    }  # fmt: skip
    if not listed or not aligned:
        return None
    known = _numbers("raf-db")
    with container.open(listed[0]) as stream:
        lines = [line.split() for line in stream.read().decode("utf-8", "replace").splitlines()]
    places, missing = {}, 0
    for file, number in (line for line in lines if len(line) == 2):
        stem = PurePosixPath(file).stem
        if number not in known:
            raise DataError(f"{container.path}: {file} has the label '{number}', not 1 to 7.")
        if stem in aligned:
            places[aligned[stem]] = f"{stem.split('_')[0]}/{known[number]}/{file}"
        else:
            missing += 1
    notes = [f"{count(missing)} listed images are not there."] if missing else []
    if without := len(names) - len(places):
        notes.append(
            f"{count(without)} images are passed over: no aligned faces, or not in the list."
        )
    return UsualShape(places, frozenset(listed), tuple(notes))


def _raf_by_folder(container: Container, names: list[str]) -> UsualShape | None:
    known, places = _numbers("raf-db"), {}
    for name in names:
        path = PurePosixPath(name)
        if not _RAF.fullmatch(path.stem) or len(path.parts) < 3 or path.parts[-2] not in known:
            return None
        places[name] = f"{path.stem.split('_')[0]}/{known[path.parts[-2]]}/{path.name}"
    return UsualShape(places) if places else None


def _affectnet(container: Container, names: list[str]) -> UsualShape | None:
    by_annotation = {
        name.replace("/images/", "/annotations/").rpartition(".")[0] + "_exp.npy": name
        for name in names if _AFFECTNET.search(name)
    }  # fmt: skip
    labelled = sorted(by_annotation.keys() & set(container.names))
    if not labelled:
        return None
    known, places = _numbers("affectnet") | {"7": CONTEMPT}, {}
    others = Counter[str]()
    for file, number in _annotations(container, labelled):
        name = by_annotation[file]
        split = "train" if "train_set/" in name else "val"
        if number in known:
            places[name] = f"{split}/{known[number]}/{PurePosixPath(name).name}"
        else:
            others[number] += 1
    notes = [f"{count(len(names) - len(labelled))} images without an annotation are passed over."]
    told = ", ".join(f"{number} ({count(many)})" for number, many in sorted(others.items()))
    notes = notes if len(names) > len(labelled) else []
    notes += [f"Left out, for they are no expressions: {told}."] if told else []
    files = frozenset(name for name in container.names if "/annotations/" in name)
    return UsualShape(places, files, tuple(notes))


def _annotations(container: Container, files: list[str]) -> Iterator[tuple[str, str]]:
    """Each file with the number in it."""
    for file, content in container.read(files):
        try:
            yield file, str(int(np.load(io.BytesIO(content), allow_pickle=False).item()))
        except (ValueError, EOFError, OSError) as error:
            raise DataError(f"{container.path}: the annotation '{file}' cannot be read.") from error


def _ck(container: Container, names: list[str]) -> UsualShape | None:
    paths = {name: PurePosixPath(name) for name in names}
    fit = (_CK.fullmatch(path.stem) and len(path.parts) > 1 for path in paths.values())
    if not names or not all(fit):
        return None
    places = {name: f"test/{path.parts[-2]}/{path.name}" for name, path in paths.items()}
    return UsualShape(places, notes=("It has no parts: all of it is taken for test images.",))


def _numbers(collection: str) -> dict[str, str]:
    pairs = (part.split("=") for part in COLLECTIONS[collection].split(","))
    return {number: name for number, name in pairs if name}
