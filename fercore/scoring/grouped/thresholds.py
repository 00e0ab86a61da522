"""What is left of a model that answers nothing below a threshold for each class.

Each class has a threshold on the probability of its answers, chosen on PublicTest as the lowest
with which a wish holds there, and judged on other images (selective classification, Geifman &
El-Yaniv, 2017, by class). Each seed of a group has thresholds of its own. Without torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.scoring.grouped.intervals import Share, share_of
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.predictions import Predictions, image_count
from fercore.scoring.statistics import Interval, wilson_bounds

Shares = NDArray[np.bool_]
Thresholds = dict[str, NDArray[np.float64]]  # of each class (7,), by the name of the seed


@dataclass(frozen=True)
class Wish:
    """precision: of the answers of class k, at least the share `value` is to be right.
    false_alarms: of the images of other classes, at most `value` is to be answered so.
    sure: the end of Wilson's interval, not the share itself, is to reach it: what just holds on
    the images that it was chosen on is often missed on others.
    """

    k: int
    metric: Literal["precision", "false_alarms"]
    value: float
    sure: bool = False


def threshold_for(public: Predictions, *wishes: Wish) -> float:
    """The lowest probability of a class, among the images of which it is the most probable, such
    that all wishes, which are about it, hold of all answers at or above it. 0 where they hold of
    all, so that none needs to be withheld; infinity where they hold at no threshold.

    Raises `RunError` where there are no images.
    """
    image_count(public)
    k = wishes[0].k
    said = public.predicted == k
    confidence = public.confidence[said]
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], public.correct[said][order]
    if not len(right):
        held = all(wish.metric != "precision" or wish.value <= 0 for wish in wishes)
        return 0.0 if held else float("inf")
    others = max(1, int((public.labels != k).sum()))
    holds = np.logical_and.reduce([_holds(wish, right, others) for wish in wishes])
    ends = np.append(np.diff(confidence) != 0, True)  # equal ones go together
    last = np.flatnonzero(holds & ends)
    if len(last) and last[-1] == len(right) - 1:
        return 0.0
    return float(confidence[last[-1]]) if len(last) else float("inf")


def _holds(wish: Wish, right: NDArray[np.bool_], others: int) -> NDArray[np.bool_]:
    """Whether the wish holds of the first 1, 2, … answers (N,), the surest first.

    right: which are. others: how many images are not of the class, one at least.
    """
    answered, hits = np.arange(1, len(right) + 1), np.cumsum(right)
    if wish.metric == "precision":
        reached = wilson_bounds(hits, answered)[0] if wish.sure else hits / answered
        return np.asarray(reached >= wish.value)
    alarms, of = answered - hits, np.full(len(right), others)
    reached = wilson_bounds(alarms, of)[1] if wish.sure else alarms / of
    return np.asarray(reached <= wish.value)


def choose_thresholds(public: GroupPredictions, wishes: Sequence[Wish]) -> Thresholds:
    """Each seed's thresholds, with which every wish holds on PublicTest; 0 for classes of which
    nothing is wished.
    """
    of_class = {k: [wish for wish in wishes if wish.k == k] for k in {wish.k for wish in wishes}}
    found = {}
    for name, table in zip(public.names, public.tables, strict=True):
        own = np.zeros(len(CLASSES))
        for k, wished in of_class.items():
            own[k] = threshold_for(table, *wished)
        found[name] = own
    return found


@dataclass(frozen=True)
class Withheld:
    """A group that withholds every answer below its thresholds.

    thresholds: (S, 7). Each share is the mean over the seeds that answer any of the images it is a
    share of; NaN, interval included, where none does. Intervals are Wilson's for one run, and cross
    seeds and images for a group.
    """

    group: GroupPredictions
    thresholds: NDArray[np.float64]

    @cached_property
    def answered(self) -> Shares:
        """Whether each seed answers (S, N)."""
        needed = np.take_along_axis(self.thresholds, self.group.predicted, axis=1)
        return np.asarray(self.group.confidence >= needed)

    def silent(self, k: int) -> int:
        """Of how many seeds no threshold gives what was wished of class k: they never say it."""
        return int(np.isinf(self.thresholds[:, k]).sum())

    def threshold(self, k: int) -> float:
        """Of class k, the mean over the seeds that say it; infinity where none does."""
        own = self.thresholds[:, k]
        return float(own[np.isfinite(own)].mean()) if np.isfinite(own).any() else float("inf")

    def coverage(self) -> Share:
        """Of all images, the share that is answered."""
        return _share(self.answered, np.ones_like(self.answered))

    def accuracy(self) -> Share:
        """Of the images that are answered, the share that is right."""
        return _share(self.answered & self.group.correct, self.answered)

    def precision(self, k: int) -> Share:
        """Of the answers of class k, the share that is right."""
        return _share(self._said(k) & self.group.correct, self._said(k))

    def recall(self, k: int) -> Share:
        """Of the images of class k, the share that is answered, and so."""
        return _share(self._said(k) & self._true(k), self._true(k))

    def false_alarms(self, k: int) -> Share:
        """Of the images of other classes, the share that is answered so."""
        return _share(self._said(k) & ~self._true(k), ~self._true(k))

    def answers(self, k: int) -> Share:
        """Of the images of which class k is the most probable, the share that is answered."""
        said = self.group.predicted == k
        return _share(said & self.answered, said)

    def _said(self, k: int) -> Shares:
        return np.asarray(self.answered & (self.group.predicted == k))

    def _true(self, k: int) -> Shares:
        return np.broadcast_to(self.group.labels == k, self.answered.shape)


def withhold(group: GroupPredictions, thresholds: Mapping[str, NDArray[np.float64]]) -> Withheld:
    """The group with those thresholds, without seeds that have none; for all answers, `{}`.

    Raises `RunError` where no seed has any.
    """
    if not thresholds:
        return Withheld(group, np.zeros((group.seeds, len(CLASSES))))
    keep = [place for place, name in enumerate(group.names) if name in thresholds]
    if not keep:
        raise RunError("No seed that was scored on these images was scored on PublicTest too.")
    names = tuple(group.names[place] for place in keep)
    own = GroupPredictions(
        group.rows, group.pixels, group.labels, group.probs[keep], names, group.left_out
    )
    return Withheld(own, np.stack([thresholds[name] for name in names]))


def _share(part: Shares, whole: Shares) -> Share:
    known = whole.any(1)
    if not known.any():
        return Share(float("nan"), Interval(float("nan"), float("nan")), 0.0)
    return share_of(part[known], whole[known])


def left_per_class(left: Withheld, wishes: Sequence[Wish]) -> pd.DataFrame:
    """A line for each class: what is left of it on these images, all shares from 0 to 1.

    Columns: class, support (its images), n (answers of it; a mean over seeds), wanted (NaN where
    nothing is), threshold (infinity where it is never said), silent (the number of such seeds),
    precision, recall and false_alarms with their intervals, answers (of what the model would call
    so, the share that is answered), recall_of_all (where nothing is withheld).
    """
    everything, wanted = withhold(left.group, {}), {wish.k: wish.value for wish in wishes}
    lines = []
    for k, name in enumerate(CLASSES):
        line: dict[str, object] = {
            "class": name,
            "support": int((left.group.labels == k).sum()),
            "n": left.precision(k).n,
            "wanted": wanted.get(k, float("nan")),
            "threshold": left.threshold(k),
            "silent": left.silent(k),
            "answers": left.answers(k).value,
            "recall_of_all": everything.recall(k).value,
        }
        for metric in ("precision", "recall", "false_alarms"):
            share: Share = getattr(left, metric)(k)
            line |= {metric: share.value}
            line |= {f"{metric}_low": share.interval.low, f"{metric}_high": share.interval.high}
        lines.append(line)
    return pd.DataFrame(lines)
