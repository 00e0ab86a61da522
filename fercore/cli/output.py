"""How commands print: a table for people, or JSON with --json."""

import json
import math
import sys
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fercore import wording
from fercore.scoring.predictions import PARTS
from fercore.wording import UNKNOWN, bounds_of, breakable, in_percent, in_points, points_interval

PIPED_WIDTH = 240  # columns; a file or another program has no edge to wrap at


def print_json(value: object) -> None:
    """JSON as its standard has it: null for a number that is not known or has no bound."""
    print(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False))


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_records(table: pd.DataFrame) -> list[dict[str, object]]:
    """A table's lines as JSON has them: None where a value is missing, every digit kept."""
    lines: list[dict[str, object]] = json.loads(
        table.to_json(orient="records", double_precision=15)
    )
    return lines


def print_table(columns: list[str], rows: Iterable[Iterable[object]]) -> None:
    """The first column to the left, in several lines where it is long, the others to the right."""
    table = Table(box=None, pad_edge=False)
    for index, name in enumerate(columns):
        if index:
            table.add_column(name, justify="right", no_wrap=True)
        else:
            table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def print_metrics(metrics: dict[str, Any]) -> None:
    """Headline metrics of each part, in percent."""
    print_table(
        ["images", "n", "accuracy %", "macro F1 %", "weighted F1 %", "macro AUC %"],
        [
            [
                PARTS.get(part, part),
                scores["n"],
                with_interval(scores["accuracy"], scores["accuracy_interval"]),
                with_interval(scores["macro_f1"], scores["macro_f1_interval"]),
                in_percent(scores["weighted_f1"]),
                in_percent(scores["macro_auc"]),
            ]
            for part, scores in metrics.items()
        ],
    )


def with_interval(share: float | None, bounds: tuple[float, float]) -> str:
    """'63.2 [61.6, 64.8]', in percent; a dash for an unknown one."""
    return breakable(wording.with_interval(share, bounds))


def difference(line: Mapping[Hashable, Any]) -> str:
    """'+1.4 [+0.2, +2.6]', in points, of a table's line; a dash for an unknown one."""
    bounds = bounds_of(line, "difference")
    known = in_points(line["difference"])
    return known if known == UNKNOWN else breakable(f"{known} {points_interval(bounds)}")
