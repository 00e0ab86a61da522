"""What each study trains: one trunk, one recipe, one budget; only the named factor varies."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fercore.errors import ConfigError
from fercore.models import MODELS
from fercore.recipes import Augmentation, Recipe
from fercore.request import Request


@dataclass(frozen=True)
class Condition:
    """A change of the recipe, under which heads are compared again."""

    title: str
    change: Callable[[Recipe], Recipe]


def _heavy_dropout(recipe: Recipe) -> Recipe:
    heavy = {"dropout": 0.8, "map_dropout": 0.5}
    return replace(recipe, model_arguments=recipe.model_arguments | heavy)


CONDITIONS = {
    "": Condition("as declared", lambda recipe: recipe),
    "low-rate": Condition(
        "learning rate a hundredth",
        lambda recipe: replace(recipe, learning_rate=recipe.learning_rate / 100),
    ),
    "no-augmentation": Condition(
        "no augmentation",
        lambda recipe: replace(recipe, augmentation=Augmentation(0, 0, 0, 0)),
    ),
    "dropout": Condition("heavy dropout before and after the head", _heavy_dropout),
    "few-epochs": Condition(
        "a fifth of the epochs",
        lambda recipe: replace(recipe, epochs=max(1, recipe.epochs // 5)),
    ),
}


@dataclass(frozen=True)
class Variant:
    """One row of a study: a model, under the study's recipe or a changed one."""

    model: str
    condition: str = ""

    @property
    def name(self) -> str:
        return f"{self.model}-{self.condition}" if self.condition else self.model

    @property
    def title(self) -> str:
        title = MODELS[self.model].title
        return f"{title}, {CONDITIONS[self.condition].title}" if self.condition else title

    def recipe(self, base: Recipe) -> Recipe:
        return CONDITIONS[self.condition].change(base)


@dataclass(frozen=True)
class Study:
    name: str
    summary: str
    recipe: str
    variants: tuple[Variant, ...]

    def folder_name(self, recipe: Recipe, dataset: str) -> str:
        """The study's own name for its recipe on FER2013; others get folders of their own."""
        parts = [self.name]
        if recipe.name != self.recipe:
            parts.append(recipe.name)
        if dataset != "FER2013":
            parts.append("".join(c if c.isalnum() else "-" for c in dataset.lower()))
        return "-".join(parts)

    def requests(
        self,
        seeds: int,
        recipe: Recipe,
        *,
        only: list[str] | None = None,
        data: str | None = None,
        precision: str = "auto",
        threads: int | None = None,
    ) -> list[Request]:
        """The trainings, all variants of a seed before the next seed.

        Raises `ConfigError` where `only` names an unknown variant.
        """
        names = [variant.name for variant in self.variants]
        for name in only or []:
            if name not in names:
                raise ConfigError(
                    f"Study '{self.name}' has no variant '{name}'. Choose from: {', '.join(names)}."
                )
        return [
            Request(
                f"{variant.name}-s{seed}", variant.model, variant.recipe(recipe), seed, data,
                precision, threads,
            )
            for seed in range(seeds)
            for variant in self.variants
            if not only or variant.name in only
        ]  # fmt: skip


STUDIES = {
    study.name: study
    for study in (
        Study(
            "sequence",
            "is the LSTM to blame? Every head on one trunk, and the conditions that sink it",
            "paper",
            tuple(Variant(model) for model in MODELS)
            + tuple(
                Variant(model, condition)
                for condition in CONDITIONS
                if condition
                for model in ("cnn", "cnn_lstm")
            ),
        ),
    )
}


def find_study(name: str) -> Study:
    if name not in STUDIES:
        raise ConfigError(f"There is no study '{name}'. Choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]
