"""What predictions are scored against: the dataset's labels, or others laid over them.

FER+'s ten raters (Barsoum et al., 2016) saw something else than FER2013's label in a third of the
images. Images that the other labels say nothing of are left out, and counted. Without torch.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.votes import Votes, votes_for
from fercore.errors import ConfigError
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.predictions import Predictions

LABELS = {
    "dataset": "the dataset's",
    "ferplus": "FER+'s plurality",
    "agreed": "FER+, where more than half agree",
    "verdicts": "your verdicts over the dataset's",
}
# Other labels than the dataset's that a model may be trained by.
TRAINED_BY = {
    "ferplus": "FER+'s plurality",
    "agreed": "FER+ where more than half agree",
    "votes": "FER+'s votes",
}
Whole = NDArray[np.int64]
Laid = tuple[Whole, NDArray[np.bool_]]  # labels (N,), and which images (N,) have one


@dataclass(frozen=True)
class Labelling:
    """Labels other than the dataset's.

    name: a key of `LABELS`. version: another one where a label is another. lay: from images' rows,
    pixel hashes and labels, each (N,), to the labels (N,) and which images to keep.
    """

    name: str
    version: str
    lay: Callable[[Whole, Whole, Whole], Laid]

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A stored table of predictions with these labels, without the images that have none."""
        columns = (frame[name].to_numpy(np.int64) for name in ("row", "pixels", "label"))
        labels, keep = self.lay(*columns)
        return frame.assign(label=labels.astype(np.int8))[keep]


Answers = TypeVar("Answers", Predictions, GroupPredictions)


class Relabelled(NamedTuple, Generic[Answers]):
    """Predictions with other labels; how many labels are others, how many images left out."""

    predictions: Answers
    relabelled: int
    left_out: int


def relabelled(predictions: Answers, labelling: Labelling) -> Relabelled[Answers]:
    """The same predictions, a run's or a group's, scored against other labels."""
    labels, keep = labelling.lay(predictions.rows, predictions.pixels, predictions.labels)
    return Relabelled(
        replace(predictions, labels=labels).where(keep),
        relabelled=int((labels != predictions.labels)[keep].sum()),
        left_out=int((~keep).sum()),
    )


def votes_on(dataset: str, frame: pd.DataFrame) -> Votes | None:
    """FER+'s votes on a stored table's images; None where these are not `fer2013.csv`'s.

    dataset: the name of the set that they belong to.
    """
    return votes_for(dataset, frame["row"].to_numpy(), frame["usage"].to_numpy())


def by_votes(name: str, votes: Votes) -> Labelling:
    """FER+'s labels, 'ferplus' or 'agreed', for images whose rows are those of `fer2013.csv`."""

    def lay(rows: Whole, pixels: Whole, given: Whole) -> Laid:
        labels = votes.labels_of(rows, agreed=name == "agreed")
        return np.where(labels < 0, given, labels), labels >= 0

    return Labelling(name, f"{name}-{votes.fingerprint}", lay)


def checked_labels(name: str) -> str:
    """`name`, if it is one of `LABELS`; raises `ConfigError` otherwise."""
    if name not in LABELS:
        raise ConfigError(f"There are no labels '{name}'. Choose one of: {', '.join(LABELS)}.")
    return name
