"""FER2013 as a CSV: `fer2013.csv` and `icml_face_data.csv`, columns told apart by their names.

Tables that went through Excel or another program are read too: with semicolons or tabs between the
cells, in UTF-16, with labels like `3.0` or `happy`, with empty rows.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.data.class_names import ClassNames, advice
from fercore.data.face_file import FaceFile
from fercore.errors import ConfigError, DataError
from fercore.labels import CLASSES, SIZE, usage_name
from fercore.paths import MAX_FILES
from fercore.wording import count

COLUMNS = {
    "emotion": {"emotion", "emotions", "label", "labels", "expression", "class"},
    "pixels": {"pixels", "pixel", "image"},
    "usage": {"usage", "split", "set", "part", "subset"},
}  # and the other names that each goes by
PIXELS = SIZE * SIZE
MAX_ROW = 64 << 10  # characters; one of FER2013 has at most 9,300
_DELIMITERS = ",;\t|"
_DECIMAL = re.compile(r"^(\d+)[.,]0*$")  # a number as Excel may write it
_CONTEMPT = "7"  # in CK+'s and FER+'s tables, which else number as FER2013 does
_LISTED = 5
_MOST_EMPTY = 1 << 20  # rows; as many as a spreadsheet has
_SHOWN = 60  # characters of a label that stands for nothing
_MOST_UNKNOWN = 1000  # labels that stand for nothing: the rest of the table is not read
_AGAIN = "Repair the row, or download the file again."


class Table(NamedTuple):
    """images: uint8 (N, 48, 48). labels: (N,). usage: (N,). row: (N,), those that are left out and
    not empty counted too. notes: what a user should know.
    """

    images: NDArray[np.uint8]
    labels: list[int]
    usage: list[str]
    row: list[int]
    notes: list[str]


def read_csv(
    stream: io.BufferedReader,
    name: str,
    class_names: ClassNames = ClassNames(),
    *,
    progress: Callable[[int], None] | None = None,
) -> Table:
    """The table's faces in the file's order; rows that are skipped are counted in a note.

    Raises `DataError` naming the file, the row (its line, the header being line 1) and the remedy.
    `progress` is called with the number of rows read so far.
    """
    faces, labels, usage, numbers = FaceFile(), list[int](), list[str](), list[int]()
    lines, meant = _Lines(stream, name), _Meant(class_names)
    try:
        for row, (where, values) in enumerate(_read_rows(lines, name)):
            label = meant.label(values["emotion"], where)
            if len(meant.unknown) > _MOST_UNKNOWN:
                break
            if label is None:
                continue
            if len(labels) == MAX_FILES:
                raise DataError(
                    f"{where}: more than {MAX_FILES // 1000}\u2009000 faces are not read at once. "
                    "Give a part of them."
                )
            usage.append(_usage(values["usage"], where))
            faces.write(len(labels), _pixels(values["pixels"], where))
            labels.append(label)
            numbers.append(row)
            if progress and len(labels) % 500 == 0:
                progress(len(labels))
    except (UnicodeError, csv.Error) as error:
        raise DataError(f"{name}: this is not a text file with comma-separated values.") from error
    if meant.unknown:
        raise DataError(f"{name}: {_unknown_labels(meant.unknown)}")
    if not labels:
        raise DataError(f"{name}: the file has a header but no rows. {_AGAIN}")
    notes = [*_skipped(lines), *meant.notes()]
    return Table(faces.images(range(len(labels))), labels, usage, numbers, notes)


class _Meant:
    """What a table's labels stand for, and how many of them are left out, or stand for nothing."""

    def __init__(self, class_names: ClassNames) -> None:
        self._names = class_names
        self._left_out, self.unknown = Counter[str](), Counter[str]()

    def label(self, text: str, where: str) -> int | None:
        """The label's number; None where it is left out or stands for nothing.

        Raises `DataError` where it is empty.
        """
        text = _DECIMAL.sub(r"\1", text.strip())
        try:
            label = self._number(text)
        except ConfigError as error:
            if not text:
                raise DataError(f"{where}: the label is empty. {_AGAIN}") from error
            self.unknown[text[:_SHOWN]] += 1
            return None
        if label is None:
            self._left_out[text] += 1
        return label

    def _number(self, text: str) -> int | None:
        """Raises `ConfigError` where it stands for nothing."""
        try:
            return self._names.index(text)
        except ConfigError:
            if text.isdecimal() and int(text) < len(CLASSES):
                return int(text)
            if text == _CONTEMPT:
                return self._names.index("contempt")
            raise

    def notes(self) -> list[str]:
        """Sentences on what is left out, and on names that do not occur."""
        named = ", ".join(f"{label} ({count})" for label, count in sorted(self._left_out.items()))
        contempt = {"contempt"} if _CONTEMPT in self._left_out else set()
        told = [f"Left out as asked: {named}."] if named else []
        return told + self._names.not_found(self._left_out.keys() | contempt)


class _Lines:
    """A table's lines, as text. A row may go over several, and is no longer than `MAX_ROW`.

    skipped: how many rows are skipped and told. where: the lines of the first of them.
    """

    def __init__(self, stream: io.BufferedReader, name: str) -> None:
        wide = stream.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
        self._text = io.TextIOWrapper(stream, "utf-16" if wide else "utf-8-sig")
        self._name, self._number, self._length, self._empty = name, 0, 0, 0
        self.skipped, self.where = 0, list[str]()

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(MAX_ROW):
            self._number += 1
            self._length += len(line)
            if self._length >= MAX_ROW:
                at = f"{self._name}, line {self._number}"
                raise DataError(f"{at}: longer than any row of FER2013. {_AGAIN}")
            yield line

    def row_ends(self) -> None:
        self._length = 0

    def skip_empty(self) -> None:
        self._empty += 1
        if self._empty > _MOST_EMPTY:
            raise DataError(f"{self._name}: more than a million rows are empty. Remove them.")

    def skip(self, line: int) -> None:
        self.skip_empty()
        self.skipped += 1
        self.where += [str(line)] * (self.skipped <= _LISTED)


