"""What groups score, in one table. It takes seconds for many of them, so it is kept."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from fercore.data.kept import kept
from fercore.errors import RunError
from fercore.files import file_stamp
from fercore.groups.group import Group
from fercore.scoring.grouped.comparison import accuracy_interval

_PARTS = ("private", "public")


def group_accuracies(groups: Iterable[Group]) -> pd.DataFrame:
    """A line for each group and 'private' and 'public'.

    Columns: group, part; accuracy, the mean over its seeds, and accuracy_low and accuracy_high, its
    95 % interval for new seeds and images; NaN where it was not scored or cannot be read.
    """
    found = list(groups)
    inputs = [each for group in found for each in _inputs(group)]
    return kept("group-accuracies", inputs, lambda: {"lines": _table(found)})["lines"]


def _inputs(group: Group) -> Iterator[str]:
    yield str(group.identity)
    for run in group.members:
        yield from map(file_stamp, sorted(run.folder.glob("*.parquet")))


def _table(groups: Iterable[Group]) -> pd.DataFrame:
    lines = [(group.name, part, *_scored(group, part)) for group in groups for part in _PARTS]
    names = ["group", "part", "accuracy", "accuracy_low", "accuracy_high"]
    return pd.DataFrame(lines, columns=names)


def _scored(group: Group, part: str) -> tuple[float, float, float]:
    try:
        table = group.predictions(part)
    except RunError:
        return np.nan, np.nan, np.nan
    return float(table.correct.mean()), *accuracy_interval(table)
