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

from benchmarks.draws import Key, calls, shares, show
from fercore.labels import CLASSES
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.grouped import comparison, evaluation
from fercore.scoring.grouped.predictions import GroupPredictions, grouped
from fercore.scoring.predictions import Predictions

COUNTS = (491, 55, 528, 879, 594, 416, 626)  # of PrivateTest, by class
SKILL = np.array([1.4, 1.0, 0.95, 2.4, 1.35, 2.2, 1.6])  # how well a class is told, in logits
IMAGE, MODEL_BY_IMAGE, LEANING, NOISE = 0.9, 0.2, 0.08, 0.35  # standard deviations, in logits
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


def truth(skills: tuple[float, float], draws: int = 250) -> dict[Key, float]:
    """Every figure's value, the mean over many seeds and images."""
    rng, found = np.random.default_rng(99), defaultdict(list)
    for _ in range(draws):
        for key, value in _values(*drawn((6, 6), 3000, rng, skills)).items():
            found[key].append(value)
    return {key: float(np.mean(values)) for key, values in found.items()}


def coverage(
    seeds: tuple[int, int], images: int, trials: int, true: dict[Key, float]
) -> pd.DataFrame:
    """The share of 95 % intervals that hold the truth, as `shares` has it."""
    rng = np.random.default_rng([1, *seeds])

    def held() -> dict[Key, bool]:
        bounds = _bounds(*drawn(seeds, images, rng, BETTER)).items()
        return {
            key: low <= true[key] <= high
            for key, (low, high) in bounds
            if low is not None and not np.isnan(low)
        }

    return shares(trials, held)


def false_alarms(seeds: tuple[int, int], images: int, trials: int) -> pd.DataFrame:
    """The share of tests that call a difference between two models that are equally good."""
    rng = np.random.default_rng([2, *seeds])

    def called() -> dict[Key, bool]:
        pair = drawn(seeds, images, rng, EQUAL)
        overall, classes = comparison.compare(*pair), evaluation.class_differences(*pair)
        return calls(overall.p_value, classes, evaluation.cell_differences(*pair))

    return shares(trials, called)


def _values(a: GroupPredictions, b: GroupPredictions) -> dict[Key, float]:
    found: dict[Key, float] = {}
    means = [evaluation.class_values(group).groupby("class", sort=False).mean() for group in (a, b)]
    for metric in CLASS_METRICS:
        for name in CLASSES:
            of_a, of_b = (float(mean[metric][name]) for mean in means)
            found[metric, name], found[f"A − B, {metric}", name] = of_a, of_a - of_b
        found[f"macro {metric}", "all"] = float(means[0][metric].mean())
    found["accuracy", "all"] = float(a.correct.mean())
    found["A − B, accuracy", "all"] = float(a.correct.mean() - b.correct.mean())
    return found


def _bounds(a: GroupPredictions, b: GroupPredictions) -> dict[Key, tuple[float, float]]:
    headline, gap = evaluation.evaluate(a), comparison.compare(a, b)
    found: dict[Key, tuple[float, float]] = {
        ("accuracy", "all"): headline["accuracy_interval"],
        ("macro f1", "all"): headline["macro_f1_interval"],
        ("A − B, accuracy", "all"): gap.interval,
    }
    tables = {
        "": pd.DataFrame(headline["per_class"]),
        "A − B, ": evaluation.class_differences(a, b),
    }
    for what, table in tables.items():
        for metric in CLASS_METRICS:
            ends = table["class"], table[f"{metric}_low"], table[f"{metric}_high"]
            for name, low, high in zip(*ends, strict=True):
                found[f"{what}{metric}", name] = low, high
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
        show(
            f"{number} seeds, {options.images} images, {options.trials} draws",
            coverage(seeds, options.images, options.trials, true),
            false_alarms(seeds, options.images, options.trials),
        )


if __name__ == "__main__":
    main()
