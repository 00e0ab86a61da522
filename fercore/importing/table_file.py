"""Another program's answers as a table: CSV, Parquet, NPZ or NPY, JSON lines; told by content.

Bounded: a file may be an upload. Nothing in it is run: no pickle is read.
"""

import csv
import io
import re
import zipfile
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow import ArrowException
from pyarrow import parquet as pq

from fercore.data.bounds import DAMAGED
from fercore.errors import DataError
from fercore.files import parse_json
from fercore.labels import CLASSES

MAX_BYTES = (
    200 << 20
)  # of a file; FER2013's own CSV, pixels included, has 300 MB: answers have none
MAX_EXPANDED = 400 << 20  # bytes, of what is packed in it
MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 300_000, 3000, 5_000_000
_DELIMITERS = ",;\t|"
_BEGINNINGS = {b"PAR1": "parquet", b"PK\x03\x04": "npz", b"\x93NUMPY": "npy"}
_NAMES = ("classes", "class_names", "labels_order", "order")  # of an array of the seven names
# What pandas, NumPy, PyArrow and the readers below them raise on a file that is damaged.
_UNREADABLE = (
    *DAMAGED, ArrowException, csv.Error, TokenError, SyntaxError, MemoryError, ValueError,
)  # fmt: skip


def read_table(source: Path | bytes, name: str) -> pd.DataFrame:
    """The table, a line for each image, its columns as they are called.

    A block of seven columns without names has the names '0' to '6'. Raises `DataError`.
    """
    content = _content(source, name)
    kind = next((kind for start, kind in _BEGINNINGS.items() if content.startswith(start)), "")
    if content[:1] == b"\x80":
        raise DataError(
            f"{name}: this is a pickle, which can run anything when it is read, and is not read "
            "here. Save the answers as CSV, or with numpy.savez."
        )
    try:
        if kind == "parquet":
            table = _parquet(content, name)
        elif kind:
            table = _arrays(content, name, packed=kind == "npz")
        else:
            table = _text_table(_text(content, name), name)
    except _UNREADABLE as error:
        raise DataError(f"{name}: it cannot be read ({_short(error)}). Save it again.") from error
    if not len(table):
        raise DataError(f"{name}: it holds no line of answers. Save it again.")
    _check_size(len(table), len(table.columns), name)
    return table


def _content(source: Path | bytes, name: str) -> bytes:
    if isinstance(source, Path):
        try:
            size = source.stat().st_size
            content = source.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            raise DataError(f"{source}: it cannot be read ({error.strerror}).") from error
    else:
        size, content = len(source), source
    if size > MAX_BYTES:
        raise DataError(
            f"{name}: larger than {MAX_BYTES >> 20} MB. Answers alone are smaller: leave the "
            "pixels out."
        )
    if not content.strip():
        raise DataError(f"{name}: the file is empty.")
    return content


def _check_size(rows: int, columns: int, name: str) -> None:
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise DataError(
            f"{name}: more than {MAX_ROWS} lines, {MAX_COLUMNS} columns or {MAX_CELLS} cells. Give "
            "the lines of the test images, and of those the answers."
        )


def _parquet(content: bytes, name: str) -> pd.DataFrame:
    file = pq.ParquetFile(io.BytesIO(content))
    about = file.metadata
    _check_size(about.num_rows, about.num_columns, name)
    expanded = (about.row_group(k).total_byte_size for k in range(about.num_row_groups))
    if sum(expanded) > MAX_EXPANDED:
        raise DataError(f"{name}: it expands to more than {MAX_EXPANDED >> 20} MB.")
    return _spread(file.read().to_pylist(), name)


def _arrays(content: bytes, name: str, *, packed: bool) -> pd.DataFrame:
    """NumPy's files: a block (N, 7), or arrays (N,) by name."""
    if packed:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(not member.endswith(".npy") for member in archive.namelist()):
                raise DataError(
                    f"{name}: it is an archive or an Excel workbook, not NumPy's. Save the sheet "
                    "as CSV, or unpack it."
                )
            if sum(member.file_size for member in archive.infolist()) > MAX_EXPANDED:
                raise DataError(f"{name}: it expands to more than {MAX_EXPANDED >> 20} MB.")
        arrays = dict(np.load(io.BytesIO(content), allow_pickle=False))
    else:
        arrays = {"answers": np.load(io.BytesIO(content), allow_pickle=False)}
    names = next((arrays.pop(key) for key in _NAMES if key in arrays), np.arange(len(CLASSES)))
    blocks = {key: array for key, array in arrays.items() if array.ndim == 2}
    if len(blocks) > 1:
        raise DataError(
            f"{name}: several blocks of answers ({', '.join(sorted(blocks))}). Keep one of them."
        )
    columns: dict[str, NDArray[Any]] = {k: a for k, a in arrays.items() if a.ndim == 1}
    for key, block in blocks.items():
        if block.shape[1] != len(names):
            raise DataError(
                f"{name}: '{key}' has {block.shape[1]} columns, not {len(names)}. Keep those of "
                "the seven expressions."
            )
        columns |= {str(title): block[:, k] for k, title in enumerate(names)}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        told = ", ".join(f"{key} {array.shape}" for key, array in sorted(arrays.items()))
        raise DataError(f"{name}: its arrays are not of one length ({told[:200]}).")
    return pd.DataFrame(columns)


