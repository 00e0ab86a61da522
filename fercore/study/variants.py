"""What each study trains: one recipe, one budget; only the named factor varies."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import combinations
from typing import Any

from fercore.errors import ConfigError
from fercore.jobs.request import Request
from fercore.models import MODELS, WIDTH
from fercore.training.recipes import Augmentation, Recipe


@dataclass(frozen=True)
class Condition:
    """A change of the recipe, under which heads are compared again.

    arguments: what is more of the model's, by the model's name.
    """

    title: str
    change: Callable[[Recipe], Recipe]
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)


def _built(**arguments: Any) -> Callable[[Recipe], Recipe]:
    """The recipe with other arguments of the model."""
    return lambda recipe: replace(recipe, model_arguments=recipe.model_arguments | arguments)


def _augmented(**settings: float) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, augmentation=replace(recipe.augmentation, **settings))


def _with(**settings: Any) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, **settings)


def _one_after_the_other(*changes: Callable[[Recipe], Recipe]) -> Callable[[Recipe], Recipe]:
    return lambda recipe: reduce(lambda changed, change: change(changed), changes, recipe)


def _as_it_is(recipe: Recipe) -> Recipe:
    return recipe


def _narrow(recipe: Recipe) -> Recipe:
    return _built(width=recipe.model_arguments.get("width", WIDTH) // 2)(recipe)


def _short_and_narrow(recipe: Recipe) -> Recipe:
    return _narrow(replace(recipe, epochs=max(1, recipe.epochs // 3)))


_NO_AUGMENTATION = _with(augmentation=Augmentation(0, 0, 0, 0))

CONDITIONS = {
    "": Condition("as declared", _as_it_is),
    "low-rate": Condition(
        "learning rate a hundredth",
        lambda recipe: replace(recipe, learning_rate=recipe.learning_rate / 100),
    ),
    "no-augmentation": Condition("no augmentation", _NO_AUGMENTATION),
    "dropout": Condition(
        "heavy dropout before and after the head", _built(dropout=0.8, map_dropout=0.5)
    ),
    "few-epochs": Condition(
        "a seventh of the epochs",
        lambda recipe: replace(recipe, epochs=max(1, recipe.epochs // 7)),
    ),
    # at the rate that Adam has in Keras, too: at the recipe's such a network does not learn
    "no-norm": Condition(
        "no batch normalisation, a rate of 0.001",
        _one_after_the_other(_built(norm=False), _with(learning_rate=1e-3)),
    ),
    "slow": Condition("a rate of 0.0002", _with(learning_rate=2e-4)),
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

# What people do without a second thought, and any two of these at once.
ORDINARY = ("no-norm", "slow", "few-epochs", "no-augmentation", "dropout")
_PAIRS = [
    (f"{first}-{second}", CONDITIONS[first], CONDITIONS[second])
    for first, second in combinations(ORDINARY, 2)
]
CONDITIONS |= {
    name: Condition(
        f"{first.title}; {second.title}", _one_after_the_other(first.change, second.change)
    )
    for name, first, second in _PAIRS
}

# Two public notebooks (`docs/protocol.md`), as far as they say what they do: their layers, rate,
# batch and epochs, a rate that stays, and our split, loss and normalisation of the pixels.
_NOTEBOOK = _with(warm_up=0.0, fall="flat", label_smoothing=0.0)
CONDITIONS |= {
    "notebook-plain": Condition(
        "a notebook's three convolutions without norms",
        _one_after_the_other(
            _NOTEBOOK,
            _built(trunk="valid", width=64, norm=False, hidden=128, dropout=0.5),
            _with(learning_rate=1e-3, batch_size=64, epochs=30),
        ),
    ),
    "notebook-deep": Condition(
        "a notebook's six convolutions, at half its width, trained with the rest",
        _one_after_the_other(
            _NOTEBOOK,
            _NO_AUGMENTATION,
            _built(trunk="deep", width=32),
            _with(learning_rate=1e-4, epochs=7),
        ),
        {
            "cnn_flatten": {"hidden": 128},
            "cnn_lstm_flattened": {"reading": "rows", "hidden": 256, "upper": 128},
        },
    ),
}


@dataclass(frozen=True)
class Variant:
    """One row of a study: a model, under the study's recipe or a changed one, and how often."""

    model: str
    condition: str = ""
    seeds: int = 3

    @property
    def name(self) -> str:
        return f"{self.model}-{self.condition}" if self.condition else self.model

    @property
    def title(self) -> str:
        title = MODELS[self.model].title
        return f"{title}, {CONDITIONS[self.condition].title}" if self.condition else title

    def recipe(self, base: Recipe) -> Recipe:
        condition = CONDITIONS[self.condition]
        return _built(**condition.arguments.get(self.model, {}))(condition.change(base))


