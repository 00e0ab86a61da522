"""How often intervals hold what they are about, and tests call a difference where there is none.

Images are drawn from two shipped runs' predictions on PrivateTest, which stand for all images there
are: what is true of these is known. Where no difference is to be, A and B change places on each
image by the toss of a coin. Prints, in percent, what 95 % intervals held and what tests at 0.05
called, the least and the most over the classes.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.draws import Key, calls, shares, show
from fercore.labels import CLASSES
from fercore.runs.listing import read_run
from fercore.scoring import calibration, evaluation
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.gaps import gaps
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.predictions import Predictions

SHIPPED = Path(__file__).parents[1] / "artifacts" / "shipped"
PAIR = "cnn-s0", "cnn_lstm-s0"
ANSWERED = 0.8  # of the images, the surest
# Groups of people: how many, and which share of the errors is put into the last one. Of the others
# each takes its part of the images by chance.
GROUPS = ((2, 0.0), (2, 0.3), (5, 0.0), (5, 0.1), (5, 0.3))
_PARTS = (0.3, 0.3, 0.2, 0.1, 0.1)  # of the images, so many as there are groups


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
    """The share of 95 % intervals that hold the truth, as `shares` has it."""
    rng, (a, b) = np.random.default_rng(seed), population()
    truth = _figures(a, b)

    def held() -> dict[Key, bool]:
        pick = rng.integers(len(a), size=images)
        drawn = _figures(picked(a, pick), picked(b, pick)).items()
        return {
            key: low <= truth[key][0] <= high for key, (_, low, high) in drawn if not np.isnan(low)
        }

    return shares(trials, held)


def false_alarms(images: int, trials: int, seed: int = 0) -> pd.DataFrame:
    """The share of tests that call a difference where there is none, as `shares` has it."""
    rng, (a, b) = np.random.default_rng(seed), population()

    def called() -> dict[Key, bool]:
        pick = rng.integers(len(a), size=images)
        pair = exchanged(picked(a, pick), picked(b, pick), rng)
        overall, classes = evaluation.compare(*pair), evaluation.class_differences(*pair)
        return calls(overall.p_value, classes, evaluation.cell_differences(*pair))

    return shares(trials, called)


def gaps_coverage(
    images: int, trials: int, seed: int = 0, cases: Sequence[tuple[int, float]] = GROUPS
) -> pd.DataFrame:
    """The share of the widest gaps' intervals that hold the true difference of the two groups that
    were worst and best in the draw, as `shares` has it: a line for each case and metric.
    """
    rng, (a, _) = np.random.default_rng(seed), population()
    people = {case: _people(a, *case, np.random.default_rng(9)) for case in cases}
    truth = {case: _group_shares(a, of_image) for case, of_image in people.items()}

    def held() -> dict[Key, bool]:
        pick = rng.integers(len(a), size=images)
        drawn, found = grouped([picked(a, pick)]), dict[Key, bool]()
        for case, of_image in people.items():
            here = {str(group): of_image[pick] == group for group in range(case[0])}
            for line in gaps(drawn, here).table.to_dict("records"):
                true = truth[case][line["metric"], line["class"]]
                sign = 1 if line["metric"] == "recall" else -1
                gap = sign * (true[int(line["best"])] - true[int(line["worst"])])
                key = f"gap of {case[0]}, {case[1]:.0%} apart, {line['metric']}", line["class"]
                found[key] = line["gap_low"] <= gap <= line["gap_high"]
        return found

    return shares(trials, held)


def _people(a: Predictions, groups: int, apart: float, rng: np.random.Generator) -> np.ndarray:
    """A group for each image."""
    parts = np.array(_PARTS[:groups]) / sum(_PARTS[:groups])
    of_image = rng.choice(groups, size=len(a), p=parts)
    of_image[~a.correct & (rng.random(len(a)) < apart)] = groups - 1
    return of_image


def _group_shares(a: Predictions, of_image: np.ndarray) -> dict[Key, list[float]]:
    """(metric, class) → the share of each group, in the population."""
    found: dict[Key, list[float]] = {}
    for k, name in enumerate(CLASSES):
        for metric, whole in (("recall", a.labels == k), ("false alarms", a.labels != k)):
            inside = (whole & (of_image == group) for group in range(of_image.max() + 1))
            found[metric, name] = [float((a.predicted[each] == k).mean()) for each in inside]
    return found


def _figures(a: Predictions, b: Predictions) -> dict[Key, tuple[float, ...]]:
    """(figure, class) → value, low, high."""
    overall, answered = evaluation.evaluate(a), calibration.accuracy_at_coverage(a, ANSWERED)
    gap = evaluation.compare(a, b)
    found: dict[Key, tuple[float, ...]] = {
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


def main() -> None:
    """Print both tables for each number of images."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--images", type=int, nargs="+", default=[3589, 700, 200])
    asked.add_argument("--trials", type=int, default=2000)
    options = asked.parse_args()
    for images in options.images:
        show(
            f"{images} images, {options.trials} draws",
            pd.concat(
                [coverage(images, options.trials), gaps_coverage(images, options.trials // 10)]
            ),
            false_alarms(images, options.trials),
        )


if __name__ == "__main__":
    main()
