"""People's verdicts on labels: kept in a small database, exchanged as CSV, laid over the labels.

An image is known by its pixels' hash, so a verdict holds for every copy of the dataset and for
every image with the same pixels. The database lies in the user's data folder; `FERCORE_REVIEWS`
moves it. Several processes may read and write it at once.
"""

import csv
import hashlib
import io
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pandas as pd
import platformdirs
from filelock import FileLock
from numpy.typing import NDArray

from fercore.csv_tables import csv_text, from_text
from fercore.data import FaceSet, face_set
from fercore.errors import ConfigError, DataError
from fercore.files import replacing
from fercore.labels import CLASSES
from fercore.scoring.evaluation import macro_f1
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import Interval, wilson_interval
from fercore.shapes import misfit, text, whole

SCHEMA = 1
BUSY_SECONDS = 30  # how long one writer waits for another
NOTE_LENGTH = 500  # characters
VERDICTS = {
    "right": "Label right",
    "wrong": "Label wrong",
    "ambiguous": "Ambiguous",
    "unusable": "Not a usable face",
}


@dataclass(frozen=True)
class Verdict:
    """What a person says about one image's label.

    pixels: the image's hash (`FaceSet.pixel_hashes`). row: its row in the source. dataset: its
    name. label: the class given. verdict: a key of `VERDICTS`. should_be: the class it should be,
    '' unless the label is wrong. note: at most `NOTE_LENGTH` characters. updated: UTC, ISO form;
    set by `save`.
    """

    pixels: int
    row: int
    dataset: str
    label: str
    verdict: str
    should_be: str = ""
    note: str = ""
    updated: str = ""


COLUMNS = [field.name for field in fields(Verdict)]
_NUMBER = whole(-(2**63), 2**63 - 1)
_SHAPE = dict.fromkeys(COLUMNS, text) | {"pixels": _NUMBER, "row": _NUMBER}
_TABLE = """CREATE TABLE verdicts (
    pixels INTEGER PRIMARY KEY, row INTEGER NOT NULL, dataset TEXT NOT NULL, label TEXT NOT NULL,
    verdict TEXT NOT NULL, should_be TEXT NOT NULL, note TEXT NOT NULL, updated TEXT NOT NULL
)"""
_REPLACE = f"REPLACE INTO verdicts VALUES ({', '.join('?' * len(COLUMNS))})"


def checked(verdict: Verdict) -> Verdict:
    """`verdict`, if it may be kept; raises `ConfigError` otherwise."""
    if verdict.verdict not in VERDICTS:
        raise ConfigError(f"Choose a verdict: {', '.join(VERDICTS)}.")
    for name in {verdict.label, verdict.should_be or verdict.label}:
        if name not in CLASSES:
            raise ConfigError(f"'{name}' is not one of the expressions: {', '.join(CLASSES)}.")
    if verdict.verdict == "wrong" and not verdict.should_be:
        raise ConfigError("Where the label is wrong, say which expression it should be.")
    if verdict.verdict != "wrong" and verdict.should_be:
        raise ConfigError("Only where the label is wrong can it be said what it should be.")
    if verdict.should_be == verdict.label:
        raise ConfigError(f"A label that should be {verdict.label}, as it is, is not wrong.")
    if len(verdict.note) > NOTE_LENGTH:
        raise ConfigError(f"The note has {len(verdict.note)} characters; {NOTE_LENGTH} fit.")
    if not -(2**63) <= verdict.pixels < 2**63 or not 0 <= verdict.row < 2**63:
        raise ConfigError("The image's hash or row is out of range.")
    return verdict


def save(verdict: Verdict) -> Verdict:
    """Keep `verdict` in place of an earlier one on the same pixels; return it with its time.

    Raises `ConfigError` where it contradicts itself, `DataError` where it cannot be written.
    """
    kept = replace(checked(verdict), updated=_timestamp(datetime.now(UTC)))
    with _writing() as connection:
        connection.execute(_REPLACE, astuple(kept))
    return kept


