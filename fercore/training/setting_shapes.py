"""What fits a recipe's settings: types that say it, and from them the shape of their JSON."""

from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

from fercore.shapes import Shape, number, share, text, whole

_side = whole(1, 1024)
# of a model, those that are read here
ARGUMENTS = {"side?": _side, "views?": whole(1, 100), "trunk?": text}

# Settings with what fits them: the field's type says both.
Text = Annotated[str, text]
Share = Annotated[float, share]
Amount = Annotated[float, number()]


def shape_of(kind: type) -> dict[str, Shape]:
    """Of a dataclass of settings as JSON; one that has a default may be missing."""
    types, shape = get_type_hints(kind, include_extras=True), {}
    for each in fields(kind):
        needed = each.default is MISSING and each.default_factory is MISSING
        (shape[each.name if needed else f"{each.name}?"],) = types[each.name].__metadata__
    return shape


def names(value: Any) -> bool:
    """One name, or several."""
    several = isinstance(value, list | tuple) and len(value) > 0 and all(map(text, value))
    return several or text(value)


def stages(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_pair, value))


def _pair(value: Any) -> bool:
    return (
        isinstance(value, list | tuple) and len(value) == 2 and _side(value[0]) and share(value[1])
    )
