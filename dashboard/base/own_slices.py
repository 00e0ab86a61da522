"""What people add to the slices: properties, and their values."""

from functools import lru_cache

from fercore.analysis import marks
from fercore.scoring.slices import PROPERTY_KEYS, SUBSETS, in_order, slice_title

NOTHING = "nothing"  # in place of a property


def own_slices() -> dict[str, str]:
    """The titles of each value of an attribute and each subset, by their keys in the URL."""
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


def crossable() -> dict[str, str]:
    """What slices may be crossed by, by its key in the URL: nothing, properties, attributes, and
    whether an image is in a subset.
    """
    ours = {key: name for name, key in PROPERTY_KEYS.items()}
    return {NOTHING: NOTHING} | ours | attributes() | {SUBSETS: SUBSETS}


def attributes() -> dict[str, str]:
    """Their names, by their keys in the URL."""
    return dict(_attributes(marks.stamp()))


@lru_cache(maxsize=4)
def _attributes(_stamp: str) -> dict[str, str]:
    return {f"own:{mark.name}": mark.name for mark in marks.marks("attributes")}
