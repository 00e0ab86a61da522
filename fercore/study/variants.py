"""What each study trains: one recipe, one budget; only the named factor varies."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b

from fercore.errors import ConfigError, RunError
from fercore.jobs.request import Request
from fercore.models import MODELS
from fercore.study.conditions import (
    CONDITIONS,
    ORDINARY,
    SHARES,
    TWO_AT_ONCE,
    as_it_is,
    built,
    on_lite0,
    short_and_narrow,
)
from fercore.training.recipes import Recipe

_LONGEST = 40  # characters of a dataset's name in a folder's


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
    def recurrent(self) -> bool:
        return self.model.startswith("cnn_lstm")

    @property
    def title(self) -> str:
        title = MODELS[self.model].title
        return f"{title}, {CONDITIONS[self.condition].title}" if self.condition else title

    def recipe(self, base: Recipe) -> Recipe:
        condition = CONDITIONS[self.condition]
        return built(**condition.arguments.get(self.model, {}))(condition.change(base))


@dataclass(frozen=True)
class Study:
    """A table of trainings under one recipe. Raises `ConfigError` where it contradicts itself.

    public_only: a study of the recipe itself, which is chosen on PublicTest; PrivateTest is then
    not even scored, and its store refuses it. candidates: whether one of its changes is to become
    the recipe, so that they are shown by rank, and what choosing does is told.
    scale: what makes the recipe affordable so many times, for every variant.
    first_seed: those before were trained and looked at before the study was declared.
    scored_last: whether PrivateTest is scored when every declared training is finished, and not
    before. whole: the variants whose probabilities there are kept at full length, not thinned.
    folds: how many times all images are divided anew, each time for a table of its own; 0: never.
    before: the study that was planned after this one had been looked at; until that one is scored,
    this one is shown in its place.
    """

    name: str
    summary: str
    recipe: str
    variants: tuple[Variant, ...]
    public_only: bool = False
    scale: Callable[[Recipe], Recipe] = as_it_is
    first_seed: int = 0
    scored_last: bool = False
    whole: frozenset[str] = frozenset()
    folds: int = 0
    before: str = ""
    candidates: bool = False

    def __post_init__(self) -> None:
        if self.public_only and (self.scored_last or self.whole or self.folds):
            raise ConfigError(
                f"Study '{self.name}' is chosen on PublicTest, so PrivateTest cannot be scored."
            )
        if self.candidates and not self.public_only:
            raise ConfigError(f"Study '{self.name}' has candidates, so it is on PublicTest alone.")

    def without_lstm(self, condition: str) -> Variant | None:
        """The first variant under a condition that has no LSTM."""
        own = (v for v in self.variants if v.condition == condition and not v.recurrent)
        return next(own, None)

    def folder_name(self, recipe: Recipe, dataset: str) -> str:
        """The study's own name for its recipe on FER2013; others get folders of their own."""
        parts = [self.name]
        if recipe.name != self.recipe:
            parts.append(recipe.name)
        if dataset != "FER2013":
            parts.append(_in_a_name(dataset.lower()))
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

        `seeds` of each variant; None for as many as are declared, which are the most where
        PrivateTest is scored last. Raises `ConfigError` where `only` names an unknown variant, or
        more seeds are asked for than may be.
        """
        names = [variant.name for variant in self.variants]
        for name in only or []:
            if name not in names:
                raise ConfigError(
                    f"Study '{self.name}' has no variant '{name}'. Choose from: {', '.join(names)}."
                )
        chosen = [variant for variant in self.variants if not only or variant.name in only]
        declared = max(variant.seeds for variant in chosen)
        if self.scored_last and (seeds or 0) > declared:
            raise ConfigError(
                f"Study '{self.name}' declares {declared} seeds there at most. More of them would "
                "never be scored."
            )
        most = seeds or declared
        return [
            Request(
                f"{variant.name}-s{seed}", variant.model, variant.recipe(self.scale(recipe)), seed,
                data, precision, threads,
            )
            for seed in range(self.first_seed, self.first_seed + most)
            for variant in chosen
            if seed < self.first_seed + variant.seeds or (seeds and not self.scored_last)
        ]  # fmt: skip


def _in_a_name(dataset: str) -> str:
    """A dataset's name within a folder's: short and in ASCII. Of names that this makes alike, a
    hash tells one from another.
    """
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in dataset)
    if dataset.isascii() and len(plain) <= _LONGEST:
        return plain
    return f"{plain[:_LONGEST]}-{blake2b(dataset.encode(), digest_size=4).hexdigest()}"


def check_parts(folder: str, usages: Iterable[str]) -> None:
    """Raise `RunError` where PrivateTest is among the parts of a study's images, and the study's
    folder, by whichever recipe and dataset, is of one that is chosen on PublicTest.
    """
    own = (study.name for study in STUDIES.values() if study.public_only)
    if any(f"{folder}-".startswith(f"{name}-") for name in own) and "PrivateTest" in set(usages):
        raise RunError(
            f"Study '{folder}' is chosen on PublicTest, so PrivateTest is not scored with it. Give "
            "it the images without PrivateTest."
        )


def _ablation(
    recipe: str,
    *conditions: str,
    scale: Callable[[Recipe], Recipe] = as_it_is,
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
SEES_ALL = ("cnn_lstm_mean", "cnn_lstm_attention", "cnn_lstm_flattened")  # states, in one order
RANDOM_ORDER = "cnn_lstm_shuffled"
HEADS = (*SEES_ALL, RANDOM_ORDER, "cnn_lstm_one", "cnn_attention")  # with a hypothesis
TRANSFER, TRANSFER_HEADS = "transfer", ("cnn", "cnn_lstm", "cnn_lstm_mean", "cnn_attention")
MAIN, FRESH, STRONGER, OTHERS = "lstm", "splits", "best", "others"  # studies of the page
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
            before=MAIN,
        ),
        Study(
            MAIN,
            "does the LSTM lose? What docs/protocol.md declares",
            "paper",
            _pair("", seeds=20)
            + _heads(*HEADS, seeds=8)
            + _pair("low-rate", "few-epochs", "no-augmentation", "dropout", "no-norm", seeds=6)
            + _heads(
                "cnn_lstm_rows", "cnn_lstm_columns", "cnn_lstm_snake", "cnn_lstm_bidirectional",
                "cnn_lstm_scrambled", "cnn_flatten", seeds=3,
            ),
            first_seed=FIRST_SEED, scored_last=True, whole=frozenset(PAIR),
        ),
        Study(
            FRESH,
            "does the answer hang on this one PrivateTest? Five fresh splits of all images",
            "paper",
            _pair("", seeds=2),
            first_seed=FIRST_SEED, scored_last=True, folds=5,
        ),
        Study(
            OTHERS,
            "exploratory: two public notebooks acted out, and ordinary choices, two at once",
            "paper",
            _pair("slow", *(TWO_AT_ONCE), seeds=2)
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
            STRONGER,
            "do both architectures profit alike from the recipe 'best'?",
            "best",
            _pair("", seeds=3),
        ),
        Study(
            TRANSFER,
            "what pretraining changes: one trunk, with ImageNet's weights and without",
            "transfer",
            tuple(
                Variant(model, condition)
                for condition in ("from-scratch", "pretrained", "frozen", "frozen-long")
                for model in TRANSFER_HEADS
            )
            + tuple(
                Variant("cnn", f"{condition}-{share}")
                for share in SHARES
                for condition in ("from-scratch", "pretrained")
            ),
            scale=on_lite0, scored_last=True,
        ),
        _ablation(
            "fast", "no-small-first", "one-view", "no-warm-up", "cosine", "no-decay",
            "no-smoothing", "no-augmentation", "narrow",
        ),
        _ablation(
            "best", "vgg", "vgg-equal", "narrow", "one-view", "no-small-first", "no-decay",
            "no-smoothing", "no-erasing", "no-dropout", "no-augmentation",
            scale=short_and_narrow, scaled=" in a third of its epochs at half its width",
        ),
        Study(
            "beyond-best",
            "what would make the recipe 'best' better? Changes of it, on PublicTest alone",
            "best",
            (
                Variant("cnn", seeds=4),  # every change is held against it (Dunnett, 1955)
                *(Variant("cnn", change, 2) for change in (
                    "fine-stem", "wide", "mixup", "jitter", "averaged", "no-small-first", "longer",
                    "muon",
                )),
            ),
            public_only=True, candidates=True,
        ),
        Study(
            "faster",
            "what does 'fast' lose in six tenths of its time? Ways to spend it, on PublicTest",
            "fast",
            (
                Variant("cnn", seeds=4),
                *(Variant("cnn", change, 2) for change in (
                    "ten", "ten-averaged", "ten-high-rate", "ten-small-batch",
                    "ten-large-batch", "ten-unsmoothed", "ten-wide-and-small", "mostly-small",
                    "smaller-still", "ten-muon", "ten-muon-high-rate", "nine-muon",
                )),
            ),
            public_only=True, candidates=True,
        ),
    )
}  # fmt: skip


def find_study(name: str) -> Study:
    if name not in STUDIES:
        raise ConfigError(f"There is no study '{name}'. Choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]
