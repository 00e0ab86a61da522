"""What is being looked at: models, images, cell, confidence, slice."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import pandas as pd

from dashboard.base import loading
from dashboard.base.keys import CONFIDENCE, PREDICTED, PREDICTED_B, SLICE, TRUE
from dashboard.base.plain import plain
from fercore.groups.group import Group
from fercore.runs.artifacts import Run
from fercore.runs.words import images_title
from fercore.scoring.predictions import PARTS

NO_MODEL, ANY = "none", "any"
WHOLE_RANGE = (0, 100)


@dataclass(frozen=True)
class Selection:
    """What the sidebar's widgets say. `b` is None where only one model is looked at.

    true: the label; predicted, predicted_b: what A and B say; a class each, or 'any'. confidence:
    percent, from and to, of the model `of`. slice: 'property: name', or 'any'.
    """

    a: Group
    b: Group | None
    part: str
    true: str = ANY
    predicted: str = ANY
    predicted_b: str = ANY
    confidence: tuple[int, int] = WHOLE_RANGE
    slice: str = ANY
    of: str = "a"

    @cached_property
    def models(self) -> dict[str, Group]:
        """'A' and, where there is one, 'B'."""
        return {"A": self.a} | ({"B": self.b} if self.b else {})

    @property
    def runs(self) -> dict[str, Run]:
        """Of each its only run, or the one that is the median of its seeds on PublicTest."""
        return {key: model.run for key, model in self.models.items()}

    @property
    def paired_models(self) -> dict[str, Group]:
        """Those of them that a table of images holds: B only where it is about the same images."""
        return self.models if self.pair else {"A": self.a}

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from another selection."""
        models = [str(model.identity) for model in self.models.values()]
        return *models, self.part, self.words

    @property
    def labels(self) -> str:
        """What is right, a key of `labelling.LABELS`."""
        return self.a.labelling.name if self.a.labelling else "dataset"

    @property
    def part_name(self) -> str:
        if self.part not in PARTS:
            return plain(self.a.dataset)
        if self.a.dataset == "FER2013":
            return PARTS[self.part]
        return plain(images_title(self.a.dataset, self.part))

    @property
    def cells(self) -> dict[str, tuple[str, str]]:
        """The chosen cell of each confusion matrix: label and prediction, either may be 'any'.

        'A against B': what A says, and what B says.
        """
        return {
            "A": (self.true, self.predicted),
            "B": (self.true, self.predicted_b),
            "A against B": (self.predicted, self.predicted_b),
        }

    @property
    def label_alone(self) -> str | None:
        """The label, where one is chosen and nothing that is predicted."""
        alone = self.true != ANY and self.cells["A against B"] == (ANY, ANY)
        return self.true if alone else None

    @property
    def sample_filter(self) -> dict[str, Any]:
        """The selection as arguments of `samples.selected_samples`."""
        chosen = {"true": self.true, "a_says": self.predicted, "b_says": self.predicted_b}
        low, high = self.confidence
        return {name: None if value == ANY else value for name, value in chosen.items()} | {
            "confidence": (low / 100, high / 100),
            "of": self.of,
        }

    @property
    def words(self) -> str:
        """What is selected among the images, or ''."""
        low, high = self.confidence
        parts = [
            cell_in_words(self.true, self.predicted, self.predicted_b),
            f"{self.of.upper()}'s confidence **{low}–{high} %**"
            if self.confidence != WHOLE_RANGE
            else "",
            f"slice **{plain(self.slice)}**" if self.slice != ANY else "",
        ]
        return ", ".join(filter(None, parts))

    @property
    def chips(self) -> dict[str, str]:
        """What is selected among the images, in a word or two each, by its key."""
        low, high = self.confidence
        chosen = {
            TRUE: ("Label", self.true),
            PREDICTED: ("A says", self.predicted),
            PREDICTED_B: ("B says", self.predicted_b),
            SLICE: ("Slice", plain(self.slice) if self.slice != ANY else ANY),
            CONFIDENCE: (
                "Confidence",
                f"{low}–{high} %" if self.confidence != WHOLE_RANGE else ANY,
            ),
        }
        return {key: f"{title}: {value}" for key, (title, value) in chosen.items() if value != ANY}

    @cached_property
    def pair(self) -> tuple[Group, Group] | None:
        """A and B, where both were scored on the same images."""
        if self.b is None or not loading.is_scored(self.b, self.part):
            return None
        of_a, of_b = (loading.predictions(model, self.part) for model in (self.a, self.b))
        return (self.a, self.b) if of_a.same_images(of_b) else None

    @property
    def samples(self) -> pd.DataFrame:
        """A line for each image, with what A says of it and, where they are a pair, B."""
        return loading.samples(self.a, self.b if self.pair else None, self.part)


def default_pair(models: list[Group]) -> tuple[str, str]:
    """The first two trained models of two architectures under one recipe, groups of seeds before
    single runs; else the first two.

    'none' for the second where there is one.
    """
    trained = [model for model in models if model.members[0].trained]
    for first, second in combinations(trained, 2):
        if (
            first.single == second.single
            and first.model != second.model
            and first.recipe == second.recipe
            and first.dataset == second.dataset
        ):
            return first.name, second.name
    first, *others = models
    return first.name, others[0].name if others else NO_MODEL


def cell_in_words(true: str, said_a: str, said_b: str) -> str:
    """'B says **neutral** where the label says **sad**'; any of the three may be 'any'."""
    said = [f"{key} says **{name}**" for key, name in (("A", said_a), ("B", said_b)) if name != ANY]
    label = f"the label says **{true}**"
    if true == ANY:
        return " where ".join(reversed(said))
    return f"{' and '.join(said)} where {label}" if said else label
