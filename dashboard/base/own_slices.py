"""The slices that people add: each value of an attribute, and each subset."""

from functools import lru_cache

from fercore.analysis import marks
from fercore.scoring.slices import SUBSETS, in_order, slice_title


def own_slices() -> dict[str, str]:
    """Their titles, by their keys in the URL."""
    return _own_slices(marks.stamp())


@lru_cache(maxsize=4)
def _own_slices(_stamp: str) -> dict[str, str]:
    pairs = [
        (mark.name, value)
        for mark in marks.marks("attributes")
        for value in in_order(mark.table["value"])
    ]
    pairs += [(SUBSETS, mark.name) for mark in marks.marks("subsets")]
    return {f"own:{name}:{value}": slice_title(name, value) for name, value in pairs}
