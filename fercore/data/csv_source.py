"""FER2013 as a CSV: `fer2013.csv` and `icml_face_data.csv`, columns told apart by their names."""

import csv
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from fercore.errors import ConfigError, DataError
from fercore.labels import CLASSES, SIZE, usage_name

_LABELS = {str(index) for index in range(len(CLASSES))}
COLUMNS = ("emotion", "pixels", "usage")
PIXELS = SIZE * SIZE
MAX_LINE = 64 << 10  # bytes; a row of FER2013 has at most 9.3 kB


def read_csv(stream: BinaryIO, name: str, *, progress: Callable[[int], None] | None = None):
    """Images uint8 (N, 48, 48), labels int64 (N,) and usage (N,), in the file's order.

    Raises `DataError` naming the file, the row (its line, the header being line 1) and the remedy.
    `progress` is called with the number of rows read so far.
    """
    rows = csv.reader(_lines(stream, name), skipinitialspace=True)
    try:
        order = _columns(next(rows, []), name)
        images, labels, usage = [], [], []
        for cells in rows:
            if not cells:
                continue
            where = f"{name}, line {rows.line_num}"
            if len(cells) != len(order):
                raise DataError(f"{where}: {len(cells)} columns instead of {len(order)}. {_AGAIN}")
            row = dict(zip(order, cells, strict=True))
            labels.append(_label(row["emotion"], where))
            usage.append(_usage(row["usage"], where))
            images.append(_pixels(row["pixels"], where))
            if progress and len(labels) % 500 == 0:
                progress(len(labels))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{name}: this is not a text file with comma-separated values.") from error
    if not labels:
        raise DataError(f"{name}: the file has a header but no rows. {_AGAIN}")
    return np.stack(images).reshape(-1, SIZE, SIZE), labels, usage


_AGAIN = "Repair the row, or download the file again."


def _lines(stream: BinaryIO, name: str) -> Iterator[str]:
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise DataError(f"{name}, line {number}: longer than any row of FER2013. {_AGAIN}")
        yield line.decode("utf-8-sig" if number == 1 else "utf-8")


def _columns(header: list[str], name: str) -> list[str]:
    order = [column.strip().lower() for column in header]
    missing = [column for column in COLUMNS if column not in order]
    if missing:
        raise DataError(
            f"{name}, line 1: no column {' and no column '.join(map(repr, missing))}. "
            "Expected the header 'emotion,pixels,Usage' of fer2013.csv or icml_face_data.csv."
        )
    return order


def _label(text: str, where: str) -> int:
    if text.strip() not in _LABELS:
        raise DataError(
            f"{where}: the label is '{text}', not a number from 0 (angry) to 6 (neutral). {_AGAIN}"
        )
    return int(text)


def _usage(text: str, where: str) -> str:
    try:
        return usage_name(text)
    except ConfigError as error:
        raise DataError(f"{where}: {error}") from error


def _pixels(text: str, where: str) -> np.ndarray:
    try:
        pixels = np.fromstring(text, np.int64, sep=" ")
    except ValueError:
        pixels = np.array([-1])
    if len(pixels) == PIXELS and pixels.min() >= 0 and pixels.max() <= 255:
        return pixels.astype(np.uint8)
    for value in text.split():
        if not (value.isdecimal() and len(value) <= 3 and int(value) <= 255):
            raise DataError(f"{where}: the pixel '{value}' is not a number from 0 to 255. {_AGAIN}")
    count = len(text.split())
    raise DataError(f"{where}: {count} pixels instead of {PIXELS} (48×48). {_AGAIN}")
