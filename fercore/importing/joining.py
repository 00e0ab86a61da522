"""Which test image each line of a table is about: by row, by pixels, by file name, by position."""

import hashlib
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.errors import ConfigError, DataError
from fercore.importing.answers import lines_where, numbers
from fercore.importing.images import TestImages
from fercore.labels import SIZE, USAGES, usage_name
from fercore.wording import count

_ROWS = {"row", "rows", "index", "idx", "id", "image_id", "row_id", "sample", "sample_id"}
_FILES = {"file", "files", "filename", "file_name", "path", "image", "img", "image_path", "name"}
_PIXELS = {"pixels", "pixel", "hash", "pixel_hash"}
_USAGES = {"usage", "split", "set", "part", "subset"}
TELLING_IMAGES = frozenset(_ROWS | _FILES | _PIXELS | _USAGES)  # columns that say which image it is
_HEXADECIMAL = re.compile(r"0x[0-9a-f]{16}")
_NUMBER = re.compile(r"(\d+)$")


class Joined(NamedTuple):
    """place: int64 (N,), of each line its image's place in the table of test images, -1 for a
    Training image's and any other. by: how, for people. certain: whether it says itself of which
    images it is; by position nothing does.
    """

    place: NDArray[np.int64]
    by: str
    certain: bool = True


def candidates(table: pd.DataFrame, images: TestImages, name: str) -> list[Joined]:
    """How the lines can be joined: one way, or where nothing tells, one for each usage that fits.

    Raises `DataError` where there is none.
    """
    titles = {str(title).strip().lower(): title for title in table.columns}
    usage = _usages(table, titles, name)

    def column(names: set[str]) -> pd.Series | None:
        return next((table[titles[each]] for each in titles if each in names), None)

    ways: list[tuple[set[str], Callable[..., Joined | None]]] = [
        (_PIXELS, _by_pixels), (_ROWS, _by_row), (_FILES, _by_file),
    ]  # fmt: skip
    for names, way in ways:
        given = column(names)
        if given is not None and (found := way(given, usage, images, name)):
            return [found]
    return _by_position(len(table), usage, images, name)


def _usages(table: pd.DataFrame, titles: dict[str, str], name: str) -> NDArray[np.str_] | None:
    """What a column says of each line's part, in FER2013's words; None where there is none."""
    title = next((titles[each] for each in titles if each in _USAGES), None)
    if title is None:
        return None
    words = table[title].astype(str)
    try:
        known = {word: usage_name(word) for word in words.unique()}
    except ConfigError as error:
        raise DataError(f"{name}: in its column '{title}', {error}") from error
    return words.map(known).to_numpy(str)


def _by_pixels(
    given: pd.Series, usage: NDArray[np.str_] | None, images: TestImages, name: str
) -> Joined | None:
    """By hashes, decimal or as 0x0123456789abcdef, or by the pixels themselves."""
    hashes = _hashes(given)
    if hashes is None:
        return None
    # Copies have one hash: the k-th line of it is of the k-th image of it.
    lines = pd.DataFrame({"pixels": hashes, "usage": "" if usage is None else usage})
    known = images.frame[["pixels", "usage"]].assign(place=np.arange(len(images.frame)))
    keys = ["pixels"] if usage is None else ["pixels", "usage"]
    for frame in (lines, known):
        frame["turn"] = frame.groupby(keys).cumcount()
    found = lines.merge(known, on=[*keys, "turn"], how="left")["place"]
    place = found.fillna(-1).to_numpy(np.int64)
    if not (place >= 0).any():
        raise DataError(
            f"{name}: none of its pixels are those of {images.name}'s test images. Copies in JPEG "
            "have other pixels: join by 'row', or name that copy with --data."
        )
    once_more = (place < 0) & np.isin(hashes, images.frame["pixels"])
    if doubled := lines_where(once_more):
        raise DataError(f"{name}: {doubled}: more lines of one image than there are copies of it.")
    return Joined(place, "the pixels' hash")


def _hashes(given: pd.Series) -> NDArray[np.int64] | None:
    if pd.api.types.is_integer_dtype(given):
        return given.to_numpy(np.int64)
    text = given.astype(str).str.strip().str.lower()
    if text.map(lambda cell: bool(_HEXADECIMAL.fullmatch(cell))).all():
        return np.array([int(cell, 16) for cell in text], np.uint64).astype(np.int64)
    if text.str.fullmatch(r"-?\d{6,20}").all():
        return np.array([int(cell) % 2**64 for cell in text], np.uint64).astype(np.int64)
    drawn = [np.array(cell.split(), dtype=object) for cell in text.head(1)]
    if not drawn or len(drawn[0]) != SIZE * SIZE:
        return None
    digests = b"".join(_hash_of(cell) for cell in text)
    return np.frombuffer(digests, "<i8").copy()


def _hash_of(pixels: str) -> bytes:
    """As `FaceSet.pixel_hashes`, of '70 80 82 …'."""
    try:
        values = np.array(pixels.split(), np.int64)
    except ValueError:
        values = np.array([], np.int64)
    fits = len(values) == SIZE * SIZE and values.min() >= 0 and values.max() <= 255
    return hashlib.blake2b(
        values.astype(np.uint8).tobytes() if fits else b"", digest_size=8
    ).digest()


