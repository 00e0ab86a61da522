"""Recipes: frozen, and the same after a trip through JSON."""

import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from fercore.errors import ConfigError
from fercore.training.recipes import RECIPES, Augmentation, Recipe, find_recipe


@pytest.mark.parametrize("name", RECIPES)
def test_round_trip(name):
    recipe = find_recipe(name)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    with pytest.raises(FrozenInstanceError):
        recipe.epochs = 1  # type: ignore[misc]  # what the type forbids, too


def test_another_wording_is_the_same_recipe_and_another_setting_is_not():
    recipe = find_recipe("best")
    assert replace(recipe, summary="in other words") == recipe != replace(recipe, epochs=61)


def test_resolutions_are_shares_of_the_epochs_and_cost_by_their_pixels():
    recipe = Recipe("x", "", epochs=10, resolutions=((24, 0.2), (36, 0.3)))
    assert [recipe.side(epoch) for epoch in range(1, 11)] == [24] * 2 + [36] * 3 + [48] * 5
    assert recipe.cost(1) == 0.25
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_only_the_last_epochs_are_validated_where_a_recipe_says_so():
    recipe = Recipe("x", "", epochs=10, resolutions=((24, 0.8),), validated=0.5)
    assert [epoch for epoch in range(1, 11) if recipe.validates(epoch)] == [9, 10]
    assert Recipe("x", "", epochs=3, resolutions=((24, 1.0),), validated=0.0).validates(3)


def test_every_setting_has_its_bounds():
    least = {"name": "x", "summary": "", "epochs": 1}
    for setting in fields(Recipe):
        with pytest.raises(ConfigError, match=f"not a recipe: '{setting.name}' is -1"):
            Recipe.from_json(least | {setting.name: -1})
    for change in fields(Augmentation):
        with pytest.raises(ConfigError, match=f"not a recipe: 'augmentation.{change.name}' is -1"):
            Recipe.from_json(least | {"augmentation": {change.name: -1}})


def test_bad_recipes_are_refused():
    with pytest.raises(ConfigError, match="no recipe 'better'"):
        find_recipe("better")
    with pytest.raises(ConfigError, match="no setting 'momentum'"):
        Recipe.from_json({"name": "x", "summary": "", "epochs": 1, "momentum": 0.9})
    with pytest.raises(ConfigError, match="one of cosine, line, flat, not steps"):
        Recipe.from_json({"name": "x", "summary": "", "epochs": 1, "fall": "steps"})
    with pytest.raises(ConfigError, match="not a recipe"):
        Recipe.from_json({"name": "x"})
