"""Numbers in words, the same on the command line and on every page.

A negative number has a real minus, which no browser breaks a line after; a zero has no sign.
"""

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MINUS, NO_BREAK = "\u2212", "\u00a0"
NO_BREAK_HYPHEN = "\u2011"
UNKNOWN = "–"


def number(value: float, places: int = 1) -> str:
    """Rounded.

    >>> number(63.24), number(-0.46), number(-0.04)
    ('63.2', '−0.5', '0.0')
    """
    text = f"{abs(value):.{places}f}"
    return f"{MINUS}{text}" if value < 0 and float(text) else text


def signed(value: float, places: int = 1) -> str:
    """Rounded, a plus before what is above zero.

    >>> signed(1.42), signed(-0.4), signed(-0.4, 0), signed(0.04)
    ('+1.4', '−0.4', '0', '0.0')
    """
    text = number(value, places)
    return f"+{text}" if value > 0 and float(text) else text


def percent(share: float | None, places: int = 1) -> str:
    """'63.2 %', never broken into two lines; a dash for an unknown one."""
    return _with_unit(in_percent(share, places), "%")


def in_percent(share: float | None, places: int = 1) -> str:
    """'63.2', where a table's head or the words around it name the unit; else as `percent`."""
    return UNKNOWN if share is None or math.isnan(share) else number(100 * share, places)


def bounds_of(line: "Mapping[Hashable, Any] | pd.Series[Any]", name: str) -> tuple[float, float]:
    """A figure's interval in a table's line, as the functions here take one."""
    return line[f"{name}_low"], line[f"{name}_high"]


def bounds_in(table: "pd.DataFrame", name: str) -> list[tuple[float, float]]:
    """`bounds_of` each of a table's lines."""
    return list(zip(table[f"{name}_low"], table[f"{name}_high"], strict=True))


def interval(bounds: tuple[float, float]) -> str:
    """'[61.6, 64.8]', in percent, in one piece; a dash for an unknown one."""
    low, high = bounds
    return UNKNOWN if math.isnan(low) else f"[{in_percent(low)},{NO_BREAK}{in_percent(high)}]"


def with_interval(share: float | None, bounds: tuple[float, float]) -> str:
    """'63.2 [61.6, 64.8]', in percent; a dash for an unknown one."""
    known = in_percent(share)
    return known if known == UNKNOWN else f"{known} {interval(bounds)}"


def points(difference: float) -> str:
    """A difference of two shares with its sign: '+1.4 points'; a dash for an unknown one."""
    return _with_unit(in_points(difference), "points")


def in_points(difference: float) -> str:
    """'+1.4', where a table's head or the words around it name the unit; else as `points`."""
    return UNKNOWN if math.isnan(difference) else signed(100 * difference)


def points_interval(bounds: tuple[float, float]) -> str:
    """'[+0.2, +2.6]', in points, in one piece; a dash for an unknown one."""
    low, high = bounds
    return UNKNOWN if math.isnan(low) else f"[{in_points(low)},{NO_BREAK}{in_points(high)}]"


def p_value(p: float) -> str:
    """
    >>> p_value(0.0031), p_value(1e-9)
    ('p = 0.003', 'p < 0.001')
    """
    return f"p {in_p(p)}" if p < 0.001 else f"p = {in_p(p)}"


def in_p(p: float) -> str:
    """'0.003' or '< 0.001', where a table's head says that it is p; a dash for an unknown one."""
    if math.isnan(p):
        return UNKNOWN
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """Rounded to what matters.

    >>> duration(45), duration(700), duration(7500)
    ('45 s', '12 min', '2 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def minute(moment: str) -> str:
    """A moment in ISO 8601, to the minute.

    >>> minute("2026-11-27T10:05:33+00:00")
    '2026-11-27 10:05'
    """
    return moment[:16].replace("T", " ")


def count(number: int) -> str:
    """With thin spaces between thousands, which do not break.

    >>> count(35_887)
    '35\u202f887'
    """
    return f"{number:,}".replace(",", "\u202f")


def n_equals(number: int) -> str:
    """'n = 3 589', in one piece."""
    return f"n{NO_BREAK}={NO_BREAK}{count(number)}"


def mean_count(number: float) -> str:
    """A count; of a mean over seeds, with a decimal. A sum of means may be whole but for rounding.

    >>> mean_count(12.0), mean_count(12.25), mean_count(878.9999999999999)
    ('12', '12.2', '879')
    """
    exact = round(float(number), 6)
    return count(int(exact)) if exact.is_integer() else f"{exact:,.1f}".replace(",", "\u202f")


def megabytes(size: int) -> str:
    """A number of bytes, in millions.

    >>> megabytes(96_660_123), megabytes(0)
    ('96.7\xa0MB', '0.0\xa0MB')
    """
    return _with_unit(number(size / 1e6), "MB")


def quantity(value: float, unit: str) -> str:
    """A share in percent where the unit is '%', a count where it is 'count', else rounded to what
    matters; a dash for an unknown one.

    >>> quantity(0.632, "%"), quantity(3.14, "ms"), quantity(0.4567, "")
    ('63.2\xa0%', '3.1\xa0ms', '0.457')
    """
    if math.isnan(value):
        return UNKNOWN
    if unit in ("%", "count"):
        return percent(value) if unit == "%" else count(round(value))
    return _with_unit(number(value), unit) if unit else number(value, 3)


def quantity_interval(bounds: tuple[float, float], unit: str) -> str:
    """'[61.6, 64.8]', as `quantity` has them, the unit left out; a dash for an unknown one."""
    low, high = (_without_unit(quantity(bound, unit)) for bound in bounds)
    return UNKNOWN if UNKNOWN in (low, high) else f"[{low},{NO_BREAK}{high}]"


def breakable(words: str) -> str:
    """The same where lines may break anywhere: on a terminal, and in what is kept as text."""
    return words.replace(NO_BREAK, " ")


def _with_unit(told: str, unit: str) -> str:
    return told if told == UNKNOWN else f"{told}{NO_BREAK}{unit}"


def _without_unit(told: str) -> str:
    return told.partition(NO_BREAK)[0]
