"""The contrasts that `docs/protocol.md` plans, in families, over seeds and images.

Within a family p is corrected for the number of contrasts (Holm, 1979). The interval of a contrast
is Student's at the level at which Holm's procedure comes to test it: it holds 0 exactly where the
corrected p is `LEVEL` or more, and in a family of one it is the usual one. Without torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.models import MODELS
from fercore.scoring.grouped.comparison import CrossedDifference, crossed_difference
from fercore.scoring.groups import Estimate, group_contrast
from fercore.scoring.statistics import LEVEL, holm
from fercore.study.conditions import CONDITIONS
from fercore.study.scored import Scored
from fercore.study.variants import HEADS, PAIR, RANDOM_ORDER, SEES_ALL, Study, Variant

PRIMARY, STATES, ORDER = "primary", "last state", "order"
PLANNED_HEADS, CONDITIONS_FAMILY, OF_CLASSES = "heads", "conditions", "classes"
OTHER_HEADS, UNDER_CHANGE = "other heads", "under each change"
PLANNED_PART = "clean"  # the images of the protocol; on others nothing is planned
EXPLORATORY = frozenset({OTHER_HEADS, UNDER_CHANGE})  # not in the plan
MINUS = "−"


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of variants' accuracies; label: the class whose images it is of."""

    name: str
    title: str
    weights: dict[str, float]
    label: int | None = None

    def scores(self, scored: Scored) -> list[NDArray[np.bool_]]:
        """What its variants have right: (S, N) each."""
        chosen = slice(None) if self.label is None else scored.labels == self.label
        return [scored.correct(variant)[:, chosen] for variant in self.weights]

    def estimate(self, scored: Scored) -> Estimate:
        return group_contrast(self.scores(scored), list(self.weights.values()))


def primary(scored: Scored) -> CrossedDifference | None:
    """The primary contrast, A minus B; None before both are trained."""
    contrast = next(iter(planned(scored)[PRIMARY]), None)
    return crossed_difference(*contrast.scores(scored)) if contrast else None


def planned(scored: Scored) -> dict[str, list[Contrast]]:
    """The families, as far as their variants are trained."""
    there, (cnn, lstm) = scored.variants, PAIR
    heads = [name for name in SEES_ALL if name in there]
    conditions = [
        name
        for name in CONDITIONS
        if name and {Variant(model, name).name for model in PAIR} <= there
    ]
    minus = f" {MINUS} {MODELS[lstm].title}"
    families = {
        PRIMARY: [Contrast(lstm, MODELS[cnn].title + minus, {cnn: 1, lstm: -1})],
        STATES: [
            Contrast(
                "all states", f"heads that see all states{minus}",
                dict.fromkeys(heads, 1 / len(heads)) | {lstm: -1},
            )
        ] if heads else [],
        ORDER: [Contrast(RANDOM_ORDER, "random order" + minus, {RANDOM_ORDER: 1, lstm: -1})],
        PLANNED_HEADS: [_against_cnn(name) for name in HEADS],
        CONDITIONS_FAMILY: [_changed(name) for name in conditions],
        OF_CLASSES: [
            Contrast(
                name, f"recall of {name}, {MODELS[cnn].title}{minus}", {cnn: 1, lstm: -1}, label
            )
            for label, name in enumerate(CLASSES)
            if (scored.labels == label).sum() > 1
        ],
    }  # fmt: skip
    return {
        family: [one for one in contrasts if set(one.weights) <= there]
        for family, contrasts in families.items()
    }


