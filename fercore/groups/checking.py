"""Whether a model is good enough: what it has of each required figure, with intervals."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, NamedTuple

from fercore.errors import ConfigError
from fercore.groups.costs import Cost, measured_cost
from fercore.groups.group import Group
from fercore.groups.requirements import Requirement
from fercore.labels import CLASSES
from fercore.runs.words import images_title
from fercore.scoring.grouped.calibration import calibration_scores
from fercore.scoring.grouped.evaluation import class_table, evaluate, macro_auc
from fercore.scoring.grouped.intervals import Share
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.grouped.thresholds import Withheld, choose_thresholds, withhold
from fercore.scoring.statistics import Interval
from fercore.wording import bounds_of

_OF_PROBABILITIES = {"auc", "macro_auc", "ece", "brier", "log_loss"}
_OF_ANSWERS = {"accuracy", "coverage", "precision", "recall", "false_alarms"}
_COSTS = {"latency_ms", "size_mb", "memory_mb", "parameters"}
_NO_INTERVAL = Interval(math.nan, math.nan)


class Finding(NamedTuple):
    """What there is of a required figure; NaN for an interval that it has not. `met` by the value,
    or by the end of the interval that is further from what is wanted.
    """

    requirement: Requirement
    value: float
    interval: Interval
    met: bool


def check(
    group: Group,
    requirements: Sequence[Requirement],
    part: str = "private",
    *,
    sure: bool = False,
    thresholds: bool = False,
) -> list[Finding]:
    """What a group, or a run, has of each required figure on a part, in their order.

    sure: the interval too is to lie on the right side, also where thresholds are chosen.
    thresholds: whatever lies below the threshold with which the required precisions and false
    alarms hold on PublicTest is not answered; see `scoring.grouped.thresholds`.

    Raises `ConfigError` for figures that there are none of, `RunError` where the group was not
    scored on the part, or has no weights to be measured.
    """
    figures = _Figures(group, part, requirements if thresholds else (), sure=sure)
    findings = []
    for wanted in requirements:
        value, interval = figures.of(wanted)
        end = interval.low if wanted.bound == "min" else interval.high
        exact = wanted.metric in _COSTS and math.isnan(end)  # a size is no estimate
        judged = [value, end] if sure and not exact else [value]
        findings.append(Finding(wanted, value, interval, all(map(wanted.allows, judged))))
    return findings


class _Figures:
    """The figures of a group on a part, each computed when it is first asked for."""

    def __init__(
        self, group: Group, part: str, chosen_for: Sequence[Requirement], *, sure: bool
    ) -> None:
        self.group, self.part = group, part
        self.wishes = [replace(wish, sure=sure) for one in chosen_for if (wish := one.wish)]
        if chosen_for and not self.wishes:
            raise ConfigError(
                "--thresholds chooses for wanted precisions and false alarms, and there are none. "
                "Add --min 'precision[fear]=0.80', say."
            )
        if self.wishes and part == "public":
            raise ConfigError(
                "The thresholds are chosen on PublicTest, so they are not judged on it. Leave out "
                "--part public."
            )

    def of(self, wanted: Requirement) -> tuple[float, Interval]:
        """A figure and its interval."""
        if wanted.metric in _COSTS:
            return self._cost(wanted.metric)
        self._check_known(wanted)
        if self.wishes or wanted.metric in ("coverage", "false_alarms"):
            share = self._share(wanted)
            return share.value, share.interval
        if wanted.k is not None:
            line = self.classes[wanted.k]
            return line[wanted.metric], Interval(*bounds_of(line, wanted.metric))
        return _OF_ALL[wanted.metric](self.answers)

    def _check_known(self, wanted: Requirement) -> None:
        """Raise `ConfigError` for a figure of which nothing is known."""
        metric, k = wanted.metric, wanted.k
        if self.wishes and metric not in _OF_ANSWERS:
            raise ConfigError(
                f"With --thresholds some images have no answer, and {metric} is not known: leave "
                f"it out. Known are {', '.join(sorted(_OF_ANSWERS))}."
            )
        unsure = metric in _OF_PROBABILITIES or self.wishes
        if unsure and self.answers.labels_only:
            what = "thresholds" if self.wishes else metric
            raise ConfigError(
                f"{self.group.name} says labels alone, so it has no {what}: leave it out, or "
                "import its probabilities."
            )
        if k is not None and not (self.answers.labels == k).any():
            raise ConfigError(
                f"{images_title(self.group.dataset, self.part)} has no image of "
                f"{CLASSES[k]}: leave out {wanted.figure}."
            )

    @cached_property
    def answers(self) -> GroupPredictions:
        return self.group.predictions(self.part)

    @cached_property
    def classes(self) -> list[dict[Hashable, Any]]:
        return class_table(self.answers).to_dict("records")

    @cached_property
    def withheld(self) -> Withheld:
        if not self.wishes:
            return withhold(self.answers, {})
        public = self.group.home.predictions("public")
        return withhold(self.answers, choose_thresholds(public, self.wishes))

    @cached_property
    def cost(self) -> Cost:
        return measured_cost(self.group)

    def _share(self, wanted: Requirement) -> Share:
        figure: Callable[..., Share] = getattr(self.withheld, wanted.metric)
        return figure() if wanted.k is None else figure(wanted.k)

    def _cost(self, metric: str) -> tuple[float, Interval]:
        run = self.group.run
        if metric == "parameters":
            known: float | None = run.info["parameters"]
        elif metric == "size_mb":
            known = run.model_file().stat().st_size / 1e6
        elif metric == "latency_ms":
            return self.cost.milliseconds, self.cost.interval
        else:
            known = self.cost.memory and self.cost.memory / 1e6
        if known is None:
            raise ConfigError(f"Of {run.run_id} {metric} is not known here: leave it out.")
        return float(known), _NO_INTERVAL


def _evaluated(name: str, answers: GroupPredictions) -> tuple[float, Interval]:
    scores = evaluate(answers)
    return scores[name], Interval(*scores[f"{name}_interval"])


def _ece(answers: GroupPredictions) -> tuple[float, Interval]:
    scores = calibration_scores(answers)
    return scores.debiased.value, scores.debiased.interval


def _brier(answers: GroupPredictions) -> tuple[float, Interval]:
    scores = calibration_scores(answers)
    return scores.brier, scores.brier_interval


def _log_loss(answers: GroupPredictions) -> tuple[float, Interval]:
    scores = calibration_scores(answers)
    return scores.nll, scores.nll_interval


_OF_ALL: Mapping[str, Callable[[GroupPredictions], tuple[float, Interval]]] = {
    "accuracy": partial(_evaluated, "accuracy"),
    "macro_f1": partial(_evaluated, "macro_f1"),
    "macro_auc": macro_auc,
    "ece": _ece,
    "brier": _brier,
    "log_loss": _log_loss,
}
