"""Recipes: how a model is trained, as named, frozen configurations that round-trip through JSON."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from fercore.errors import ConfigError


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a training image, drawn anew each time it is shown."""

    flip: float = 0.5  # probability of mirroring
    degrees: float = 10.0  # rotation up to this, either way
    shift: float = 0.1  # of the image's side, either way
    scale: float = 0.1  # zoom between 1 - scale and 1 + scale


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the model, the data and the seed.

    The learning rate rises in a straight line to `learning_rate` over the first `warm_up`, a share
    of all epochs, and falls along half a cosine (Loshchilov & Hutter, 2017) to zero.
    """

    name: str
    summary: str
    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-3
    warm_up: float = 0.15
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augmentation: Augmentation = Augmentation()
    model_arguments: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Recipe":
        """The recipe that `to_json` gave. Raises `ConfigError` on unknown or missing settings."""
        unknown = set(value) - {f.name for f in fields(cls)}
        if unknown:
            raise ConfigError(f"A recipe has no setting '{sorted(unknown)[0]}'.")
        try:
            augmentation = Augmentation(**value.get("augmentation", {}))
            return cls(**{**value, "augmentation": augmentation})
        except TypeError as error:
            raise ConfigError(f"This is not a recipe: {error}.") from error


_LIGHT = Augmentation(degrees=5, shift=0.05, scale=0.05)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="paper",
            summary="plain, as a paper would: Adam, warm-up and cosine decay, light augmentation",
            epochs=14,
            batch_size=64,
            learning_rate=4e-3,
            label_smoothing=0.05,
            augmentation=_LIGHT,
        ),
        Recipe(
            name="quick",
            summary="seconds, with a narrow model: for the synthetic set and for trying things",
            epochs=6,
            batch_size=32,
            learning_rate=6e-3,
            augmentation=_LIGHT,
            model_arguments={"width": 8, "dropout": 0.0},
        ),
        Recipe(
            name="finetune",
            summary="from a finished run's weights to other faces: a fifth of the learning rate",
            epochs=10,
            batch_size=16,
            learning_rate=8e-4,
            label_smoothing=0.05,
            augmentation=_LIGHT,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    if name not in RECIPES:
        raise ConfigError(f"There is no recipe '{name}'. Choose one of: {', '.join(RECIPES)}.")
    return RECIPES[name]
