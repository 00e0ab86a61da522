"""How often intervals hold what they are about, and tests call a difference where there is none.

Images are drawn from two shipped runs' predictions on PrivateTest, which stand for all images there
are: what is true of these is known. Where no difference is to be, A and B change places on each
image by the toss of a coin. Prints, in percent, what 95 % intervals held and what tests at 0.05
called, the least and the most over the classes.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from fercore.runs.listing import read_run
from fercore.scoring import calibration, evaluation
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import LEVEL

SHIPPED = Path(__file__).parents[1] / "artifacts" / "shipped"
PAIR = "cnn-s0", "cnn_lstm-s0"
ANSWERED = 0.8  # of the images, the surest


def population() -> tuple[Predictions, Predictions]:
    """The predictions of `PAIR`, on the same images."""
    a, b = (read_run(SHIPPED / name).predictions() for name in PAIR)
    return a, b


def picked(table: Predictions, pick: np.ndarray) -> Predictions:
    """Some images of a table, one of them perhaps several times, as so many images."""
    rows = np.arange(len(pick))
    return Predictions(rows, rows, table.labels[pick], table.probs[pick])


def exchanged(
    a: Predictions, b: Predictions, rng: np.random.Generator
) -> tuple[Predictions, Predictions]:
    """A and B, changing places on half of the images."""
    swap = (rng.random(len(a)) < 0.5)[:, None]
    return tuple(
        Predictions(a.rows, a.pixels, a.labels, np.where(swap, other.probs, own.probs))
        for own, other in ((a, b), (b, a))
    )  # type: ignore[return-value]


def coverage(images: int, trials: int, seed: int = 0) -> pd.DataFrame:
    """The share of 95 % intervals that hold the truth: a line per figure, columns by class or
    'all'.
    """
    rng, (a, b) = np.random.default_rng(seed), population()
    truth, held = _figures(a, b), defaultdict(list)
    for _ in range(trials):
        pick = rng.integers(len(a), size=images)
        for key, (_, low, high) in _figures(picked(a, pick), picked(b, pick)).items():
            if not np.isnan(low):
                held[key].append(low <= truth[key][0] <= high)
    shares = pd.Series({key: np.mean(inside) for key, inside in held.items()})
    return shares.unstack()


def false_alarms(images: int, trials: int, seed: int = 0) -> pd.DataFrame:
    """The share of tests that call a difference where there is none: as `coverage`. In the column
    'family' that of families with such a call, after their correction.
    """
    rng, (a, b) = np.random.default_rng(seed), population()
    called = defaultdict(list)
    for _ in range(trials):
        pick = rng.integers(len(a), size=images)
        for key, found in _calls(*exchanged(picked(a, pick), picked(b, pick), rng)).items():
            called[key].append(found)
    return pd.Series({key: np.mean(found) for key, found in called.items()}).unstack()


def _figures(a: Predictions, b: Predictions) -> dict[tuple[str, str], tuple[float, ...]]:
    """(figure, class) → value, low, high."""
    overall, answered = evaluation.evaluate(a), calibration.accuracy_at_coverage(a, ANSWERED)
    gap = evaluation.compare(a, b)
    found: dict[tuple[str, str], tuple[float, ...]] = {
        ("accuracy", "all"): (overall["accuracy"], *overall["accuracy_interval"]),
        ("macro F1", "all"): (overall["macro_f1"], *overall["macro_f1_interval"]),
        ("accuracy of the surest", "all"): (answered.accuracy, *answered.interval),
        ("A − B, accuracy", "all"): (gap.difference, *gap.interval),
    }
    tables = {"": pd.DataFrame(overall["per_class"]), "A − B, ": evaluation.class_differences(a, b)}
    for what, table in tables.items():
        for metric in CLASS_METRICS:
            columns = table[["class", metric, f"{metric}_low", f"{metric}_high"]]
            for name, *values in columns.itertuples(index=False):
                found[f"{what}{metric}", name] = tuple(values)
    return found


def _calls(a: Predictions, b: Predictions) -> dict[tuple[str, str], bool]:
    """(test, class) → whether it calls a difference."""
    table, cells = evaluation.class_differences(a, b), evaluation.cell_differences(a, b)
    found = {("accuracy, McNemar", "all"): evaluation.compare(a, b).p_value < LEVEL}
    for metric in CLASS_METRICS:
        for name, p in zip(table["class"], table[f"{metric}_p_value"]):
            found[metric, name] = p < LEVEL
        found[metric, "family"] = bool((table[f"{metric}_p_holm"] < LEVEL).any())
    found["cells, sign test", "family"] = bool((cells["p_holm"] < LEVEL).any())
    return found


def main() -> None:
    """Print both tables for each number of images."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--images", type=int, nargs="+", default=[3589, 700, 200])
    asked.add_argument("--trials", type=int, default=2000)
    options = asked.parse_args()
    for images in options.images:
        for title, table in (
            ("held", coverage(images, options.trials)),
            ("called", false_alarms(images, options.trials)),
        ):
            print(f"\n{images} images, {options.trials} draws, % {title}")
            print((100 * table).round(1).to_string(na_rep=""))


if __name__ == "__main__":
    main()
