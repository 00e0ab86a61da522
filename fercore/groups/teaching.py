"""Who teaches: a recipe with other teachers than its own, named by run, ensemble or group."""

from collections.abc import Sequence
from dataclasses import replace

from fercore.errors import ConfigError, RunError
from fercore.groups.finding import find_group
from fercore.runs.listing import find_trained
from fercore.training.recipes import TAUGHT_SHARE, Recipe


def taught(recipe: Recipe, teachers: Sequence[str], share: float | None = None) -> Recipe:
    """The recipe with these teachers: runs, ensembles, or groups, whose runs it then names: those
    of a study as 'STUDY/NAME', where its folder still has their weights.

    share: of the labels; the recipe's where None, or `TAUGHT_SHARE` where it has none. Raises
    `ConfigError` where none is named, `RunError` where a group is not here, or some of its seeds
    have no weights.
    """
    names = tuple(dict.fromkeys(run for name in teachers for run in _runs_of(name)))
    if not names:
        raise ConfigError(
            f"The recipe '{recipe.name}' has no teacher to give a share of the labels. Name one."
        )
    if share is None:
        share = recipe.teacher_share or TAUGHT_SHARE
    teacher = names[0] if len(names) == 1 else names
    return replace(recipe, teacher=teacher, teacher_share=share)


def _runs_of(name: str) -> list[str]:
    if "@" not in name:
        return [name]
    group = find_group(name)
    lacking = [run.run_id for run in group.members if not _has_weights(run.run_id)]
    if lacking:
        others = [run.run_id for run in group.members if run.run_id not in lacking]
        instead = f"Of its seeds, name those that have: {', '.join(others)}." if others else ""
        raise RunError(
            f"{name} cannot teach: {', '.join(lacking)} of its {group.count} seeds "
            f"{'has' if len(lacking) == 1 else 'have'} no weights here. {instead}".rstrip()
        )
    return [run.run_id for run in group.members]


def _has_weights(name: str) -> bool:
    """Whether a run has weights here, or a study's training those that it ended with."""
    try:
        return find_trained(name).weights_file().is_file()
    except RunError:
        return False
