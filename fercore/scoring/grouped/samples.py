"""Image by image: what the seeds of one or two groups say. Without torch."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.metrics import one_hot
from fercore.scoring.predictions import check_paired
from fercore.scoring.samples import of_sureness


def sample_table(a: GroupPredictions, b: GroupPredictions | None = None) -> pd.DataFrame:
    """One line per image: what A, and B on the same images, say of it.

    The columns are those of `samples.sample_table`. Of several seeds, what is said is what most of
    them say (of as many, what has the higher mean probability), and it is right where that is the
    label; confidence is the mean probability of that class, loss and margin are means; and a_wrong
    is the share of seeds that are wrong, from 0 to 1. Where one seed says labels alone, how sure
    they are is NaN. Raises `RunError` where the images differ.
    """
    if b is not None:
        check_paired(a, b)
    names = np.array(CLASSES)
    frame = pd.DataFrame({"row": a.rows, "pixels": a.pixels, "label": names[a.labels]})
    for key, group in {"a": a, "b": b}.items():
        if group is None:
            continue
        mean = group.probs.mean(0)
        said = (group.seeds * vote_shares(group) + mean / 2).argmax(1)
        frame[f"{key}_predicted"] = names[said]
        frame[f"{key}_confidence"] = mean[np.arange(len(group)), said]
        frame[f"{key}_correct"] = said == group.labels
        frame[f"{key}_loss"] = np.mean([table.loss for table in group.tables], axis=0)
        frame[f"{key}_margin"] = np.mean([table.margin for table in group.tables], axis=0)
        if group.labels_only:
            frame[of_sureness(key)] = np.nan
        if group.seeds > 1:
            frame[f"{key}_wrong"] = group.wrong_share
    return frame


def vote_shares(group: GroupPredictions) -> NDArray[np.float64]:
    """Of the seeds, the share that say each class (N, 7)."""
    votes = one_hot(group.predicted.ravel(), len(CLASSES)).reshape(*group.probs.shape)
    shares: NDArray[np.float64] = votes.mean(0)
    return shares