def _by_row(
    given: pd.Series, usage: NDArray[np.str_] | None, images: TestImages, name: str
) -> Joined | None:
    """By the row in the original table; None where the numbers count the lines alone."""
    figures = numbers(given)
    if not np.isfinite(figures).all() or (figures != np.round(figures)).any():
        return None
    rows = figures.astype(np.int64)
    frame = images.frame
    found = pd.Index(frame["row"]).get_indexer(pd.Index(rows))
    if usage is not None:
        said = frame["usage"].to_numpy(str)[found]
        fits = (found >= 0) & (said == usage)
        if fits.any() or not (rows < len(frame)).all():
            _refuse_elsewhere((found >= 0) & ~fits, name)
            return Joined(found, "row")
        return _within_usage(rows, usage, images)
    counting = np.array_equal(rows - rows.min(), np.arange(len(rows))) and rows.min() in (0, 1)
    if counting and (len(rows) < images.images_in_all or rows.min() == 1):
        return None
    if not (found >= 0).any():
        raise DataError(
            f"{name}: its rows ({rows.min()} to {rows.max()}) are none of {images.name}'s test "
            f"images ({frame['row'].min()} to {frame['row'].max()}). Count them as the original "
            "table does, Training included and from 0; or add a column 'usage', and they are taken "
            "for places within it."
        )
    return Joined(found, "row")


def _refuse_elsewhere(odd: NDArray[np.bool_], name: str) -> None:
    if lines := lines_where(odd):
        raise DataError(
            f"{name}: {lines}: the row is in another part than its column of usages says. Count "
            "rows as the original table does, or leave that column out."
        )


def _within_usage(places: NDArray[np.int64], usage: NDArray[np.str_], images: TestImages) -> Joined:
    """Rows that begin anew in each usage."""
    found = np.full(len(places), -1)
    of_known = images.frame["usage"].to_numpy(str)
    for part in USAGES[1:]:
        there = np.flatnonzero(of_known == part)
        asked = (usage == part) & (places >= 0) & (places < len(there))
        found[asked] = there[places[asked]]
    return Joined(found, "place within the usage", certain=False)


def _by_file(
    given: pd.Series, usage: NDArray[np.str_] | None, images: TestImages, name: str
) -> Joined | None:
    """By a file's name in the tree, else by the number and the usage that it names."""
    paths = [PurePosixPath(str(path).strip().replace("\\", "/")) for path in given]
    if images.file_rows:
        rows = [
            images.file_rows.get(path.name, images.file_rows.get(str(path), -1)) for path in paths
        ]
        found = pd.Index(images.frame["row"]).get_indexer(pd.Index(rows))
        if (found >= 0).any():
            return Joined(found, "file name")
    numbers_in = [_NUMBER.search(path.stem) for path in paths]
    if not all(numbers_in):
        return None if not any(numbers_in) and not images.file_rows else _no_files(name, images)
    rows_in = pd.Series([int(found[1]) for found in numbers_in if found])
    told = [next((part for part in USAGES if part in str(path)), "") for path in paths]
    if all(told):
        usage = np.array(told)
    joined = None
    if rows_in.max() < images.images_in_all:
        joined = _by_row(rows_in, usage, images, name)
    return (
        joined._replace(by=f"file name, its number as {joined.by}")
        if joined
        else _no_files(name, images)
    )


def _no_files(name: str, images: TestImages) -> Joined:
    raise DataError(
        f"{name}: its file names do not say which of {images.name}'s images they are. Give the "
        "folder of these files with --data, or add a column 'row'."
    )


def _by_position(
    n: int, usage: NDArray[np.str_] | None, images: TestImages, name: str
) -> list[Joined]:
    """The lines in the order of the images: of all, of both test parts, or of one."""
    frame = images.frame
    if usage is not None:
        turn = np.asarray(pd.Series(usage).groupby(usage).cumcount(), np.int64)
        for part in USAGES[1:]:
            given, known = int((usage == part).sum()), images.in_usage(part)
            if given not in (0, known):
                raise DataError(f"{name}: {_too_few(given, part, known)}")
        return [_within_usage(turn, usage, images)]
    if n == images.images_in_all != len(frame):
        rows = pd.Index(frame["row"]).get_indexer(pd.RangeIndex(n))
        return [Joined(rows, "position in the whole dataset", certain=False)]
    if n == len(frame):
        by = "position, PublicTest's images first" if frame["usage"].nunique() > 1 else "position"
        return [Joined(np.arange(n), by, certain=False)]
    fitting = [
        Joined(
            np.flatnonzero((frame["usage"] == part).to_numpy()),
            f"position in {part}",
            certain=False,
        )
        for part in USAGES[1:]
        if images.in_usage(part) == n
    ]
    if not fitting:
        parts = " and ".join(f"{count(images.in_usage(part))} of {part}" for part in USAGES[1:])
        raise DataError(
            f"{name}: {count(n)} lines without a column that says of which images, where "
            f"{images.name} has {parts}. Add a column 'row', the row in the original table, "
            "or 'usage'."
        )
    return fitting


def _too_few(given: int, part: str, known: int) -> str:
    return (
        f"{count(given)} lines are of {part}, which has {count(known)} images, and nothing says of "
        "which. Add a column 'row', the row in the original table."
    )
