"""Changes of a recipe, by name, each of one factor or of two."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import combinations
from typing import Any

from fercore.models import WIDTH
from fercore.training.recipes import Augmentation, Recipe

SHARES = {"tenth": 0.1, "third": 1 / 3}  # of Training
FROZEN_EPOCHS = 4  # of a frozen trunk for one of a trunk that learns take about as long


@dataclass(frozen=True)
class Condition:
    """A change of the recipe, under which heads are compared again.

    arguments: what is more of the model's, by the model's name.
    """

    title: str
    change: Callable[[Recipe], Recipe]
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)


def built(**arguments: Any) -> Callable[[Recipe], Recipe]:
    """The recipe with other arguments of the model."""
    return lambda recipe: replace(recipe, model_arguments=recipe.model_arguments | arguments)


def _augmented(**settings: float) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, augmentation=replace(recipe.augmentation, **settings))


def _with(**settings: Any) -> Callable[[Recipe], Recipe]:
    return lambda recipe: replace(recipe, **settings)


def _one_after_the_other(*changes: Callable[[Recipe], Recipe]) -> Callable[[Recipe], Recipe]:
    return lambda recipe: reduce(lambda changed, change: change(changed), changes, recipe)


def _longer(times: int) -> Callable[[Recipe], Recipe]:
    """So many times the epochs, and as many looks at PublicTest."""
    return lambda recipe: replace(
        recipe, epochs=times * recipe.epochs, validated=recipe.validated / times
    )


def on_lite0(recipe: Recipe) -> Recipe:
    """On EfficientNet-Lite0, whose weights are in a package."""
    return built(trunk="timm:tf_efficientnet_lite0")(recipe)


def as_it_is(recipe: Recipe) -> Recipe:
    return recipe


def _narrow(recipe: Recipe) -> Recipe:
    return built(width=recipe.model_arguments.get("width", WIDTH) // 2)(recipe)


def _wide(recipe: Recipe) -> Recipe:
    return built(width=recipe.model_arguments.get("width", WIDTH) * 2)(recipe)


def _vgg_of_equal_flops(recipe: Recipe) -> Recipe:
    """At 1.41 times the width it takes what the residual trunk takes, to a hundredth."""
    width = recipe.model_arguments.get("width", WIDTH)
    return built(trunk="vgg", width=round(1.41 * width))(recipe)


def short_and_narrow(recipe: Recipe) -> Recipe:
    return _narrow(replace(recipe, epochs=max(1, recipe.epochs // 3)))


# What makes a recipe affordable many times, or is a part of it that a study is about, by name.
SCALES = {"": as_it_is, "lite0": on_lite0, "short": short_and_narrow}


def _both(first: Condition, second: Condition) -> Condition:
    return Condition(
        f"{first.title}; {second.title}", _one_after_the_other(first.change, second.change)
    )


def _shortened(*stages: tuple[int, float], epochs: int) -> Condition:
    """Of 'fast': so few epochs, with stages of small images as given, or as declared."""
    more: dict[str, Any] = {"epochs": epochs} | ({"resolutions": stages} if stages else {})
    small = "".join(f", {share:.0%} of them at {side}×{side}" for side, share in stages)
    return Condition(f"{epochs} epochs{small}", _with(**more))


_NO_AUGMENTATION = _with(augmentation=Augmentation(0, 0, 0, 0))

CONDITIONS = {
    "": Condition("as declared", as_it_is),
    "low-rate": Condition(
        "learning rate a hundredth",
        lambda recipe: replace(recipe, learning_rate=recipe.learning_rate / 100),
    ),
    "no-augmentation": Condition("no augmentation", _NO_AUGMENTATION),
    "dropout": Condition(
        "heavy dropout before and after the head", built(dropout=0.8, map_dropout=0.5)
    ),
    "few-epochs": Condition(
        "a seventh of the epochs, 2 of 14",
        lambda recipe: replace(recipe, epochs=max(1, recipe.epochs // 7)),
    ),
    # at Adam's usual rate, as the networks without it are trained (`docs/protocol.md`)
    "no-norm": Condition(
        "no batch normalisation, a rate of 0.001",
        _one_after_the_other(built(norm=False), _with(learning_rate=1e-3)),
    ),
    "slow": Condition("a rate of 0.0002", _with(learning_rate=2e-4)),
    "no-small-first": Condition("full-size images from the first epoch", _with(resolutions=())),
    "no-decay": Condition("no weight decay", _with(weight_decay=0.0)),
    "no-smoothing": Condition("no label smoothing", _with(label_smoothing=0.0)),
    "no-warm-up": Condition("no warm-up", _with(warm_up=0.0)),
    "cosine": Condition("the rate falls along a cosine", _with(fall="cosine")),
    "one-view": Condition("one view of a face", built(views=1)),
    "no-erasing": Condition("nothing blanked", _augmented(erase=0.0)),
    "no-dropout": Condition("no dropout", built(dropout=0.0)),
    "vgg": Condition("the VGG trunk", built(trunk="vgg")),
    "vgg-equal": Condition("the VGG trunk, as wide as makes its FLOPs equal", _vgg_of_equal_flops),
    "narrow": Condition("half the width", _narrow),
    "wide": Condition("twice the width", _wide),
    "fine-stem": Condition("a stem that does not halve the image at once", built(stem="fine")),
    "mixup": Condition("faces mixed two by two", _with(mixup=0.2)),
    "jitter": Condition("another light and contrast", _augmented(light=0.1, contrast=0.2)),
    "averaged": Condition("the mean of the last fifth's weights", _with(averaged=0.2)),
    "longer": Condition("twice the epochs", _longer(2)),
    "muon": Condition("Muon instead of AdamW", _with(optimizer="muon")),
}

# Ways to spend about six tenths of what 'fast' takes.
_HIGH_RATE = Condition("twice the rate", _with(learning_rate=2e-2))
_MUON = CONDITIONS["muon"]
_TEN = _shortened(epochs=10)
CONDITIONS |= {"ten": _TEN} | {
    f"ten-{name}": _both(_TEN, more)
    for name, more in {
        "averaged": Condition(
            "the mean of the last third's weights", _with(averaged=0.33, average_decay=0.99)
        ),
        "high-rate": _HIGH_RATE,
        "small-batch": Condition("half the batch", _with(batch_size=96)),
        "large-batch": Condition(
            "twice the batch, 1.4 times the rate", _with(batch_size=384, learning_rate=1.4e-2)
        ),
        "unsmoothed": CONDITIONS["no-smoothing"],
        "muon": _MUON,
        "muon-high-rate": _both(_MUON, _HIGH_RATE),
        "wide-and-small": Condition(
            "1.25 times the width, 24×24 throughout",
            _one_after_the_other(built(width=40, side=24), _with(resolutions=())),
        ),
    }.items()
}
CONDITIONS |= {
    "mostly-small": _shortened((24, 0.6), epochs=12),
    "nine-muon": _both(_shortened(epochs=9), _MUON),
    "smaller-still": _shortened((16, 0.35), (24, 0.4), epochs=15),
}

# Where a trunk's weights come from, and how much of Training there is, at as many steps.
_SCRATCH, _PRETRAINED = _with(trunk_rate=1.0), _with(pretrained=True)
_FROZEN = _one_after_the_other(_PRETRAINED, _with(trunk_rate=0.0))
CONDITIONS |= {
    "from-scratch": Condition("from scratch", _SCRATCH),
    "pretrained": Condition("pretrained on ImageNet", _PRETRAINED),
    "frozen": Condition("pretrained, the trunk frozen", _FROZEN),
    "frozen-long": Condition(
        "pretrained, the trunk frozen, at about equal time",
        _one_after_the_other(_FROZEN, _longer(FROZEN_EPOCHS)),
    ),
}
CONDITIONS |= {
    f"{name}-{share}": Condition(
        f"{CONDITIONS[name].title}, a {share} of Training",
        _one_after_the_other(
            CONDITIONS[name].change, _with(training_share=of), _longer(round(1 / of))
        ),
    )
    for name in ("from-scratch", "pretrained")
    for share, of in SHARES.items()
}

# What people do without a second thought, and any two of these at once.
ORDINARY = ("no-norm", "slow", "few-epochs", "no-augmentation", "dropout")
_PAIRS = {
    f"{first}-{second}": _both(CONDITIONS[first], CONDITIONS[second])
    for first, second in combinations(ORDINARY, 2)
}
TWO_AT_ONCE = tuple(_PAIRS)
CONDITIONS |= _PAIRS

# Two public notebooks (`docs/protocol.md`), as far as they say what they do: their layers, rate,
# batch and epochs, a rate that stays, and our split, loss and normalisation of the pixels.
_NOTEBOOK = _with(warm_up=0.0, fall="flat", label_smoothing=0.0)
CONDITIONS |= {
    "notebook-plain": Condition(
        "a notebook's three convolutions without norms",
        _one_after_the_other(
            _NOTEBOOK,
            built(trunk="valid", width=64, norm=False, hidden=128, dropout=0.5),
            _with(learning_rate=1e-3, batch_size=64, epochs=30),
        ),
    ),
    "notebook-deep": Condition(
        "a notebook's six convolutions, at half its width, trained with the rest",
        _one_after_the_other(
            _NOTEBOOK,
            _NO_AUGMENTATION,
            built(trunk="deep", width=32),
            _with(learning_rate=1e-4, epochs=7),
        ),
        {
            "cnn_flatten": {"hidden": 128},
            "cnn_lstm_flattened": {"reading": "rows", "hidden": 256, "upper": 128},
        },
    ),
}
