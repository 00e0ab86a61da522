"""Published figures that a result is drawn beside, and how they were chosen."""

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fercore.scoring.statistics import Interval

# Test accuracies of Savitri, Permana and Puspa Dewi (2026); layers and recipe unpublished. They are
# named wherever their figures are: `paper` is the name of a recipe of ours.
AUTHORS = "Savitri et al."
PAPER = {"CNN": 0.6325, "CNN-LSTM": 0.4682}

# Human accuracy on FER2013, 65 ± 5 % (Goodfellow et al., 2013).
HUMAN = Interval(0.60, 0.70)


class Published(NamedTuple):
    """A published accuracy on FER2013's PrivateTest, from 0 to 1, and what is known of it.

    selected_on: the images that chose the epoch. users_reached: what others got with its code.
    basis: what this rests on, as read in November 2026.
    """

    key: str
    model: str
    source: str
    accuracy: float
    selected_on: str
    pretraining: str
    users_reached: str
    basis: str

    @property
    def caveat(self) -> str:
        """What is to be said wherever the figure is shown."""
        users = f" Others reached {self.users_reached}." if self.users_reached else ""
        return (
            f"{self.model}, {100 * self.accuracy:.2f} % ({self.source}). Chosen on: "
            f"{self.selected_on}. Pretraining: {self.pretraining}.{users} From {self.basis}."
        )


@lru_cache(maxsize=1)
def published() -> tuple[Published, ...]:
    """Published figures, the lowest first where they are not the paper's."""
    with Path(__file__).with_name("published.csv").open(encoding="utf-8", newline="") as lines:
        found = [
            Published(**line | {"accuracy": float(line["accuracy"])})  # type: ignore[arg-type]
            for line in csv.DictReader(lines)
        ]
    return tuple(found)
