"""Attributes from a table: any columns that say something of each image, joined as answers are."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.analysis import marks
from fercore.analysis.marks import Mark, checked_name
from fercore.errors import DataError
from fercore.importing.checks import LABELS, NO_PART, check_labels, check_lines, other_lines
from fercore.importing.images import TestImages
from fercore.importing.joining import TELLING_IMAGES, Joined, candidates
from fercore.importing.table_file import read_table
from fercore.wording import count

MOST_VALUES = 30  # of an attribute; a column with more says who it is, and not what
_AS_NUMBERS = 12  # values beyond which numbers are split into fifths
_TRUTH = {"True": "yes", "False": "no"}
_VALUE_LENGTH = 60  # characters


class ImportedMarks(NamedTuple):
    """What is kept now, and sentences on how the table was read."""

    names: list[str]
    notes: list[str]


def import_attributes(
    source: Path | bytes, images: TestImages, *, file: str = "", guessed: bool = False
) -> ImportedMarks:
    """Keep each column of a table as an attribute of the images its lines are about.

    source: a path, or a file's content with its name `file`. guessed: whether a model said it.
    Numbers of more than 12 values are split into fifths of the images. Raises `DataError`, and
    keeps nothing, where the lines cannot be joined or no column is an attribute.
    """
    name = file or (source.name if isinstance(source, Path) else "the table")
    table = read_table(source, name)
    joined, notes = joined_lines(table, images, name)
    found, left_out = [], []
    for column in map(str, table.columns):
        if column.strip().lower() in TELLING_IMAGES | LABELS or column.startswith("Unnamed:"):
            continue
        values, why = _values(table[column])
        if why:
            left_out.append(f"'{column}' is no attribute: {why}.")
            continue
        lines, unclear = _by_image(values, joined, images)
        notes += [f"'{column}': {count(unclear)} images have copies with another value."] * bool(
            unclear
        )
        if len(lines):
            title = checked_name(column)
            found.append(Mark("attributes", title, lines, images.name, name[:200], guessed))
    if not found:
        raise DataError(
            f"{name}: no column is an attribute. {' '.join(left_out)} Give one with up to "
            f"{MOST_VALUES} values, such as 'age group'."
        )
    for mark in found:
        marks.store(mark)
    return ImportedMarks([mark.name for mark in found], [*notes, *left_out])


def import_subset(
    source: Path | bytes, images: TestImages, name: str, *, file: str = ""
) -> ImportedMarks:
    """Keep the images that a table's lines are about as a subset. Raises as `import_attributes`."""
    title = file or (source.name if isinstance(source, Path) else "the table")
    joined, notes = joined_lines(read_table(source, title), images, title)
    held = images.frame.iloc[joined.place[joined.place >= 0]][["pixels", "row"]]
    lines = held.astype(np.int64).reset_index(drop=True)
    marks.store(Mark("subsets", checked_name(name), lines, images.name, title[:200]))
    return ImportedMarks([name.strip()], notes)


def joined_lines(table: pd.DataFrame, images: TestImages, name: str) -> tuple[Joined, list[str]]:
    """Which test image each line is about, and sentences on it. Raises `DataError`."""
    ways = candidates(table, images, name)
    if len(ways) > 1:
        raise DataError(NO_PART.format(name))
    (joined,) = ways
    check_labels(table, joined, images, name)
    if not check_lines(joined, images, name).any():
        raise DataError(f"{name}: none of its lines is of {images.name}'s test images.")
    found = int((joined.place >= 0).sum())
    told = f"{count(found)} images of {images.name} found by {joined.by}."
    return joined, [*images.notes, told, *other_lines(joined)]


def _values(column: pd.Series) -> tuple[NDArray[np.object_], str]:
    """The attribute's value on each line, None where unknown; or why it is none."""
    if set(column.dropna().astype(str)) <= _TRUTH.keys() and column.notna().any():
        return column.astype(str).map(_TRUTH).where(column.notna(), None).to_numpy(object), ""
    figures = pd.to_numeric(column, errors="coerce").astype(float)
    given = column.notna() & (column.astype(str).str.strip() != "")
    if given.any() and figures[given].notna().all():
        figures = figures.where(given)
        if figures.nunique() > _AS_NUMBERS:
            return _fifths(figures), ""
        return figures.map(_in_figures, na_action="ignore").to_numpy(object), ""
    words = column.astype(str).str.strip()
    values = np.array([word if known else None for word, known in zip(words, given)], object)
    distinct = {value for value in values if value is not None}
    if not distinct:
        return values, "it is empty"
    if len(distinct) > MOST_VALUES:
        return values, f"it has {count(len(distinct))} values, and {MOST_VALUES} fit"
    if any(len(value) > _VALUE_LENGTH or not value.isprintable() for value in distinct):
        return values, f"its values are longer than {_VALUE_LENGTH} characters, or not printable"
    return values, ""


def _fifths(figures: pd.Series) -> NDArray[np.object_]:
    """'12 to 19' for each number: the fifth of the lines that it is in."""
    place = pd.qcut(figures, 5, labels=False, duplicates="drop")
    bounds = figures.groupby(place).agg(["min", "max"])
    words = {
        at: f"{_in_figures(low)} to {_in_figures(high)}"
        for at, (low, high) in zip(bounds.index, bounds.to_numpy())
    }
    return place.map(words).where(place.notna(), None).to_numpy(object)


def _in_figures(value: float) -> str:
    """Every figure of it: two numbers that differ are two values."""
    return f"{value:.15g}"


def _by_image(
    values: NDArray[np.object_], joined: Joined, images: TestImages
) -> tuple[pd.DataFrame, int]:
    """pixels, row and value of each image of which it is known, each hash once; and how many hashes
    have several values, which are left out.
    """
    known = (joined.place >= 0) & np.array([isinstance(value, str) for value in values])
    lines = images.frame.iloc[joined.place[known]][["pixels", "row"]].astype(np.int64)
    lines = lines.assign(value=values[known])
    unclear = lines.groupby("pixels")["value"].transform("nunique") > 1
    lines = lines[~unclear].drop_duplicates("pixels").reset_index(drop=True)
    return lines.astype({"value": object}), int(unclear.sum())