def remove(pixels: int) -> None:
    """Forget the verdict on these pixels, if there is one."""
    with _writing() as connection:
        connection.execute("DELETE FROM verdicts WHERE pixels = ?", (int(pixels),))


def find(pixels: int) -> Verdict | None:
    """The verdict on these pixels."""
    found = _read("WHERE pixels = ?", [int(pixels)])
    return found[0] if found else None


def verdicts(*, verdict: str | None = None, label: str | None = None) -> pd.DataFrame:
    """Every verdict, newest first, or those of one kind or on one label.

    Columns as the fields of `Verdict`; pixels and row int64.
    """
    wanted = {"verdict": verdict, "label": label}
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in given) or "1"
    rows = _read(f"WHERE {where} ORDER BY updated DESC, pixels", list(given.values()))
    table = pd.DataFrame(map(astuple, rows), columns=COLUMNS)
    return table.astype({"pixels": np.int64, "row": np.int64})


def checked_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table of verdicts, as `verdicts` gives it. Raises `DataError` for any other."""
    if missing := [name for name in COLUMNS if name not in table]:
        raise DataError(f"The table of verdicts has no column '{missing[0]}'.")
    for values in table[COLUMNS].astype(object).itertuples(index=False):
        _stored(values)
    return table


def _stored(values: tuple[Any, ...]) -> Verdict:
    """A verdict that was kept. Raises `DataError` where it is damaged."""
    verdict = Verdict(*values)
    try:
        if misfit(asdict(verdict), _SHAPE):
            raise ConfigError("Its values are of other kinds.")
        return checked(verdict)
    except ConfigError as error:
        raise DataError(
            f"The verdict on the image {ascii(verdict.pixels)[:40]} is damaged. {error}"
        ) from error


def export_csv(target: Path | str | IO[str]) -> int:
    """Write every verdict to a file or a text stream; return their number.

    Hashes are written in hexadecimal, and a text that a spreadsheet would compute ('=…') behind
    an apostrophe: a spreadsheet gives back what it was given.
    """
    table = verdicts()
    text = csv_text(table)
    if not isinstance(target, Path | str):
        target.write(text)
        return len(table)
    try:
        with replacing(Path(target)) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise DataError(f"{target} cannot be written: {error.strerror}.") from error
    return len(table)


class Imported(NamedTuple):
    """How many verdicts a file brought: new, in place of older ones, and no newer than what is."""

    new: int
    replaced: int
    kept: int

    @property
    def sentence(self) -> str:
        return (
            f"{sum(self)} verdicts read: {self.new} new, {self.replaced} in place of older ones, "
            f"{self.kept} passed over because those here are as new."
        )


def import_csv(source: Path | str | IO[bytes]) -> Imported:
    """Take over the verdicts of a CSV that `export_csv` wrote, where they are new or newer.

    All or nothing: raises `DataError`, naming the line, before anything is changed.
    """
    found = _parse(_text_of(source))
    with _writing() as connection:
        known = dict(connection.execute("SELECT pixels, updated FROM verdicts"))
        newer = [one for one in found if one.updated > known.get(one.pixels, "")]
        connection.executemany(_REPLACE, map(astuple, newer))
    new = sum(one.pixels not in known for one in newer)
    return Imported(new, len(newer) - new, len(found) - len(newer))


class Scores(NamedTuple):
    """`accuracy` with its Wilson interval, and `macro_f1`, from 0 to 1; NaN without images."""

    n: int
    accuracy: float
    interval: Interval
    macro_f1: float


class Rescored(NamedTuple):
    """A model's scores on the labels as stored and with verdicts; images relabelled, left out."""

    stored: Scores
    reviewed: Scores
    relabelled: int
    left_out: int


def rescore(predictions: Predictions, verdicts: pd.DataFrame) -> Rescored:
    """The scores of one prediction table with and without the verdicts applied."""
    labels, keep = _overlay(predictions.pixels, predictions.labels, verdicts)
    return Rescored(
        _scores(predictions),
        _scores(apply_verdicts(predictions, verdicts)),
        relabelled=int((labels != predictions.labels)[keep].sum()),
        left_out=int((~keep).sum()),
    )


