"""What a JSON value must look like before it is believed: shapes are declared, one walk checks.

A shape is a dict of shapes by key (a key with '?' at its end may be missing), a list of one shape
that every item has, or a function that says whether a value fits. Other keys may be there too.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Shape = dict[str, Any] | list[Any] | Callable[[Any], bool]

_SHOWN = 40  # characters of a value that does not fit
_TEXT_LENGTH = 10_000  # characters; a whole book is no name


def misfit(value: Any, shape: Shape, place: str = "") -> str | None:
    """What of `value` does not fit, as "'dataset.counts' is null"; None where all of it does."""
    if isinstance(shape, dict):
        return _misfit_of_keys(value, shape, place)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _told(value, place)
        found = (misfit(item, shape[0], f"{place}[{k}]") for k, item in enumerate(value))
        return next(filter(None, found), None)
    return None if shape(value) else _told(value, place)


def _misfit_of_keys(value: Any, shape: dict[str, Any], place: str) -> str | None:
    if not isinstance(value, dict):
        return _told(value, place)
    for key, inner in shape.items():
        name = key.removesuffix("?")
        inside = f"{place}.{name}" if place else name
        if name not in value:
            if name == key:
                return f"'{inside}' is missing"
        elif found := misfit(value[name], inner, inside):
            return found
    return None


def _told(value: Any, place: str) -> str:
    names = {type(None): "null", dict: "an object", list: "a list"}
    shown = names.get(type(value)) or ascii(value)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return f"'{place}' is {shown}" if place else f"it is {shown}"


def text(value: Any) -> bool:
    """A string that can be written anywhere."""
    return isinstance(value, str) and len(value) <= _TEXT_LENGTH and not _halved(value)


def _halved(value: str) -> bool:
    return any("\ud800" <= sign <= "\udfff" for sign in value)  # half of a pair: no UTF-8 has it


def truth(value: Any) -> bool:
    return isinstance(value, bool)


def anything(value: Any) -> bool:
    return True


def whole(low: int = 0, high: int = 2**53) -> Callable[[Any], bool]:
    """An integer from `low` to `high`."""
    return lambda value: type(value) is int and low <= value <= high


def number(low: float = 0.0, high: float = 1e15) -> Callable[[Any], bool]:
    """A finite number from `low` to `high`."""
    return lambda value: type(value) in (int, float) and low <= value <= high


share = number(0, 1)


def optional(shape: Shape) -> Callable[[Any], bool]:
    """What fits `shape`, or null."""
    return lambda value: value is None or misfit(value, shape) is None


def one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in values


def moment(value: Any) -> bool:
    """A time with its zone, in ISO form."""
    try:
        told = datetime.fromisoformat(value)
        return told.tzinfo is not None and told.astimezone(UTC) is not None
    except (TypeError, ValueError, OverflowError):
        return False
