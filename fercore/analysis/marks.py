"""What people know of images beside their labels: attributes, and subsets with a name.

Each is a table of images on its own, known by their pixels' hashes so that it holds for every copy
of a dataset, with a header. They lie beside the verdicts (see `review`), written whole; of two who
write one at once the last one stays. One that is damaged hurts no other.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.analysis.review import database_path
from fercore.errors import ConfigError, DataError
from fercore.files import file_stamp, read_header, write_headed, writing_to
from fercore.scoring.slices import ATTRIBUTE, SLICES, SUBSET, SUBSETS, in_order
from fercore.shapes import misfit, text, truth

KINDS = ("attributes", "subsets")
NAME_LENGTH = 40
_NAME = re.compile(rf"\w[\w .()+-]{{0,{NAME_LENGTH - 1}}}")
_SHAPE = {"name": text, "dataset": text, "origin": text, "guessed": truth}


@dataclass(frozen=True)
class Mark:
    """An attribute or a subset.

    kind: one of `KINDS`. table: pixels and row (int64), and of an attribute value (str), a line for
    each image of which it is known. dataset: whose images they are. origin: the file it came from,
    or what was selected. guessed: whether a model said it, and no person.
    """

    kind: str
    name: str
    table: pd.DataFrame
    dataset: str = ""
    origin: str = ""
    guessed: bool = False


def checked_name(name: str) -> str:
    """`name`, if an attribute or a subset may be called so. Raises `ConfigError` otherwise."""
    name = name.strip()
    if not _NAME.fullmatch(name) or name in SLICES or name in (SUBSETS, "any"):
        raise ConfigError(
            f"'{name[:NAME_LENGTH]}' cannot be the name: use up to {NAME_LENGTH} letters, digits, "
            f"spaces and . ( ) + - _, and none of {', '.join([*SLICES, SUBSETS, 'any'])}."
        )
    return name


def store(mark: Mark) -> None:
    """Keep it, in place of an earlier one of that kind and name.

    Raises `ConfigError` for a name or a kind that cannot be, `DataError` for no images, and where
    it cannot be written.
    """
    if mark.kind not in KINDS:
        raise ConfigError(f"There is no kind '{mark.kind}'.")
    if not len(mark.table):
        raise DataError(f"'{mark.name}' would hold no image.")
    path = _path(mark.kind, checked_name(mark.name))
    header = {"name": mark.name.strip(), "dataset": mark.dataset, "origin": mark.origin}
    undone = f"'{mark.name}' is not kept"
    with writing_to(path.parent, undone, DataError, variable="FERCORE_REVIEWS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_headed(path, mark.table, header | {"guessed": mark.guessed})


def remove(kind: str, name: str) -> None:
    """Forget it. Raises `DataError` where there is none."""
    find(kind, name)
    with writing_to(_folder(kind), f"'{name}' is not deleted", DataError):
        _path(kind, name).unlink(missing_ok=True)


def find(kind: str, name: str) -> Mark:
    """Raises `DataError` where there is none of that name, or it is damaged."""
    path = _path(kind, name)
    if not path.is_file():
        known = ", ".join(mark.name for mark in marks(kind)) or "none yet"
        raise DataError(f"There is no '{name}' among the {kind}. There are: {known}.")
    return _read(kind, path, file_stamp(path))


def marks(kind: str) -> list[Mark]:
    """All of a kind that can be read, by name."""
    found = (each for each in _scan(kind) if isinstance(each, Mark))
    return sorted(found, key=lambda mark: mark.name.lower())


def problems() -> list[str]:
    """A sentence for each that cannot be read."""
    return [each for kind in KINDS for each in _scan(kind) if isinstance(each, str)]


def stamp() -> str:
    """Another one whenever an attribute or a subset is another."""
    return ";".join(f"{path.name} {file_stamp(path)}" for kind in KINDS for path in _files(kind))


def with_marks(
    properties: pd.DataFrame, rows: NDArray[np.int64], pixels: NDArray[np.int64]
) -> pd.DataFrame:
    """A table of `slices.slice_properties`, with a column for each attribute and subset that is
    known of some of these images. rows, pixels: theirs (N,).
    """
    marked = properties.copy()
    for mark in marks("attributes"):
        values = mark.table.set_index("pixels")["value"].reindex(pixels)
        if values.notna().any():
            marked[ATTRIBUTE + mark.name] = values.to_numpy(object)
    for mark in marks("subsets"):
        inside = images_in(mark, rows, pixels)
        if inside.any():
            marked[SUBSET + mark.name] = inside
    return marked


def images_in(mark: Mark, rows: NDArray[np.int64], pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which images (N,) are in a subset: by row and pixels; by pixels alone in another copy, where
    rows are others.
    """
    known = pd.MultiIndex.from_frame(mark.table[["row", "pixels"]])
    inside = np.asarray(pd.MultiIndex.from_arrays([rows, pixels]).isin(known))
    return inside if inside.any() else np.isin(pixels, mark.table["pixels"])


def guessed_in_words(pixels: NDArray[np.int64]) -> str:
    """Which attributes of these images (N,) a model guessed, a sentence; '' where none."""
    names = [
        f"“{mark.name}”"
        for mark in marks("attributes")
        if mark.guessed and np.isin(pixels, mark.table["pixels"]).any()
    ]
    if not names:
        return ""
    return (
        f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'} guessed by a model: its "
        "mistakes make differences as well as hide them."
    )


def groups_by(mark: Mark, pixels: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """By an attribute's value, which of the images (N,) have it."""
    values = mark.table.set_index("pixels")["value"].reindex(pixels)
    return {name: (values == name).to_numpy(bool) for name in in_order(values)}


def _folder(kind: str) -> Path:
    return database_path().parent / kind


def _path(kind: str, name: str) -> Path:
    return _folder(kind) / f"{hashlib.sha256(name.strip().encode()).hexdigest()[:16]}.parquet"


def _files(kind: str) -> list[Path]:
    return sorted(_folder(kind).glob("[!.]*.parquet"))


def _scan(kind: str) -> list[Mark | str]:
    found: list[Mark | str] = []
    for path in _files(kind):
        try:
            found.append(_read(kind, path, file_stamp(path)))
        except DataError as error:
            found.append(str(error))
    return found


@lru_cache(maxsize=200)
def _read(kind: str, path: Path, _stamp: str) -> Mark:
    try:
        header: dict[str, Any] = read_header(path)
        table = pd.read_parquet(path)
        problem = misfit(header, _SHAPE) or _odd(kind, table)
    except Exception as error:  # Parquet's library has errors of its own
        raise _damaged(path) from error
    if problem:
        raise _damaged(path)
    return Mark(kind, table=table, **{name: header[name] for name in _SHAPE})


def _odd(kind: str, table: pd.DataFrame) -> str | None:
    for name in ("row", "pixels"):
        if name not in table or table[name].dtype != np.int64:
            return f"no '{name}'"
    if kind == "attributes":
        values = table.get("value", pd.Series(dtype=object))
        fits = len(values) == len(table) and values.map(lambda value: isinstance(value, str)).all()
        return None if fits and not table["pixels"].duplicated().any() else "no values"
    return None


def _damaged(path: Path) -> DataError:
    return DataError(
        f"{path} is damaged, or no {path.parent.name} of fercore's. Delete it, and import it again."
    )
