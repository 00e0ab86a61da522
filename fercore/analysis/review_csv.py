"""Verdicts as a CSV, for other machines and for spreadsheets: written whole, taken over whole."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from fercore.analysis.review import COLUMNS, Verdict, checked, take_over, timestamp, verdicts
from fercore.csv_tables import csv_text, from_text
from fercore.errors import ConfigError, DataError
from fercore.files import replacing
from fercore.wording import count


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
            f"{count(sum(self))} verdicts read: {count(self.new)} new, {count(self.replaced)} in "
            f"place of older ones, {count(self.kept)} passed over because those here are as new."
        )


def import_csv(source: Path | str | IO[bytes]) -> Imported:
    """Take over the verdicts of a CSV that `export_csv` wrote, where they are new or newer.

    All or nothing: raises `DataError`, naming the line, before anything is changed.
    """
    found = _parse(_text_of(source))
    new, replaced = take_over(found)
    return Imported(new, replaced, len(found) - new - replaced)


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
        return timestamp(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"'{text}' is no time with its zone, as 2026-11-22T12:00:00+00:00."
        ) from error
