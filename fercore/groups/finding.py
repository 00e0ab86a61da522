"""Which groups there are: from this machine's runs, the shipped ones, and the studies' trainings.

A training that lies in both places is one member. Where a study was declared before it was scored,
its seeds alone are the group: a seed that had been looked at before does not join them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from fercore.errors import RunError
from fercore.groups.cells import Cell, Damaged, scored_cells
from fercore.groups.group import Group, group_of
from fercore.groups.naming import recipe_name, with_dataset
from fercore.models import MODELS
from fercore.runs.artifacts import Run
from fercore.runs.kinship import training_key
from fercore.runs.listing import find_run, list_runs
from fercore.study.variants import PAIR, STUDIES
from fercore.training.recipes import RECIPES

PAPERS_PAIR = tuple(f"{model}@paper" for model in PAIR)


def list_groups(runs: Sequence[Run] | None = None) -> list[Group]:
    """Every group of two seeds or more, the paper's pair first, then by dataset, recipe, model.

    runs: those of `list_runs`, where they have just been listed.
    """
    return [group for group in _every_group(runs) if not group.single]


def find_group(text: str) -> Group:
    """The group 'MODEL@RECIPE', or a run, or a study's training 'STUDY/NAME', as a group of one.

    Raises `RunError`, saying what there is.
    """
    groups = {group.name: group for group in _every_group()} if "@" in text else {}
    if text in groups:
        return groups[text]
    if "@" in text:
        known = ", ".join(group.name for group in list_groups()) or "none yet"
        raise RunError(f"There is no group '{text}'. Groups here: {known}.")
    if "/" in text:
        return group_of(_find_cell(text))
    return group_of(find_run(text))


def _find_cell(name: str) -> Run:
    for cell in scored_cells():
        if isinstance(cell, Cell) and cell.run_id == name:
            return replace(cell)
    raise RunError(
        f"There is no training '{name}' that is finished and scored. 'fercore study NAME --show' "
        "lists a study's."
    )


def is_the_papers(a: Group, b: Group) -> bool:
    """Whether the two are what the paper compared, and what the plan is about."""
    return {a.name, b.name} == set(PAPERS_PAIR)


@dataclass(frozen=True)
class _There:
    """All runs that may be members; two are equal where they were read from the disk once."""

    read: tuple[int, ...]  # the identities of their infos, which live as long as `runs` does
    damaged: tuple[Damaged, ...]
    runs: tuple[Run, ...] = field(compare=False)


def _every_group(listed: Sequence[Run] | None = None) -> list[Group]:
    cells = scored_cells()
    runs = [run for run in (list_runs() if listed is None else listed) if not run.members]
    runs += [cell for cell in cells if isinstance(cell, Cell)]
    there = _There(
        tuple(id(run.info) for run in runs),
        tuple(cell for cell in cells if isinstance(cell, Damaged)),
        tuple(runs),
    )
    # copies of their own: what is read of them goes with whoever asked
    return [
        replace(group, members=tuple(replace(run) for run in group.members))
        for group in _grouped(there)
    ]


@lru_cache(maxsize=4)
def _grouped(there: _There) -> list[Group]:
    alike: dict[str, list[Run]] = {}
    for run in there.runs:
        alike.setdefault(training_key(run), []).append(run)
    groups = [_group(runs, there.damaged) for runs in alike.values()]
    return sorted(_named(sorted(groups, key=_rank)), key=_rank)


def _group(runs: list[Run], damaged: Iterable[Damaged]) -> Group:
    """The seeds of one training, runs before the studies' cells."""
    declared = {
        run.store.name for run in runs if isinstance(run, Cell) and _is_declared(run.store.name)
    }
    own = [run for run in runs if not declared or _stored_in(run, runs, declared)]
    others = [
        run.run_id
        for run in runs
        if run not in own and not any(_same_training(run, other) for other in own)
    ]
    left_out = []
    if others:
        left_out.append(
            f"{', '.join(others)} {'is' if len(others) == 1 else 'are'} not of study "
            f"'{min(declared)}', whose seeds were declared beforehand: the group is those alone."
        )
    by_seed: dict[int | None, Run] = {}
    for run in own:
        first = by_seed.setdefault(run.info["seed"], run)
        if not _same_training(first, run):
            left_out.append(f"{run.run_id} is not counted: {first.run_id} is of the same seed.")
    rows = {(run.store.name, run.variant) for run in runs if isinstance(run, Cell)}
    left_out += [each.problem for each in damaged if (each.study, each.variant) in rows]
    name = recipe_name(runs[0])
    members = sorted(by_seed.values(), key=lambda run: run.info["seed"] or 0)
    return Group(f"{members[0].info['model']}@{name}", tuple(members), name, tuple(left_out))


def _is_declared(study: str) -> bool:
    return study in STUDIES and STUDIES[study].scored_last


def _stored_in(run: Run, runs: list[Run], studies: set[str]) -> bool:
    """Whether the training is one of these studies', itself or as the same run elsewhere."""
    return any(
        isinstance(other, Cell) and other.store.name in studies and _same_training(run, other)
        for other in runs
    )


def _same_training(one: Run, other: Run) -> bool:
    mine, theirs = one.info, other.info
    return (mine["seed"], mine["created"]) == (theirs["seed"], theirs["created"])


def _named(groups: list[Group]) -> list[Group]:
    """The groups under names of their own: a later one of the same name says its dataset."""
    named: dict[str, Group] = {}
    for group in groups:
        run = group.members[0]
        names = [group.name, with_dataset(group.name, run)]
        names.append(with_dataset(group.name, run, closely=True))
        names += [f"{names[-1]}-{number}" for number in range(2, len(groups) + 2)]
        name = next(name for name in names if name not in named)
        named[name] = replace(group, name=name)
    return list(named.values())


def _rank(group: Group) -> tuple[object, ...]:
    recipes, models = list(RECIPES), list(MODELS)
    recipe = group.recipe.name
    return (
        PAPERS_PAIR.index(group.name) if group.name in PAPERS_PAIR else len(PAPERS_PAIR),
        group.dataset != "FER2013",
        group.dataset,
        recipes.index(recipe) if recipe in recipes else len(recipes),
        group.recipe_name,
        models.index(group.model) if group.model in models else len(models),
        -group.count,
        group.members[0].info["created"],
    )
