"""Two groups on the same images: is there a difference, is it large, are they equivalent?

The models are fixed; seeds lie within models, images are crossed with both. Seeds and images are
drawn anew; what is conditional is what the seeds of a group share: architecture, recipe, training
images. Two single runs are compared as such, image by image. Without torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercore.scoring import evaluation
from fercore.scoring.grouped.intervals import difference_interval, share_interval
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import Scores, crossed_draws, group_difference, group_mean
from fercore.scoring.predictions import check_paired
from fercore.scoring.statistics import LEVEL, Interval, percentiles, wilson_interval

MARGIN = 0.01  # within which two recipes count as equal (docs/protocol.md)
MCNEMAR, STUDENT, BOOTSTRAP = "exact McNemar", "Student, crossed", "bootstrap, crossed"
_NINETY = 1 - 2 * LEVEL  # of the interval that two one-sided tests compare with the margin
_NEAR = 0.001  # by which Student's interval and the bootstrap's may differ


@dataclass(frozen=True)
class CrossedDifference:
    """A minus B in shares, of groups, with the decisions of the protocol.

    interval: Student's, or where they disagree by more than a tenth of a point the wider one of
    that and the bootstrap's; equivalence_interval: the same of 90 %. p_value and equivalence_p are
    of the same one: below 0.05 where the interval leaves out 0, or lies in the margin.
    detectable: the smallest true difference that so many seeds would have shown with a probability
    of 0.8: Student's, larger by as much as the interval is wider than his. shares: of the variance,
    by seeds, images and the rest, with sum 1. seeds: of A and of B.
    """

    value: float
    interval: Interval
    equivalence_interval: Interval
    student: Interval
    bootstrap: Interval
    p_value: float
    equivalence_p: float
    detectable: float
    shares: tuple[float, float, float]
    seeds: tuple[int, int]
    images: int

    @property
    def by_bootstrap(self) -> bool:
        """Whether the interval and the p are the bootstrap's."""
        return self.interval != self.student

    @property
    def different(self) -> bool:
        """Whether the test finds a difference: the interval does not hold 0."""
        return self.p_value < LEVEL

    @property
    def larger(self) -> bool:
        """Whether the interval lies wholly beyond the margin, on one side."""
        return self.interval.low > MARGIN or self.interval.high < -MARGIN

    @property
    def equivalent(self) -> bool:
        """Whether the 90 % interval lies wholly within the margin."""
        bounds = self.equivalence_interval
        return bounds.low > -MARGIN and bounds.high < MARGIN


def crossed_difference(a: Scores, b: Scores) -> CrossedDifference:
    """Of scores (S, N) and (S', N) on the same images; of one image nothing is told."""
    estimate, draws = group_difference(a, b), crossed_draws(a, b)
    student, bootstrap = difference_interval(estimate), Interval(*map(float, percentiles(draws)))
    of_ninety = Interval(*map(float, percentiles(draws, _NINETY)))
    interval, equivalence = (
        _answer(student, bootstrap),
        _answer(difference_interval(estimate, _NINETY), of_ninety),
    )
    wider = 1.0 if interval is student else _width(interval) / _width(student)
    return CrossedDifference(
        estimate.value,
        interval,
        equivalence,
        student,
        bootstrap,
        estimate.p_value if interval is student else 2 * _beyond(draws, 0.0),
        _outside(draws) if equivalence is of_ninety else estimate.equivalence_p(MARGIN),
        estimate.detectable * wider,
        estimate.shares,
        (len(a), len(b)),
        a.shape[1],
    )


def _answer(student: Interval, bootstrap: Interval) -> Interval:
    apart = max(abs(one - other) for one, other in zip(student, bootstrap, strict=True))
    if apart <= _NEAR:
        return student
    return max(student, bootstrap, key=_width)


def _width(bounds: Interval) -> float:
    return bounds.high - bounds.low


def _beyond(draws: NDArray[np.float64], bound: float) -> float:
    """The share of draws on the side of `bound` that holds fewer; of as many and one, never 0."""
    fewer = min(np.count_nonzero(draws <= bound), np.count_nonzero(draws >= bound))
    return min(0.5, (fewer + 1) / (len(draws) + 1))


def _outside(draws: NDArray[np.float64]) -> float:
    """The share of draws beyond the margin, on the side where more are."""
    more = max(np.count_nonzero(draws <= -MARGIN), np.count_nonzero(draws >= MARGIN))
    return float((more + 1) / (len(draws) + 1))


@dataclass(frozen=True)
class GroupComparison:
    """Accuracy of A and B on `n` images, and A minus B; shares from 0 to 1.

    test: what `p_value` is of. only_a, only_b: images that one alone gets right, of two single
    runs; crossed: what there is to say of groups. The other is None.
    """

    n: int
    seeds_a: int
    seeds_b: int
    accuracy_a: float
    interval_a: Interval
    accuracy_b: float
    interval_b: Interval
    difference: float
    interval: Interval
    p_value: float
    test: str
    only_a: int | None = None
    only_b: int | None = None
    crossed: CrossedDifference | None = None
    margin: float = MARGIN


def compare(a: GroupPredictions, b: GroupPredictions) -> GroupComparison:
    """Two groups, or two runs by McNemar's test and a paired bootstrap.

    Raises `RunError` where the two are not about the same images.
    """
    if a.single and b.single:
        own = evaluation.compare(a.single, b.single)
        bounds = [wilson_interval(table.correct.sum(), own.n) for table in (a.single, b.single)]
        return GroupComparison(
            own.n, 1, 1, own.accuracy_a, bounds[0], own.accuracy_b, bounds[1],
            own.difference, own.interval, own.p_value, MCNEMAR, own.only_a, own.only_b,
        )  # fmt: skip
    check_paired(a, b)
    found = crossed_difference(a.correct, b.correct)
    return GroupComparison(
        len(a), a.seeds, b.seeds, float(a.correct.mean()), accuracy_interval(a),
        float(b.correct.mean()), accuracy_interval(b), found.value, found.interval,
        found.p_value, BOOTSTRAP if found.by_bootstrap else STUDENT, crossed=found,
    )  # fmt: skip


def accuracy_interval(group: GroupPredictions) -> Interval:
    """Of the mean accuracy, for new seeds and new images; Wilson's of one run."""
    if group.single:
        return wilson_interval(group.single.correct.sum(), len(group))
    return share_interval(group_mean(group.correct), len(group))
