"""What a group is called, MODEL@RECIPE: a changed recipe is named by its change."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fercore.runs.artifacts import Run
from fercore.runs.words import cut_short
from fercore.study.conditions import CONDITIONS, SCALES
from fercore.study.variants import Variant
from fercore.training.recipes import RECIPES, Recipe


def recipe_name(run: Run) -> str:
    """'paper'; 'paper-low-rate' for a change that studies name, 'paper,epochs=3' for another.

    A start from another run, labels, verdicts and an early end are named as well.
    """
    if run.imported:
        return run.recipe.name
    name = changed_recipe_name(run.recipe, run.info["model"])
    if run.start_from:
        name += f",from={run.start_from}"
    if labels := run.info.get("labels"):
        name += f",labels={labels}"
    if run.info.get("verdicts"):
        name += ",verdicts"
    if cut_short(run):
        name += f",ended={run.epochs_done}"
    return name


def with_dataset(name: str, run: Run, *, closely: bool = False) -> str:
    """A group's name with its dataset; `closely`, with the first digits of its fingerprint too."""
    dataset = "-".join(run.dataset.lower().split())
    print_ = f"-{run.info['dataset']['fingerprint'][:6]}" if closely else ""
    return f"{name}@{dataset}{print_}"


def changed_recipe_name(recipe: Recipe, model: str) -> str:
    """'paper'; 'paper-low-rate' for a change that studies name, 'paper,epochs=3' for another."""
    if (base := RECIPES.get(recipe.name)) is None:
        return recipe.name
    for scale, scaled in SCALES.items():
        for condition in CONDITIONS:
            if Variant(model, condition).recipe(scaled(base)) == recipe:
                return "-".join(filter(None, (recipe.name, scale, condition)))
    declared, own = (dict(_flat(asdict(each))) for each in (base, recipe))
    changes = [
        f"{key}={_short(own.get(key))}"
        for key in own | declared
        if key != "summary" and own.get(key) != declared.get(key)
    ]
    return ",".join([recipe.name, *changes])


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return str(value[0]) if len(value) == 1 else f"{len(value)} of them"
    return str(value)


def _flat(settings: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Settings with those inside others beside them."""
    pairs: list[tuple[str, Any]] = []
    for key, value in settings.items():
        pairs += _flat(value) if isinstance(value, Mapping) else [(key, value)]
    return pairs
