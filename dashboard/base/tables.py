"""Tables for people, the same on every page."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from fercore.wording import UNKNOWN, count

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

Format = Callable[[Any], str] | str  # of one column's numbers


def readable(table: pd.DataFrame, formats: Mapping[str, Format] = MappingProxyType({})) -> "Styler":
    """The table for `st.dataframe`: its numbers in words, whole ones as counts unless `formats`
    says otherwise; still sorted as numbers.
    """
    counts: dict[str, Format] = dict.fromkeys(map(str, table.select_dtypes("integer")), count)
    return table.style.format({**counts, **formats}, na_rep=UNKNOWN)
