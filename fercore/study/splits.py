"""Whether an answer holds on fresh splits of all images. Without torch."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fercore.scoring.statistics import CONFIDENCE, Interval
from fercore.study.scored import Scored
from fercore.study.store import StudyStore
from fercore.study.variants import PAIR


@dataclass(frozen=True)
class FreshSplits:
    """A − B in each fold and their mean. folds: fold, difference, seeds; shares from -1 to 1."""

    folds: pd.DataFrame
    difference: float
    interval: Interval


def fresh_splits_answer(stores: list[StudyStore]) -> FreshSplits:
    """CNN minus CNN-LSTM on the test part of each fold, the mean over its seeds, and their mean."""
    lines, ratios = [], []
    for number, store in enumerate(stores, start=1):
        scored = Scored(store, "private")
        cnn, lstm = (scored.correct(model) for model in PAIR)
        seeds = f"{len(cnn)} + {len(lstm)}"
        lines.append((f"fold {number}", cnn.mean() - lstm.mean(), seeds))
        trained = sum(store.info(scored.runs(PAIR[0])[0])["dataset"]["counts"]["Training"])
        ratios.append(cnn.shape[1] / trained)
    folds = pd.DataFrame(lines, columns=["fold", "difference", "seeds"])
    differences = folds["difference"].to_numpy()
    interval = resampled_interval(differences, float(np.mean(ratios)))
    return FreshSplits(folds, float(differences.mean()), interval)


def resampled_interval(differences: np.ndarray, tested_per_trained: float) -> Interval:
    """Interval of the mean of differences (J,) over J splits (Nadeau and Bengio, 2003).

    The training parts overlap, so the variance of the mean is not s²/J but s² (1/J + n₂/n₁), with
    n₂ images tested and n₁ trained on; Student's with J - 1 degrees of freedom.
    """
    from scipy.special import stdtrit

    splits = len(differences)
    error = np.sqrt(differences.var(ddof=1) * (1 / splits + tested_per_trained))
    half = float(stdtrit(splits - 1, 0.5 + CONFIDENCE / 2) * error)
    mean = float(differences.mean())
    return Interval(mean - half, mean + half)