def apply_verdicts(predictions: Predictions, verdicts: pd.DataFrame) -> Predictions:
    """The table with wrong labels replaced, without ambiguous and unusable images.

    `verdicts` as `verdicts()` returns it. Images with the same pixels share the verdict.
    """
    labels, keep = _overlay(predictions.pixels, predictions.labels, verdicts)
    return Predictions(
        predictions.rows[keep], predictions.pixels[keep], labels[keep], predictions.probs[keep]
    )


def apply_to_training(faces: FaceSet, verdicts: pd.DataFrame) -> FaceSet:
    """`faces` with the verdicts laid over its Training images; the test usages stay as they are.

    Wrong labels are replaced, ambiguous and unusable images left out; the result has a fingerprint
    of its own and a note. `faces` itself where no Training image is touched.
    """
    training = np.flatnonzero(faces.usage == "Training")
    pixels = faces.part("Training").pixel_hashes()
    labels, keep = faces.labels.copy(), np.ones(len(faces), bool)
    labels[training], keep[training] = _overlay(pixels, faces.labels[training], verdicts)
    relabelled, left_out = int((labels != faces.labels)[keep].sum()), int((~keep).sum())
    if not relabelled and not left_out:
        return faces
    note = (
        f"Verdicts {verdicts_hash(verdicts)} on Training: {relabelled} images relabelled, "
        f"{left_out} left out."
    )
    return face_set(
        faces.name,
        faces.images[keep],
        labels[keep],
        faces.usage[keep],
        row=faces.row[keep],
        source=faces.source,
        notes=(*faces.notes, note),
    )


def verdicts_hash(verdicts: pd.DataFrame) -> str:
    """16 hexadecimal digits, equal where two tables change the same images in the same way.

    Order, notes, times and labels found right do not matter.
    """
    changing = verdicts.loc[verdicts["verdict"] != "right", ["pixels", "verdict", "should_be"]]
    lines = sorted(",".join(map(str, row)) for row in changing.itertuples(index=False))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def database_path() -> Path:
    folder = os.environ.get("FERCORE_REVIEWS") or platformdirs.user_data_dir("fercore")
    return Path(folder) / "reviews.sqlite"


