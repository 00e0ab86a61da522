"""Intervals of precision, recall and F1, and of A minus B, in closed form.

Precision and recall are shares of images. So is what F1 is made of: with J the images that have
both the label and the prediction, as a share of those that have either (Jaccard), F1 is
2J / (1 + J). Each share has Wilson's interval. Those of the macro F1 and of a difference are put
together from their parts' intervals and correlations (Newcombe, 1998; Zou & Donner, 2008). Nothing
is drawn: the ends stay where they are, and they hold for classes of a dozen images, where a
bootstrap's are too narrow (`benchmarks/coverage.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.scoring.metrics import Counts, macro_f1
from fercore.scoring.statistics import Interval, Z, wilson_bounds

RATIOS = ("precision", "recall", "f1")
_FARTHEST = 40.0  # standard deviations, beyond which p is 0 to every digit

Values = NDArray[np.float64]


class Gaps(NamedTuple):
    """A minus B of each class, (K,) each, from -1 to 1, and the p of no difference: that of the
    level at which the interval ends at 0.
    """

    value: Values
    low: Values
    high: Values
    p_value: Values


def ratio_intervals(confusion: Counts) -> dict[str, tuple[Values, Values]]:
    """The bounds (K,) of each of `RATIOS` for every class, from a confusion matrix (K, K)."""
    return {name: _shares(confusion, name).interval() for name in RATIOS}


def macro_f1_interval(confusion: Counts) -> Interval:
    """Interval of the mean F1 of the classes that occur, from a confusion matrix (K, K)."""
    occurs = (confusion.sum(0) + confusion.sum(1)) > 0
    shares = _shares(confusion, "f1")
    influence = shares.influence[:, :, occurs]
    covariance = np.einsum("tp,tpk,tpl->kl", confusion, influence, influence)
    deviations = np.sqrt(np.diagonal(covariance))
    correlation = _ratio(covariance, np.outer(deviations, deviations))
    np.fill_diagonal(correlation, 1)
    low, high = shares.interval()
    mean, sides = float(macro_f1(confusion)), (shares.value - low, high - shares.value)
    below, above = (
        float(np.sqrt(max(0.0, side[occurs] @ correlation @ side[occurs]))) / max(1, occurs.sum())
        for side in sides
    )
    return Interval(max(0.0, mean - below), min(1.0, mean + above))


def ratio_differences(joint: Counts) -> dict[str, Gaps]:
    """A minus B in each of `RATIOS` on the same images, from their counts (K, K, K): by label, by
    what A says and by what B says.
    """
    return {name: _gaps(joint, name) for name in RATIOS}


@dataclass(frozen=True)
class _Shares:
    """`hits` of `whole` images of each class, (K,) each, and what an image in a cell of the
    confusion matrix adds to a share, (K, K, K), the class last and but for a factor.
    """

    hits: Values
    whole: Values
    influence: Values
    f1: bool

    @property
    def value(self) -> Values:
        return self._read(_ratio(self.hits, self.whole))

    def interval(self, z: Values | float = Z) -> tuple[Values, Values]:
        low, high = wilson_bounds(self.hits, self.whole, z)
        return self._read(low), self._read(high)

    def _read(self, share: Values) -> Values:
        return 2 * share / (1 + share) if self.f1 else share


def _shares(confusion: Counts, name: str) -> _Shares:
    classes = np.arange(len(confusion))
    true = classes[:, None, None] == classes  # (true, 1, class)
    said = classes[:, None] == classes  # (said, class)
    both = true & said
    of = {"precision": said, "recall": true, "f1": true | said}[name]
    counts = confusion[:, :, None]
    hits, whole = (counts * both).sum((0, 1)), (counts * of).sum((0, 1))
    return _Shares(hits, whole, both - _ratio(hits, whole) * of, name == "f1")


def _gaps(joint: Counts, name: str) -> Gaps:
    a, b = _shares(joint.sum(2), name), _shares(joint.sum(1), name)
    common = np.einsum("tab,tak,tbk->k", joint, a.influence, b.influence)
    own_a = np.einsum("tab,tak->k", joint, a.influence**2)
    own_b = np.einsum("tab,tbk->k", joint, b.influence**2)
    correlation = _ratio(common, np.sqrt(own_a * own_b))
    value = a.value - b.value

    def reach(z: Values | float) -> tuple[Values, Values]:
        """How far below and above the difference its interval of that width ends."""
        (low_a, high_a), (low_b, high_b) = a.interval(z), b.interval(z)
        below = _combined(a.value - low_a, high_b - b.value, correlation)
        return below, _combined(high_a - a.value, b.value - low_b, correlation)

    below, above = reach(Z)
    return Gaps(value, value - below, value + above, _p_values(value, reach))


def _p_values(value: Values, reach: Callable[[Values], tuple[Values, Values]]) -> Values:
    from scipy.special import ndtr

    least, most = np.zeros_like(value), np.full_like(value, _FARTHEST)
    for _ in range(40):  # each halves where the interval begins to hold 0
        middle = (least + most) / 2
        below, above = reach(middle)
        holds = np.where(value > 0, below, above) >= np.abs(value)
        least, most = np.where(holds, least, middle), np.where(holds, middle, most)
    p_values: Values = np.where(value == 0, 1.0, 2 * ndtr(-most))
    return p_values


def _combined(one: Values, other: Values, correlation: Values) -> Values:
    """The distance of a difference's end from those of its two parts."""
    squared = one**2 + other**2 - 2 * correlation * one * other
    return np.sqrt(np.maximum(squared, 0))


def _ratio(part: Values, whole: Values) -> Values:
    """0 where the whole is."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
