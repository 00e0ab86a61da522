"""Faces that every seed gets wrong, and what FER+'s raters say of their labels."""

import numpy as np
import pandas as pd

from dashboard.base.selection import Selection
from dashboard.faces import face_loading
from fercore.labels import CLASSES
from fercore.scoring.samples import always_wrong
from fercore.scoring.statistics import wilson_interval
from fercore.wording import count, interval, percent


def always_wrong_in_words(samples: pd.DataFrame, selection: Selection) -> str:
    """How many faces no seed of any model in the table gets right and, where FER+'s votes are
    here, how often they dispute those labels of the dataset's and the others.
    """
    every = always_wrong(samples).to_numpy()
    models = " or ".join(f"of {key}" for key in selection.paired_models)
    found = f"**No seed {models} is right on {count(int(every.sum()))} faces**, "
    found += f"{percent(float(every.mean()))} of all."
    votes = face_loading.votes(selection.a.run)
    if votes is None or selection.labels != "dataset" or every.all() or not every.any():
        return found
    labels = samples["label"].map(CLASSES.index).to_numpy()
    disputed = ~votes.agreement_with(labels, samples["row"].to_numpy())
    told = (f"{_share(disputed[kind])} {where}" for kind, where in ((every, "of these"),
            (~every, "of the others")))  # fmt: skip
    return (
        f"{found} FER+'s raters gave something else more votes than the label on "
        f"{', on '.join(told)}."
    )


def _share(held: np.ndarray) -> str:
    return f"{percent(float(held.mean()))} {interval(wilson_interval(held.sum(), len(held)))}"
