"""What the measurements of intervals and of tests have in common: many draws, and their shares."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import pandas as pd

from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.statistics import LEVEL

Key = tuple[str, str]  # a figure or a test, and a class or 'all'


def shares(trials: int, draw: Callable[[], dict[Key, bool]]) -> pd.DataFrame:
    """In which share of draws each thing is so: a line per figure, columns by class or 'all'.

    draw: what one draw says; what it does not say of a key is not counted.
    """
    found = defaultdict(list)
    for _ in range(trials):
        for key, so in draw().items():
            found[key].append(so)
    return pd.Series({key: np.mean(so) for key, so in found.items()}).unstack()


def calls(accuracy: float, classes: pd.DataFrame, cells: pd.DataFrame) -> dict[Key, bool]:
    """(test, class) → whether it calls a difference; in 'family' whether any of a family does,
    after its correction.

    accuracy: the p of the difference in it. classes, cells: the tables of differences.
    """
    found = {("accuracy", "all"): accuracy < LEVEL}
    for metric in CLASS_METRICS:
        for name, p in zip(classes["class"], classes[f"{metric}_p_value"]):
            found[metric, name] = p < LEVEL
        found[metric, "family"] = bool((classes[f"{metric}_p_holm"] < LEVEL).any())
    found["cells", "family"] = bool((cells["p_holm"] < LEVEL).any())
    return found


def show(title: str, held: pd.DataFrame, called: pd.DataFrame) -> None:
    """Print both tables, in percent."""
    for table, what in ((held, "held"), (called, "called")):
        print(f"\n{title}, % {what}")
        print((100 * table).round(1).to_string(na_rep=""))
