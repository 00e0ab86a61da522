"""A model's own record on PublicTest: how far to trust what it says of a new photo. Without torch.

The temperature and the threshold are fitted there, and nowhere else.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fercore.labels import CLASSES
from fercore.scoring.calibration import fit_temperature, threshold_at_coverage, with_temperature
from fercore.scoring.metrics import confusion_matrix
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import Interval, wilson_interval
from fercore.wording import breakable, interval, percent

COVERAGE = 0.8  # the share of PublicTest on which a model is sure enough to answer by default
_SURE_WITHOUT_RECORD = 0.5


@dataclass(frozen=True)
class TrackRecord:
    """What a model's predictions on PublicTest say about its next one.

    `public` may be empty, for a dataset without that part: nothing is fitted then.
    """

    public: Predictions

    @cached_property
    def temperature(self) -> float:
        """By which its probabilities come nearest to how often it is right; 1 if unknown."""
        return fit_temperature(self.public) if len(self.public) else 1.0

    def calibrated(self, probs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, 7) as the model gives them, scaled by the temperature."""
        unlabelled = np.zeros(len(probs), np.int64)
        table = Predictions(unlabelled, unlabelled, unlabelled, np.asarray(probs, np.float32))
        return with_temperature(table, self.temperature).probs

    @cached_property
    def threshold(self) -> float:
        """The calibrated confidence that `COVERAGE` of PublicTest reaches, from 0 to 1."""
        if not len(self.public):
            return _SURE_WITHOUT_RECORD
        return threshold_at_coverage(with_temperature(self.public, self.temperature), COVERAGE)

    def precision(self, expression: str) -> tuple[float, Interval, int]:
        """How often it is right when it says `expression`: share, 95 % interval, times said.

        The share is NaN where it never said it.
        """
        said = self._confusion[:, CLASSES.index(expression)]
        times, right = int(said.sum()), int(said[CLASSES.index(expression)])
        if not times:
            return float("nan"), Interval(0.0, 1.0), 0
        return right / times, wilson_interval(right, times), times

    def usual_mistake(self, expression: str) -> str | None:
        """The label that is most often meant when it wrongly says `expression`; None if never."""
        said = self._confusion[:, CLASSES.index(expression)].copy()
        said[CLASSES.index(expression)] = 0
        return CLASSES[int(said.argmax())] if said.any() else None

    def sentence(self, expression: str, name: str = "this model") -> str:
        """The record behind one answer, for people."""
        if not len(self.public):
            return f"{name} was not scored on PublicTest: how often it is right is not known."
        share, bounds, times = self.precision(expression)
        if not times:
            return f"On PublicTest {name} never says {expression}."
        mistake = self.usual_mistake(expression)
        otherwise = f"; otherwise it is most often {mistake}" if mistake else ""
        often = breakable(f"{percent(share)} {interval(bounds)}")
        return f"When {name} says {expression}, it is right {often} of the time{otherwise}."

    @cached_property
    def _confusion(self) -> NDArray[np.int64]:
        return confusion_matrix(self.public.labels, self.public.predicted, len(CLASSES))
