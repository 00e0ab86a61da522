"""A group: all runs that differ in the seed alone. One run is a group of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from fercore.analysis.relabelling import against
from fercore.errors import RunError
from fercore.groups.cells import stored_accuracy
from fercore.groups.naming import changed_recipe_name
from fercore.runs.artifacts import Run
from fercore.runs.words import (
    IMPORTED,
    TitlePiece,
    dataset_piece,
    joined,
    model_title,
    seed_title,
    title_pieces,
)
from fercore.scoring.grouped.predictions import GroupPredictions, grouped
from fercore.scoring.labelling import Labelling
from fercore.scoring.predictions import PARTS
from fercore.training.recipes import Recipe


@dataclass(frozen=True)
class Group:
    """Seeds of one training, by seed; or one run, which says nothing about an architecture.

    name: 'MODEL@RECIPE', or the run's. recipe_name: the recipe in short, changes included.
    left_out: a sentence for each run that would belong to it and does not.
    """

    name: str
    members: tuple[Run, ...]
    recipe_name: str
    left_out: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many seeds it has."""
        return len(self.members)

    @property
    def single(self) -> bool:
        """Whether it is one run, an ensemble perhaps."""
        return self.count == 1

    @property
    def seeds(self) -> list[int | None]:
        """Its members' seeds; None for an ensemble."""
        return [run.info["seed"] for run in self.members]

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """What tells it from a group of other trainings, of other labels or on another set."""
        labels = self.labelling.version if self.labelling else ""
        members = ((run.run_id, run.info["created"] + run.seen_on) for run in self.members)
        return ((self.name, labels), *members)

    def on(self, part: str) -> "Group":
        """The same group on the test set that a further part is of; see `Run.on`.

        Raises `RunError` where not all members were scored on it.
        """
        if part in PARTS:
            return self
        return replace(self, members=tuple(run.on(part) for run in self.members))

    @property
    def home(self) -> "Group":
        """The same group on the set that its members were made on, with its labels."""
        return replace(self, members=tuple(run.home for run in self.members))

    def against(self, labels: str) -> "Group":
        """The same group, scored against other labels: see `relabelling.against`. Without members
        that cannot be read; raises what that does where none can.
        """
        if labels == "dataset":
            return self
        members, errors = [], []
        for run in self.members:
            try:
                members.append(against(run, labels))
            except RunError as error:
                errors.append(error)
        if not members:
            raise errors[0]
        left_out = (*self.left_out, *map(str, errors))
        return replace(self, members=tuple(members), left_out=left_out)

    @property
    def labelling(self) -> Labelling | None:
        """What it is scored against, where that is not the dataset's labels."""
        return self.members[0].labelling

    def labelled(self, laid: Labelling | None) -> "Group":
        """The same group, scored against those labels; None for the dataset's."""
        return replace(self, members=tuple(replace(run, labelling=laid) for run in self.members))

    @property
    def model(self) -> str:
        """Its architecture, by name."""
        return self.members[0].info["model"]

    @property
    def recipe(self) -> Recipe:
        return self.members[0].recipe

    @property
    def dataset(self) -> str:
        return self.members[0].dataset

    @property
    def title(self) -> str:
        """'CNN · paper · 20 seeds'; of one run, that run's."""
        return joined(self.title_pieces)

    @property
    def title_pieces(self) -> list[TitlePiece]:
        """What its title is made of."""
        first = self.members[0]
        if self.single:
            return title_pieces(first, self.recipe_name)
        pieces = [
            TitlePiece(model_title(first)),
            dataset_piece(first),
            TitlePiece(self.recipe_name),
            TitlePiece("imported" if first.imported else "", IMPORTED),
            TitlePiece(f"{self.count} seeds"),
        ]
        return [piece for piece in pieces if piece.words]

    @cached_property
    def run(self) -> Run:
        """The member that is asked where weights are needed: the median on PublicTest, the lower of
        two, of those that have weights; of all, where none has.
        """
        if self.single:
            return self.members[0]
        return _median([run for run in self.members if has_weights(run)] or self.members)

    @property
    def asked_in_words(self) -> str:
        """Which of several seeds `run` is, and why: 'seed 3, the median of 20 on PublicTest'."""
        there = [run for run in self.members if has_weights(run)]
        if not there or self.run is _median(self.members):
            why = f"the median of {self.count} on PublicTest"
        elif len(there) == 1:
            why = f"the only one of {self.count} whose weights are here"
        else:
            why = f"the median on PublicTest of the {len(there)} whose weights are here"
        return f"{seed_title(self.run)}, {why}"

    @property
    def has_weights(self) -> bool:
        """Whether `run` has weights here."""
        return has_weights(self.run)

    def predictions(self, part: str = "private") -> GroupPredictions:
        """What its members say of 'private', 'clean', 'public' or a further part. Of those that
        cannot be read, or were scored on other images than the rest, `left_out` tells.

        Raises `RunError` where no member was scored on that part, or none can be read.
        """
        tables, names, left_out = [], [], list(self.left_out)
        for run in self.members:
            try:
                table = run.predictions(part)
            except RunError as error:
                left_out.append(str(error))
                continue
            if len(table):
                tables.append(table)
                names.append(run.run_id)
            else:
                left_out.append(_not_scored(run, part))
        if not tables:
            raise RunError(left_out[len(self.left_out)])
        return grouped(tables, names, left_out)

    def first_of(self, answers: GroupPredictions) -> Run:
        """The member whose predictions are the first of these: one that can be read."""
        return next(run for run in self.members if run.run_id == answers.names[0])

    def histories(self) -> pd.DataFrame:
        """One line per epoch and member: run, seed, then as `Run.history` has it; without those
        members whose history cannot be read. Raises `RunError` where none can.
        """
        found, errors = [], []
        for run in self.members:
            try:
                found.append(run.history().assign(run=run.run_id, seed=run.info["seed"]))
            except RunError as error:
                errors.append(error)
        if not found:
            raise errors[0]
        return pd.concat(found, ignore_index=True)


def group_of(run: Run) -> Group:
    """One run, an ensemble too, as a group of one; its recipe has no name where none is known."""
    if run.imported:
        return Group(run.run_id, (run,), "" if run.recipe.name == run.run_id else run.recipe.name)
    return Group(run.run_id, (run,), changed_recipe_name(run.recipe, run.info["model"]))


def _median(runs: Sequence[Run]) -> Run:
    """The one that is so on PublicTest, the lower of two."""
    accuracies = [stored_accuracy(run, "public") or 0.0 for run in runs]
    return runs[int(np.argsort(accuracies, kind="stable")[(len(runs) - 1) // 2])]


def _not_scored(run: Run, part: str) -> str:
    return f"{run.run_id} was not scored on part '{part}': its dataset has none."


def has_weights(run: Run) -> bool:
    try:
        return run.weights_file().is_file()
    except RunError:
        return False
