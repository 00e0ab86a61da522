"""What each study trains: one recipe, one budget; only the named factor varies."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fercore.errors import ConfigError
from fercore.jobs.request import Request
from fercore.models import MODELS, WIDTH
from fercore.training.recipes import Augmentation, Recipe


@dataclass(frozen=True)
class Condition:
    """A change of the recipe, under which heads are compared again."""

    title: str
    change: Callable[[Recipe], Recipe]


def _built(**arguments: Any) -> Callable[[Recipe], Recipe]:
    """The recipe with other arguments of the model."""
    return lambda recipe: replace(recipe, model_arguments=recipe.model_arguments | arguments)


def _augmented(**settings: float) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, augmentation=replace(recipe.augmentation, **settings))


def _with(**settings: Any) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, **settings)


def _as_it_is(recipe: Recipe) -> Recipe:
    return recipe


def _narrow(recipe: Recipe) -> Recipe:
    return _built(width=recipe.model_arguments.get("width", WIDTH) // 2)(recipe)


def _short_and_narrow(recipe: Recipe) -> Recipe:
    return _narrow(replace(recipe, epochs=max(1, recipe.epochs // 3)))


CONDITIONS = {
    "": Condition("as declared", _as_it_is),
    "low-rate": Condition(
        "learning rate a hundredth",
        lambda recipe: replace(recipe, learning_rate=recipe.learning_rate / 100),
    ),
    "no-augmentation": Condition(
        "no augmentation",
        lambda recipe: replace(recipe, augmentation=Augmentation(0, 0, 0, 0)),
    ),
    "dropout": Condition(
        "heavy dropout before and after the head", _built(dropout=0.8, map_dropout=0.5)
    ),
    "few-epochs": Condition(
        "a fifth of the epochs",
        lambda recipe: replace(recipe, epochs=max(1, recipe.epochs // 5)),
    ),
    "no-small-first": Condition("full-size images from the first epoch", _with(resolutions=())),
    "no-decay": Condition("no weight decay", _with(weight_decay=0.0)),
    "no-smoothing": Condition("no label smoothing", _with(label_smoothing=0.0)),
    "no-warm-up": Condition("no warm-up", _with(warm_up=0.0)),
    "cosine": Condition("the rate falls along a cosine", _with(fall="cosine")),
    "one-view": Condition("one view of a face", _built(views=1)),
    "no-erasing": Condition("nothing blanked", _augmented(erase=0.0)),
    "no-dropout": Condition("no dropout", _built(dropout=0.0)),
    "vgg": Condition("the VGG trunk", _built(trunk="vgg")),
    "narrow": Condition("half the width", _narrow),
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
    """A table of trainings under one recipe.

    public_only: a study of the recipe itself, which is chosen on PublicTest; PrivateTest is then
    not even scored. scale: what makes the recipe affordable so many times, for every variant.
    """

    name: str
    summary: str
    recipe: str
    variants: tuple[Variant, ...]
    public_only: bool = False
    scale: Callable[[Recipe], Recipe] = _as_it_is

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
                f"{variant.name}-s{seed}", variant.model, variant.recipe(self.scale(recipe)), seed,
                data, precision, threads,
            )
            for seed in range(seeds)
            for variant in self.variants
            if not only or variant.name in only
        ]  # fmt: skip


def _ablation(recipe: str, *conditions: str, scale=_as_it_is, scaled: str = "") -> Study:
    return Study(
        f"ablation-{recipe}",
        f"what each ingredient of the recipe '{recipe}' gives{scaled}, on PublicTest",
        recipe,
        tuple(Variant("cnn", condition) for condition in ("", *conditions)),
        public_only=True,
        scale=scale,
    )


STUDIES = {
    study.name: study
    for study in (
        Study(
            "sequence",
            "is the LSTM to blame? Every head on one trunk, and the conditions that sink it",
            "paper",
            tuple(Variant(model) for model, entry in MODELS.items() if entry.shares_trunk)
            + tuple(
                Variant(model, condition)
                for condition in ("low-rate", "no-augmentation", "dropout", "few-epochs")
                for model in ("cnn", "cnn_lstm")
            ),
        ),
        Study(
            "best",
            "do both architectures profit alike from the recipe 'best'?",
            "best",
            (Variant("cnn"), Variant("cnn_lstm")),
        ),
        _ablation(
            "fast", "no-small-first", "one-view", "no-warm-up", "cosine", "no-decay",
            "no-smoothing", "no-augmentation", "narrow",
        ),
        _ablation(
            "best", "vgg", "narrow", "one-view", "no-small-first", "no-decay", "no-smoothing",
            "no-erasing", "no-dropout", "no-augmentation",
            scale=_short_and_narrow, scaled=" in a third of its epochs at half its width",
        ),
    )
}  # fmt: skip


def find_study(name: str) -> Study:
    if name not in STUDIES:
        raise ConfigError(f"There is no study '{name}'. Choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]
