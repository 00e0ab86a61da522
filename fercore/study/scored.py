"""What a study's trainings answer on one part of the images, each read once. Without torch."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fercore.errors import RunError
from fercore.scoring import metrics
from fercore.study.store import StudyStore


class Scored:
    """A study's answers on 'private', 'clean' or 'public'. Raises `RunError` as the store does."""

    def __init__(self, store: StudyStore, part: str) -> None:
        self.store, self.part = store, part
        self.table = store.table()
        self._read: dict[str, NDArray[np.int8]] = {}

    @property
    def variants(self) -> set[str]:
        """Those with a training."""
        return set(self.table["variant"])

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The images' labels (N,)."""
        return self.store.predictions(self.table["run_id"].iloc[0], self.part).labels

    def runs(self, variant: str) -> list[str]:
        """The variant's trainings, by seed."""
        own = self.table[self.table["variant"] == variant].sort_values("seed")
        if own.empty:
            raise RunError(f"Study '{self.store.name}' has no finished training of '{variant}'.")
        return own["run_id"].tolist()

    def predicted(self, variant: str) -> NDArray[np.int8]:
        """What each seed's model says: classes (S, N), seeds in order."""
        if variant not in self._read:
            answers = [
                self.store.predictions(run, self.part).predicted for run in self.runs(variant)
            ]
            self._read[variant] = np.stack(answers).astype(np.int8)
        return self._read[variant]

    def correct(self, variant: str) -> NDArray[np.bool_]:
        """Whether each seed's model is right on each image: (S, N)."""
        right: NDArray[np.bool_] = self.predicted(variant) == self.labels
        return right

    def macro_f1(self, variant: str) -> float:
        """The mean F1 of the classes, the mean over seeds."""
        confusions = [metrics.confusion_matrix(self.labels, own) for own in self.predicted(variant)]
        return float(np.mean([metrics.macro_f1(confusion) for confusion in confusions]))
