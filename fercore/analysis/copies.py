"""Copies of training images in a test: how much of a better score on them is knowing them by heart,
and how much is that they are easy. Without torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercore.errors import RunError
from fercore.runs.artifacts import Run
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.groups import Scores, group_difference
from fercore.scoring.statistics import Interval

_KNOWN = 0.01  # by which Training may be known better than PublicTest, with nothing by heart


@dataclass(frozen=True)
class CopiesEffect:
    """Accuracy on copies minus accuracy elsewhere, shares from -1 to 1.

    gap: the model's. easy: that of a model which has learned no image by heart. more: the first
    minus the second, what knowing them may add, with its interval for new seeds and new images.
    """

    gap: float
    easy: float
    interval: Interval

    @property
    def more(self) -> float:
        return self.gap - self.easy


def copies_effect(
    model: GroupPredictions, unlearned: GroupPredictions, copies: NDArray[np.bool_]
) -> CopiesEffect:
    """Both on the same images, of which `copies`, bool (N,), are copies of training images.

    Raises `ValueError` where there are fewer than two copies or two others.
    """
    if min(copies.sum(), (~copies).sum()) < 2:
        raise ValueError("two copies and two other images at least")
    gap, easy = (
        float(one.correct[:, copies].mean() - one.correct[:, ~copies].mean())
        for one in (model, unlearned)
    )
    spread = group_difference(*(_around(one.correct, copies) for one in (model, unlearned)))
    half, more = spread.interval().high - spread.value, gap - easy
    return CopiesEffect(gap, easy, Interval(more - half, more + half))


def _around(right: NDArray[np.bool_], copies: NDArray[np.bool_]) -> Scores:
    """Scores (S, N) whose spread is that of the accuracy on copies minus that elsewhere."""
    scores = np.zeros(right.shape)
    for part, sign in ((copies, 1), (~copies, -1)):
        n = part.sum()
        weight = sign * len(part) / n * np.sqrt(n / (n - 1))  # a part's own degrees of freedom
        scores[:, part] = weight * (right[:, part] - right[:, part].mean())
    return scores


def training_accuracies(run: Run) -> tuple[float, float] | None:
    """Accuracy on Training and PublicTest in the chosen epoch; None of what has no such epochs."""
    try:
        history, chosen = run.history(), run.info["best_epoch"]
    except (RunError, KeyError):
        return None
    columns = ["train_accuracy", "val_accuracy"]
    found = history.loc[history["epoch"] == chosen, columns].to_numpy(float)
    return (float(found[0, 0]), float(found[0, 1])) if len(found) else None


def unlearned_run(runs: Iterable[Run], of: Run) -> Run | None:
    """Of the runs on the same dataset, the best that is no better on Training than on PublicTest.

    Such a one has learned no image by heart.
    """
    found = []
    for run in runs:
        accuracies = training_accuracies(run) if run.dataset == of.dataset else None
        if accuracies and accuracies[0] <= accuracies[1] + _KNOWN:
            found.append((accuracies[1], run))
    return max(found, key=lambda pair: pair[0])[1] if found else None