def exploratory(scored: Scored, study: Study) -> dict[str, list[Contrast]]:
    """What is compared beside the plan: other heads, and the two models under each change."""
    cnn = PAIR[0]
    others = [
        _against_cnn(variant.name)
        for variant in study.variants
        if not variant.condition and variant.model not in (*PAIR, *HEADS)
        and {variant.name, cnn} <= scored.variants
    ]  # fmt: skip
    changed = []
    for variant in study.variants:
        twin = study.without_lstm(variant.condition)
        if not variant.condition or twin is None or not variant.recurrent:
            continue
        if {variant.name, twin.name} <= scored.variants:
            title = f"{MODELS[twin.model].title} {MINUS} {variant.title}"
            changed.append(Contrast(variant.name, title, {twin.name: 1, variant.name: -1}))
    return {OTHER_HEADS: others, UNDER_CHANGE: changed}


def contrast_table(scored: Scored, study: Study, result: CrossedDifference | None) -> pd.DataFrame:
    """A line per contrast, families in the protocol's order, the exploratory ones after them.

    result: the primary contrast, whose interval and p its line has.

    Columns: family, contrast, title; difference, difference_low, difference_high (shares from -1 to
    1, the interval as the module's docstring tells); p_value; p_holm, corrected within the family;
    of_seeds (of each variant: '20 + 20'); planned (bool).
    """
    families = planned(scored) | exploratory(scored, study)
    tables = [
        family_table(name, own, scored, declared=study.scored_last)
        for name, own in families.items()
        if own
    ]
    if not tables:
        return pd.DataFrame(columns=_COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    if result:
        own = table["family"] == PRIMARY
        table.loc[own, ["difference_low", "difference_high"]] = tuple(result.interval)
        table.loc[own, ["p_value", "p_holm"]] = result.p_value
    return table


def family_table(
    family: str, contrasts: list[Contrast], scored: Scored, *, declared: bool
) -> pd.DataFrame:
    """A line per contrast of a family; see `contrast_table`. declared: whether the study had been
    before it was trained.
    """
    estimates = [contrast.estimate(scored) for contrast in contrasts]
    p_values = [estimate.p_value for estimate in estimates]
    lines = [
        (
            family, contrast.name, contrast.title, estimate.value, *estimate.interval(1 - level),
            estimate.p_value, p_holm, _seeds(contrast, scored),
            declared and family not in EXPLORATORY and scored.part == PLANNED_PART,
        )
        for contrast, estimate, level, p_holm in zip(
            contrasts, estimates, holm_levels(p_values), holm(p_values), strict=True
        )
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=_COLUMNS)


def holm_levels(p_values: Iterable[float]) -> NDArray[np.float64]:
    """The level at which Holm's procedure tests each: p lies below it exactly where the corrected
    p lies below `LEVEL`.

    >>> [round(float(level), 4) for level in holm_levels([0.01, 0.04, 0.03])]
    [0.0167, 0.0333, 0.025]
    """
    p_values = np.asarray(list(p_values), float)
    order = np.argsort(p_values, kind="stable")
    steps = np.arange(len(p_values), 0, -1)
    scaled = np.maximum.accumulate(p_values[order] * steps)
    levels = np.empty_like(p_values)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = LEVEL * p_values[order] / scaled
    levels[order] = np.where(scaled > 0, own, LEVEL / steps)
    return levels


_COLUMNS = [
    "family", "contrast", "title", "difference", "difference_low", "difference_high", "p_value",
    "p_holm", "of_seeds", "planned",
]  # fmt: skip


def _against_cnn(variant: str) -> Contrast:
    cnn = PAIR[0]
    title = f"{MODELS[variant].title} {MINUS} {MODELS[cnn].title}"
    return Contrast(variant, title, {variant: 1, cnn: -1})


def _changed(condition: str) -> Contrast:
    """A − B under a changed recipe, minus A − B as declared."""
    cnn, lstm = PAIR
    own = [Variant(model, condition).name for model in PAIR]
    return Contrast(
        condition, CONDITIONS[condition].title, {own[0]: 1, own[1]: -1, cnn: -1, lstm: 1}
    )


def _seeds(contrast: Contrast, scored: Scored) -> str:
    return " + ".join(str(len(scored.runs(variant))) for variant in contrast.weights)