def _text(content: bytes, name: str) -> str:
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        raise DataError(
            f"{name}: this is no CSV in UTF-8, Parquet, NPZ or JSON lines. Save it as one of them."
        ) from error
    if "\0" in text:
        raise DataError(f"{name}: this is no text. Save it as CSV, Parquet, NPZ or JSON lines.")
    return text


def _text_table(text: str, name: str) -> pd.DataFrame:
    begins = text.lstrip()[:1]
    if begins in ("{", "["):
        return _json(text, name)
    return _csv(text, name)


def _json(text: str, name: str) -> pd.DataFrame:
    """A JSON object a line, or one list of them."""
    records = []
    if text.lstrip().startswith("["):
        records = parse_json(text)
    else:
        for number, line in enumerate(text.splitlines(), start=1):
            try:
                records += [parse_json(line)] if line.strip() else []
            except ValueError as error:
                raise DataError(
                    f"{name}, line {number}: this is no JSON. One object a line is read."
                ) from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise DataError(f"{name}: one JSON object for each image is read, and this is another.")
    _check_size(len(records), 0, name)
    return _spread(records, name)


def _spread(records: list[dict[str, Any]], name: str) -> pd.DataFrame:
    """A column for each value: of objects in it by their keys, of lists of seven by number."""
    lines = []
    for record in records:
        line: dict[str, Any] = {}
        for key, value in record.items():
            if isinstance(value, dict):
                inner = {str(inner): it for inner, it in value.items()}
            elif isinstance(value, list) and len(value) == len(CLASSES):
                inner = {str(k): it for k, it in enumerate(value)}
            else:
                inner = {str(key): value}
            if line.keys() & inner.keys():
                raise DataError(
                    f"{name}: several blocks of answers, '{key}' one of them. Keep one of them."
                )
            line |= inner
        lines.append(line)
    return pd.DataFrame(lines)


def _csv(text: str, name: str) -> pd.DataFrame:
    lines = text.splitlines()
    above = 0
    while above < len(lines) and (
        not lines[above].strip() or lines[above].lower().startswith("sep=")
    ):
        above += 1
    if above == len(lines):
        raise DataError(f"{name}: it holds no line of answers. Save it again.")
    first = lines[above]
    _check_size(len(lines) - above, first.count(max(_DELIMITERS, key=first.count)) + 1, name)
    delimiter = max(_DELIMITERS, key=first.count)
    header = [cell.strip() for cell in next(csv.reader([first], delimiter=delimiter))]
    named = not all(map(_is_number, header)) or sorted(header) == [str(k) for k in range(7)]
    if named and (twice := [title for title in header if title and header.count(title) > 1]):
        raise DataError(f"{name}: several columns are called '{twice[0]}'. Keep one of them.")
    try:
        table = pd.read_csv(
            io.StringIO(text), sep=delimiter, skiprows=above, header=0 if named else None,
            names=None if named else [str(k) for k in range(len(header))], dtype=str,
            keep_default_na=False, skipinitialspace=True, nrows=MAX_ROWS + 1, index_col=False,
        )  # fmt: skip
    except pd.errors.ParserError as error:
        where = re.search(r"line (\d+)", str(error))
        at = f", line {int(where[1])}" if where else ""
        raise DataError(
            f"{name}{at}: not as many cells as the header has. Repair the line, or save it again."
        ) from error
    table.columns = [str(title).strip() for title in table.columns]
    if delimiter == ";":  # where numbers are written with a comma
        table = table.apply(
            lambda column: column.str.replace(
                r"^(-?\d+),(\d+(?:[eE][+-]?\d+)?)$", r"\1.\2", regex=True
            )
        )
    return table


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
