"""Numbers and tables, the same on every page. Colours: `fercore.figures.colours`."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from fercore.wording import count as count

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

Format = Callable[[Any], str] | str  # of one column's numbers


def readable(table: pd.DataFrame, formats: Mapping[str, Format]) -> "Styler":
    """The table for `st.dataframe`: its numbers in words, still sorted as numbers."""
    return table.style.format({**formats}, na_rep="–")
