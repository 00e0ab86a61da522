"""People's verdicts on labels, kept in a small database.

An image is known by its pixels' hash, so a verdict holds for every copy of the dataset and for
every image with the same pixels. The database lies in the user's data folder; `FERCORE_REVIEWS`
moves it. Several processes may read and write it at once.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import platformdirs
from filelock import FileLock

from fercore.errors import ConfigError, DataError
from fercore.files import writing_to
from fercore.labels import CLASSES
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
    kept = replace(checked(verdict), updated=timestamp(datetime.now(UTC)))
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


def take_over(found: list[Verdict]) -> tuple[int, int]:
    """Keep those that are new or newer than what is kept: how many are new, how many replace one.

    All or nothing.
    """
    with _writing() as connection:
        known = dict(connection.execute("SELECT pixels, updated FROM verdicts"))
        newer = [one for one in found if one.updated > known.get(one.pixels, "")]
        connection.executemany(_REPLACE, map(astuple, newer))
    new = sum(one.pixels not in known for one in newer)
    return new, len(newer) - new


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


def database_path() -> Path:
    folder = os.environ.get("FERCORE_REVIEWS") or platformdirs.user_data_dir("fercore")
    return Path(folder) / "reviews.sqlite"


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
    undone = "The verdicts cannot be used"
    try:
        with writing_to(path.parent, undone, DataError, variable="FERCORE_REVIEWS"):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            with closing(connection):
                _check_schema(connection, path)
                yield connection
    except sqlite3.OperationalError as error:
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


def timestamp(moment: datetime) -> str:
    """Always as long, so that times compare as text."""
    return moment.isoformat(timespec="microseconds")