def _overlay(
    pixels: NDArray[np.int64], labels: NDArray[np.int64], verdicts: pd.DataFrame
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The labels (N,) with wrong ones replaced, and which images (N,) to keep."""
    if verdicts["pixels"].duplicated().any():
        raise DataError("An image has two verdicts. Keep one of them.")
    position = pd.Index(verdicts["pixels"]).get_indexer(pixels)
    said = np.append(verdicts["verdict"].to_numpy(object), "")[position]  # '' where none, at -1
    should_be = np.append(verdicts["should_be"].to_numpy(object), "")[position]
    labels, wrong = labels.copy(), said == "wrong"
    labels[wrong] = [CLASSES.index(name) for name in should_be[wrong]]
    return labels, (said != "ambiguous") & (said != "unusable")


def _scores(predictions: Predictions) -> Scores:
    right, n = int(predictions.correct.sum()), len(predictions)
    if n == 0:
        return Scores(0, float("nan"), wilson_interval(0, 0), float("nan"))
    return Scores(n, right / n, wilson_interval(right, n), macro_f1(predictions))


def _read(condition: str, values: list[object]) -> list[Verdict]:
    """Stored verdicts; none where there is no database yet."""
    path = database_path()
    if not path.exists():
        return []
    with _readable(path) as copy, _database(copy) as connection:
        query = f"SELECT {', '.join(COLUMNS)} FROM verdicts {condition}"
        rows = connection.execute(query, values).fetchall()
    try:
        return [_stored(row) for row in rows]
    except DataError as error:
        raise DataError(
            f"{path}: {error} Restore the file, move it away, or set FERCORE_REVIEWS to another "
            "folder."
        ) from error


@contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """The database, or a copy where nothing may be written beside it: SQLite would have to."""
    if os.access(path.parent, os.W_OK):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="fercore-") as folder:
        for part in (path, path.with_name(f"{path.name}-wal")):
            with suppress(FileNotFoundError):
                shutil.copyfile(part, Path(folder) / part.name)
        yield Path(folder) / path.name


@contextmanager
def _writing() -> Iterator[sqlite3.Connection]:
    """The one way to change the database: a transaction that alone may write, kept or undone."""
    with _database(database_path()) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            yield connection


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of its own for each use: no thread or process shares one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        with closing(connection):
            _check_schema(connection, path)
            yield connection
    except (sqlite3.OperationalError, OSError) as error:
        raise DataError(
            f"The verdicts in {path} cannot be used: {error}. Check the disk and its permissions, "
            "or set FERCORE_REVIEWS to another folder."
        ) from error
    except sqlite3.DatabaseError as error:
        raise DataError(_FOREIGN.format(path)) from error


_FOREIGN = (
    "{} is damaged, or no database of verdicts. Restore it, move it away, or set FERCORE_REVIEWS "
    "to another folder."
)


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Create the table in an empty database; raise `DataError` for a format that is not ours."""
    if _version(connection) == 0:
        # SQLite does not wait for its turn to switch to write-ahead logging: a lock does.
        with FileLock(path.with_suffix(".lock"), timeout=BUSY_SECONDS):
            if _version(connection) == 0:
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                    raise DataError(_FOREIGN.format(path))
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(
                    f"BEGIN; {_TABLE}; PRAGMA user_version = {SCHEMA}; COMMIT;"
                )
    version = _version(connection)
    if version != SCHEMA:
        raise DataError(
            f"The verdicts in {path} are in format {version}, and this version of fercore reads "
            f"{SCHEMA}. Update fercore."
        )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _text_of(source: Path | str | IO[bytes]) -> str:
    try:
        content = Path(source).read_bytes() if isinstance(source, Path | str) else source.read()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError("This file is no CSV in UTF-8. Export it again.") from error


def _parse(text: str) -> list[Verdict]:
    """The verdicts of a CSV. Raises `DataError` with the number of the first bad line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: dict[int, Verdict] = {}
    line = 1
    try:
        header = next(reader, [])
        if missing := [name for name in COLUMNS if name not in header]:
            raise ConfigError(f"it should name the columns; {', '.join(missing)} not found.")
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                verdict = _from_cells(header, cells)
                if verdict.pixels in found:
                    raise ConfigError("This image has a verdict on an earlier line.")
                found[verdict.pixels] = verdict
            line = reader.line_num + 1
    except (ConfigError, csv.Error) as error:
        raise DataError(f"Line {line}: {str(error).rstrip('.')}. Nothing was imported.") from error
    return list(found.values())


def _from_cells(header: list[str], cells: list[str]) -> Verdict:
    if len(cells) != len(header):
        raise ConfigError(f"There are {len(cells)} fields, and {len(header)} columns.")
    record = {name: cell for name, cell in zip(header, cells) if name in COLUMNS}
    if not re.fullmatch("0x[0-9a-f]{16}", record["pixels"]):
        raise ConfigError(f"'{record['pixels']}' is no image hash, as 0x0123456789abcdef.")
    if not re.fullmatch("[0-9]{1,18}", record["row"]):
        raise ConfigError(f"'{record['row']}' is no row number.")
    unsigned = int(record["pixels"], 16)
    verdict = Verdict(
        pixels=unsigned - 2**64 if unsigned >= 2**63 else unsigned,
        row=int(record["row"]),
        dataset=from_text(record["dataset"]),
        label=record["label"],
        verdict=record["verdict"],
        should_be=record["should_be"],
        note=from_text(record["note"]),
        updated=_utc(record["updated"]),
    )
    return checked(verdict)


def _utc(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return _timestamp(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"'{text}' is no time with its zone, as 2026-11-22T12:00:00+00:00."
        ) from error


def _timestamp(moment: datetime) -> str:
    """Always as long, so that times compare as text."""
    return moment.isoformat(timespec="microseconds")
