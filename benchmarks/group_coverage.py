"""Whether the intervals of groups hold the truth in 95 of 100 draws, and their tests err in 5.

    python benchmarks/group_coverage.py --seeds 3 8 20 --images 3276 --trials 500

A draw has new images and new seeds of two models. An image is hard or easy for all, some images
are so for one model alone, a seed leans towards some classes; with these spreads accuracies, their
differences from seed to seed and the parts of the variance are like those of the study's
trainings. The truth is the mean over many seeds and images. Prints a table for each number of
seeds: by figure, the share of draws whose interval holds the truth, and the share of tests that
call a difference where there is none (family: any of the classes or cells, after correction).
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pandas as pd

from fercore.labels import CLASSES
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.grouped import comparison, evaluation
from fercore.scoring.grouped.predictions import GroupPredictions, grouped
from fercore.scoring.predictions import Predictions
from fercore.scoring.statistics import LEVEL

COUNTS = (491, 55, 528, 879, 594, 416, 626)  # of PrivateTest, by class
SKILL = np.array([1.4, 1.0, 0.95, 2.4, 1.35, 2.2, 1.6])  # how well a class is told, in logits
IMAGE, MODEL_BY_IMAGE, LEANING, NOISE = 0.9, 0.2, 0.08, 0.35  # standard deviations, in logits
METRICS = CLASS_METRICS
EQUAL, BETTER = (0.0, 0.0), (0.0, -0.1)  # what is added to A's skill and to B's


def drawn(
    seeds: tuple[int, int], images: int, rng: np.random.Generator, skills: tuple[float, float]
) -> list[GroupPredictions]:
    """Two models' predictions on the same new images, by so many new seeds each."""
    labels = rng.choice(7, size=images, p=np.array(COUNTS) / sum(COUNTS))
    rows, image = np.arange(images), rng.normal(0, IMAGE, (images, 7))
    groups = []
    for number, more in zip(seeds, skills, strict=True):
        own = image + rng.normal(0, MODEL_BY_IMAGE, (images, 7))
        own[rows, labels] += (SKILL + more)[labels]
        tables = []
        for _ in range(number):
            logits = own + rng.normal(0, LEANING, 7) + rng.normal(0, NOISE, (images, 7))
            probs = np.exp(2 * logits)
            probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
            tables.append(Predictions(rows, rows, labels, probs))
        groups.append(grouped(tables))
    return groups


def truth(skills: tuple[float, float], draws: int = 250) -> dict[tuple[str, str], float]:
    """Every figure's value, the mean over many seeds and images."""
    rng, found = np.random.default_rng(99), defaultdict(list)
    for _ in range(draws):
        for key, value in _values(*drawn((6, 6), 3000, rng, skills)).items():
            found[key].append(value)
    return {key: float(np.mean(values)) for key, values in found.items()}


def coverage(
    seeds: tuple[int, int], images: int, trials: int, true: dict[tuple[str, str], float]
) -> pd.DataFrame:
    """The share of 95 % intervals that hold the truth: a line per figure, columns by class or
    'all'.
    """
    rng, held = np.random.default_rng([1, *seeds]), defaultdict(list)
    for _ in range(trials):
        for key, (low, high) in _bounds(*drawn(seeds, images, rng, BETTER)).items():
            if low is not None and not np.isnan(low):
                held[key].append(low <= true[key] <= high)
    return pd.Series({key: np.mean(inside) for key, inside in held.items()}).unstack()


def false_alarms(seeds: tuple[int, int], images: int, trials: int) -> pd.DataFrame:
    """The share of tests that call a difference between two models that are equally good."""
    rng, called = np.random.default_rng([2, *seeds]), defaultdict(list)
    for _ in range(trials):
        for key, found in _calls(*drawn(seeds, images, rng, EQUAL)).items():
            called[key].append(found)
    return pd.Series({key: np.mean(found) for key, found in called.items()}).unstack()


def _values(a: GroupPredictions, b: GroupPredictions) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    means = [evaluation.class_values(group).groupby("class", sort=False).mean() for group in (a, b)]
    for metric in METRICS:
        for name in CLASSES:
            of_a, of_b = (float(mean[metric][name]) for mean in means)
            found[metric, name], found[f"A − B, {metric}", name] = of_a, of_a - of_b
        found[f"macro {metric}", "all"] = float(means[0][metric].mean())
    found["accuracy", "all"] = float(a.correct.mean())
    found["A − B, accuracy", "all"] = float(a.correct.mean() - b.correct.mean())
    return found


def _bounds(a: GroupPredictions, b: GroupPredictions) -> dict[tuple[str, str], tuple[float, float]]:
    headline, gap = evaluation.evaluate(a), comparison.compare(a, b)
    found: dict[tuple[str, str], tuple[float, float]] = {
        ("accuracy", "all"): headline["accuracy_interval"],
        ("macro f1", "all"): headline["macro_f1_interval"],
        ("A − B, accuracy", "all"): gap.interval,
    }
    tables = {
        "": pd.DataFrame(headline["per_class"]),
        "A − B, ": evaluation.class_differences(a, b),
    }
    for what, table in tables.items():
        for metric in METRICS:
            ends = table["class"], table[f"{metric}_low"], table[f"{metric}_high"]
            for name, low, high in zip(*ends, strict=True):
                found[f"{what}{metric}", name] = low, high
    return found


def _calls(a: GroupPredictions, b: GroupPredictions) -> dict[tuple[str, str], bool]:
    table, cells = evaluation.class_differences(a, b), evaluation.cell_differences(a, b)
    found = {("accuracy", "all"): comparison.compare(a, b).p_value < LEVEL}
    for metric in METRICS:
        for name, p in zip(table["class"], table[f"{metric}_p_value"]):
            found[metric, name] = p < LEVEL
        found[metric, "family"] = bool((table[f"{metric}_p_holm"] < LEVEL).any())
    found["cells", "family"] = bool((cells["p_holm"] < LEVEL).any())
    return found


def main(argv: Iterable[str] | None = None) -> None:
    """Print both tables for each number of seeds."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seeds", type=int, nargs="+", default=[3, 8, 20])
    asked.add_argument("--images", type=int, default=3276)
    asked.add_argument("--trials", type=int, default=500)
    options = asked.parse_args(None if argv is None else list(argv))
    true = truth(BETTER)
    for number in options.seeds:
        seeds = number, number
        for title, table in (
            ("held", coverage(seeds, options.images, options.trials, true)),
            ("called", false_alarms(seeds, options.images, options.trials)),
        ):
            print(f"\n{number} seeds, {options.images} images, {options.trials} draws, % {title}")
            print((100 * table).round(1).to_string(na_rep=""))


if __name__ == "__main__":
    main()