def _read_rows(lines: _Lines, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row lies, and its cells by column."""
    titles, delimiter, above = _header(lines)
    rows = csv.reader(iter(lines), delimiter=delimiter, skipinitialspace=True)
    order = _columns(titles, name)
    for cells in rows:
        lines.row_ends()
        line = above + rows.line_num
        if cells == titles or not any(map(str.strip, cells)):
            lines.skip(line) if cells else lines.skip_empty()
            continue
        where = f"{name}, line {line}"
        while len(cells) > len(order) and not cells[-1].strip():
            cells.pop()
        cells = _with_pixels_joined(cells, order)
        if len(cells) != len(order):
            raise DataError(f"{where}: {len(cells)} columns instead of {len(order)}. {_AGAIN}")
        yield where, dict(zip(order, cells, strict=True))


def _header(lines: _Lines) -> tuple[list[str], str, int]:
    """The columns' titles, what stands between them, and the header's line: the first with words,
    but for one that tells Excel what stands between.
    """
    number = 0
    for number, line in enumerate(lines, start=1):
        lines.row_ends()
        if line.strip() and not line.lower().startswith("sep="):
            delimiter = max(_DELIMITERS, key=line.count)
            cells = csv.reader([line], delimiter=delimiter, skipinitialspace=True)
            return next(cells), delimiter, number
        lines.skip_empty()
    return [], ",", number


def _columns(header: list[str], name: str) -> list[str]:
    known = {other: column for column, names in COLUMNS.items() for other in names}
    order = [known.get(title.strip().lower(), title.strip().lower()) for title in header]
    missing = [column for column in COLUMNS if column not in order]
    if any("\0" in title for title in header):
        raise DataError(f"{name}: this is no text in UTF-8. Save it as 'CSV UTF-8'.")
    if missing == ["usage"]:
        raise DataError(
            f"{name}, line 1: no column 'usage'. Add one that says Training, PublicTest or "
            "PrivateTest in each row."
        )
    if missing:
        raise DataError(
            f"{name}, line 1: no column {' and no column '.join(map(repr, missing))}. "
            "Expected the header 'emotion,pixels,Usage' of fer2013.csv or icml_face_data.csv."
        )
    if twice := [column for column in COLUMNS if order.count(column) > 1]:
        raise DataError(f"{name}, line 1: several columns for {twice[0]}. Keep one of them.")
    return order


def _with_pixels_joined(cells: list[str], order: list[str]) -> list[str]:
    """The cells, where pixels were written with the table's own delimiter and without quotes."""
    more = len(cells) - len(order)
    if more != PIXELS - 1:
        return cells
    at = order.index("pixels")
    return [*cells[:at], " ".join(cells[at : at + more + 1]), *cells[at + more + 1 :]]


def _unknown_labels(unknown: Counter[str]) -> str:
    if set(unknown) == {_CONTEMPT}:
        return (
            f"{_have(unknown[_CONTEMPT])} the label 7, which is contempt in CK+'s and FER+'s "
            "tables and none of the seven expressions. Leave it out with --leave-out contempt, "
            "or say what is meant with --classes 7=disgust. On a page, write 'contempt=' under "
            "Class names."
        )
    first = min(unknown)
    if any(text.isdecimal() for text in unknown) or not first[:1].isalpha():
        return (
            f"the label is '{first}', not a number from 0 (angry) to 6 (neutral). "
            f"{_have(unknown[first])} it. Say what it stands for with --classes {first}=happy, or "
            f"leave it out with --leave-out {first}."
        )
    return f"the label is '{first}'. {advice(unknown)}"


def _have(rows: int) -> str:
    return "One row has" if rows == 1 else f"{count(rows)} rows have"


def _skipped(lines: _Lines) -> list[str]:
    skipped = lines.skipped
    if not skipped:
        return []
    more = f" and {count(skipped - _LISTED)} more" if skipped > _LISTED else ""
    rows = "One row is" if skipped == 1 else f"{count(skipped)} rows are"
    line = "line" if skipped == 1 else "lines"
    told = f"{line} {', '.join(lines.where)}{more}"
    return [f"{rows} empty or a header again, and skipped: {told}."]


def _usage(text: str, where: str) -> str:
    try:
        return usage_name(text)
    except ConfigError as error:
        raise DataError(f"{where}: {error}") from error


def _pixels(text: str, where: str) -> NDArray[np.uint8]:
    try:
        pixels = np.fromstring(text, np.int64, sep=" ")
    except ValueError:
        text = re.sub(r"\.0*(?!\d)", "", text)  # a whole number with a point
        text = re.sub(r"[\[\](),;]", " ", text)  # as Python writes lists
        pixels = np.array([-1])
        if all(map(str.isdecimal, text.split())):
            pixels = np.array(text.split(), np.int64)
    if len(pixels) == PIXELS and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8)
    for value in text.split():
        if not (value.isdecimal() and len(value) <= 3 and int(value) <= 255):
            raise DataError(f"{where}: the pixel '{value}' is not a number from 0 to 255. {_AGAIN}")
    count = len(text.split())
    raise DataError(f"{where}: {count} pixels instead of {PIXELS} (48×48). {_AGAIN}")
