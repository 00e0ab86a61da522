"""A recipe with settings of another value, as a person writes them: 'mixup=0.2'."""

import json
from collections.abc import Iterable
from typing import Any

from fercore.errors import ConfigError
from fercore.training.recipes import Recipe

_INSIDE = {"augmentation": "augmentation", "model": "model_arguments"}
_NAMED_ELSEWHERE = ("name", "summary", "teacher", "model_arguments", "augmentation")


def with_settings(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """The recipe with each 'NAME=VALUE' in place of its own, VALUE as in JSON or a plain word.

    NAME is a setting of a recipe, 'augmentation.NAME' one of `Augmentation`, and 'model.NAME' an
    argument of the model. Raises `ConfigError` for others, and for a value that does not fit.

    >>> from fercore.training.recipes import find_recipe
    >>> changed = with_settings(find_recipe("best"), ["mixup=0.2", "model.stem=fine"])
    >>> changed.mixup, changed.model_arguments["stem"]
    (0.2, 'fine')
    """
    value = recipe.to_json()
    for setting in settings:
        name, equals, text = setting.partition("=")
        place, dot, inner = name.partition(".")
        if not equals or (dot and place not in _INSIDE) or (not dot and name in _NAMED_ELSEWHERE):
            raise ConfigError(
                f"'{setting}' sets nothing. Write NAME=VALUE, augmentation.NAME=VALUE or "
                "model.NAME=VALUE, such as mixup=0.2."
            )
        settings_there: dict[str, Any] = value[_INSIDE[place]] if dot else value
        settings_there[inner if dot else name] = _read(text)
    return Recipe.from_json(value)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
