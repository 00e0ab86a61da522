"""How commands print: a table for people, or JSON with --json."""

import json
import math
import sys
from collections.abc import Iterable

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fercore.wording import number, signed

PIPED_WIDTH = 240  # columns; a file or another program has no edge to wrap at


def print_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def json_records(table: pd.DataFrame) -> list[dict[str, object]]:
    """A table's lines as JSON has them: None where a value is missing, every digit kept."""
    lines: list[dict[str, object]] = json.loads(
        table.to_json(orient="records", double_precision=15)
    )
    return lines


def print_table(columns: list[str], rows: Iterable[Iterable[object]], *, title: str = "") -> None:
    """The first column to the left, the others to the right."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def percent(share: float | None) -> str:
    return "–" if share is None or math.isnan(share) else number(100 * share)


def with_interval(share: float | None, bounds: Iterable[float]) -> str:
    """'63.2 [61.6, 64.8]', in percent; a dash for an unknown one."""
    low, high = bounds
    known = percent(share)
    return known if known == "–" else f"{known} [{percent(low)}, {percent(high)}]"


def points(difference: float, bounds: Iterable[float]) -> str:
    """'+1.4 [+0.2, +2.6]', in points; a dash for an unknown one."""
    low, high = bounds
    if math.isnan(difference):
        return "–"
    return f"{signed(100 * difference)} [{signed(100 * low)}, {signed(100 * high)}]"