@dataclass(frozen=True)
class Study:
    """A table of trainings under one recipe.

    public_only: a study of the recipe itself, which is chosen on PublicTest; PrivateTest is then
    not even scored. scale: what makes the recipe affordable so many times, for every variant.
    first_seed: those before were trained and looked at before the study was declared.
    scored_last: whether PrivateTest is scored when every declared training is finished, and not
    before. whole: the variants whose probabilities there are kept at full length, not thinned.
    folds: how many times all images are divided anew, each time for a table of its own; 0: never.
    """

    name: str
    summary: str
    recipe: str
    variants: tuple[Variant, ...]
    public_only: bool = False
    scale: Callable[[Recipe], Recipe] = _as_it_is
    first_seed: int = 0
    scored_last: bool = False
    whole: frozenset[str] = frozenset()
    folds: int = 0

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
        seeds: int | None,
        recipe: Recipe,
        *,
        only: list[str] | None = None,
        data: str | None = None,
        precision: str = "auto",
        threads: int | None = None,
    ) -> list[Request]:
        """The trainings, all variants of a seed before the next seed.

        `seeds` of each variant; None for as many as are declared. Raises `ConfigError` where `only`
        names an unknown variant.
        """
        names = [variant.name for variant in self.variants]
        for name in only or []:
            if name not in names:
                raise ConfigError(
                    f"Study '{self.name}' has no variant '{name}'. Choose from: {', '.join(names)}."
                )
        chosen = [variant for variant in self.variants if not only or variant.name in only]
        most = seeds or max(variant.seeds for variant in chosen)
        return [
            Request(
                f"{variant.name}-s{seed}", variant.model, variant.recipe(self.scale(recipe)), seed,
                data, precision, threads,
            )
            for seed in range(self.first_seed, self.first_seed + most)
            for variant in chosen
            if seeds or seed < self.first_seed + variant.seeds
        ]  # fmt: skip


def _ablation(
    recipe: str,
    *conditions: str,
    scale: Callable[[Recipe], Recipe] = _as_it_is,
    scaled: str = "",
) -> Study:
    return Study(
        f"ablation-{recipe}",
        f"what each ingredient of the recipe '{recipe}' gives{scaled}, on PublicTest",
        recipe,
        tuple(Variant("cnn", condition) for condition in ("", *conditions)),
        public_only=True,
        scale=scale,
    )


PAIR = ("cnn", "cnn_lstm")
FIRST_SEED = 3  # of what `docs/protocol.md` declares: seeds 0 to 2 had been looked at


def _pair(*conditions: str, seeds: int) -> tuple[Variant, ...]:
    return tuple(Variant(model, condition, seeds) for condition in conditions for model in PAIR)


def _heads(*models: str, seeds: int) -> tuple[Variant, ...]:
    return tuple(Variant(model, seeds=seeds) for model in models)


STUDIES = {
    study.name: study
    for study in (
        Study(
            "sequence",
            "is the LSTM to blame? Every head on one trunk, and the conditions that sink it",
            "paper",
            _heads(
                "cnn", "cnn_lstm", "cnn_flatten", "cnn_attention", "cnn_lstm_one", "cnn_lstm_rows",
                "cnn_lstm_columns", "cnn_lstm_snake", "cnn_lstm_shuffled", "cnn_lstm_scrambled",
                "cnn_lstm_mean", "cnn_lstm_bidirectional", "cnn_lstm_attention", seeds=3,
            )
            + _pair("low-rate", "no-augmentation", "dropout", "few-epochs", seeds=3),
        ),
        Study(
            "lstm",
            "does the LSTM lose? What docs/protocol.md declares",
            "paper",
            _pair("", seeds=20)
            + _heads(
                "cnn_lstm_mean", "cnn_lstm_attention", "cnn_lstm_flattened", "cnn_lstm_shuffled",
                "cnn_lstm_one", "cnn_attention", seeds=8,
            )
            + _pair("low-rate", "few-epochs", "no-augmentation", "dropout", "no-norm", seeds=6)
            + _heads(
                "cnn_lstm_rows", "cnn_lstm_columns", "cnn_lstm_snake", "cnn_lstm_bidirectional",
                "cnn_lstm_scrambled", "cnn_flatten", seeds=3,
            ),
            first_seed=FIRST_SEED, scored_last=True, whole=frozenset(PAIR),
        ),
        Study(
            "splits",
            "does the answer hang on this one PrivateTest? Five fresh splits of all images",
            "paper",
            _pair("", seeds=2),
            first_seed=FIRST_SEED, scored_last=True, folds=5,
        ),
        Study(
            "others",
            "exploratory: two public notebooks acted out, and ordinary choices, two at once",
            "paper",
            _pair("slow", *(name for name, *_ in _PAIRS), seeds=2)
            + tuple(Variant("cnn_lstm_one", condition, 2) for condition in ORDINARY)
            + tuple(
                Variant(model, condition, 2)
                for condition, recurrent in (
                    ("notebook-plain", "cnn_lstm_whole"), ("notebook-deep", "cnn_lstm_flattened"),
                )
                for model in ("cnn_flatten", recurrent)
            ),
            first_seed=FIRST_SEED, scored_last=True,
        ),
        Study(
            "best",
            "do both architectures profit alike from the recipe 'best'?",
            "best",
            _pair("", seeds=3),
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
