"""Which model, recipe and run to start from make sense together: told once, for everyone who asks.

A form offers what `offered` gives; `prepare` and the commands refuse the rest, by `check`.
"""

from contextlib import suppress
from dataclasses import replace

from fercore.errors import ConfigError, FerError, RunError
from fercore.models import model_entry
from fercore.models.elsewhere import check_trunk
from fercore.runs.artifacts import Run
from fercore.runs.ensemble import members_of
from fercore.runs.listing import find_run, find_trained
from fercore.training.recipes import FOR_A_START, FOR_A_TRUNK, FOR_MODEL, RECIPES, Recipe


def check(model: str, recipe: Recipe, start: Run | None) -> None:
    """Whether `model` can be trained by `recipe`, from fresh weights or those of `start`.

    Raises `ConfigError` where it makes no sense, `RunError` where the recipe's teacher is not here
    or has no weights.
    """
    if start and start.info["model"] != model:
        raise ConfigError(
            f"{start.run_id} is a {start.info['model']}, and a training that starts from it stays "
            f"one. Leave the model '{model}' out, or start from another run."
        )
    Recipe.from_json(recipe.to_json())  # refuses what could not be read again
    if recipe.learning_rate == 0:
        raise ConfigError("At a learning rate of 0 nothing is learnt. Choose a higher one.")
    if FOR_MODEL.get(recipe.name, model) != model:
        raise ConfigError(
            f"The recipe '{recipe.name}' is for the model '{FOR_MODEL[recipe.name]}', not for "
            f"'{model}'. Choose another recipe or that model."
        )
    if recipe.name in FOR_A_START and not start:
        raise ConfigError(
            f"The recipe '{recipe.name}' goes on from a run's weights. Name that run (--from), or "
            "choose another recipe."
        )
    _check_trunk(recipe, start)
    _check_sizes(model, recipe, start)
    _check_teachers(recipe, start)


def offered(model: str, start: Run | None) -> list[str]:
    """The names of the recipes that make sense for a model and a start."""
    names = []
    for name, recipe in RECIPES.items():
        with suppress(FerError):
            check(model, as_started(recipe, start), start)
            names.append(name)
    return names


def as_started(recipe: Recipe, start: Run | None) -> Recipe:
    """The recipe with the model's arguments of the run that it starts from."""
    return replace(recipe, model_arguments=start.info["model_arguments"]) if start else recipe


def _check_trunk(recipe: Recipe, start: Run | None) -> None:
    if recipe.name in FOR_A_TRUNK and not recipe.from_elsewhere:
        raise ConfigError(
            f"The recipe '{recipe.name}' is for a trunk from elsewhere. Name it (--trunk "
            "timm:NAME), or choose another recipe."
        )
    if recipe.pretrained and (start or not recipe.from_elsewhere):
        raise ConfigError(
            "Weights from elsewhere are for a trunk from there (--trunk timm:NAME), and not for a "
            "run's."
        )
    if recipe.frozen and not (recipe.pretrained or start):
        raise ConfigError(
            "A trunk that is frozen keeps the weights that it begins with: let them be pretrained, "
            "or a run's (--from)."
        )
    check_trunk(recipe.trunk)


def _check_sizes(model: str, recipe: Recipe, start: Run | None) -> None:
    entry = model_entry(model)
    if recipe.resolutions and not entry.takes_any_size:
        raise ConfigError(
            f"The recipe '{recipe.name}' begins with small images, and {entry.title} reads "
            "maps of one size. Choose another recipe or model."
        )
    largest = max((side for side, _ in recipe.resolutions), default=0)
    if largest > recipe.full_side:
        whose = f"{start.run_id} sees" if start else "the model sees"
        raise ConfigError(
            f"The recipe '{recipe.name}' begins with images of {largest} pixels, and {whose} "
            f"{recipe.full_side}. Choose another recipe."
        )


def teaching_runs(recipe: Recipe) -> list[Run]:
    """The runs that answer for a share of the labels: those the recipe names, of an ensemble its
    members. Raises `RunError` where one is not here or has no weights.
    """
    found: dict[str, Run] = {}
    for name in recipe.teachers:
        try:
            named = find_trained(name)
            found |= {run.run_id: run for run in (members_of(named) if named.members else [named])}
        except RunError as error:
            raise RunError(f"The recipe '{recipe.name}' is taught by a run. {error}") from error
    for run in found.values():
        run.weights_file()
    return list(found.values())


def _check_teachers(recipe: Recipe, start: Run | None) -> None:
    teachers = teaching_runs(recipe)
    if start and start.run_id in {run.run_id for run in teachers}:
        raise ConfigError(
            f"The recipe '{recipe.name}' is taught by {start.run_id}, which it would start from. "
            "Choose another recipe or another start."
        )
    if teachers and not recipe.teacher_share:
        raise ConfigError(
            f"The recipe '{recipe.name}' has a teacher that answers for none of the labels. Give "
            "it a share of them, or leave the teacher out."
        )


def find_start(start_from: str | None) -> Run | None:
    """The run that is started from, None for fresh weights. Raises `RunError` where it has none."""
    if not start_from:
        return None
    start = find_run(start_from)
    start.weights_file()
    return start
