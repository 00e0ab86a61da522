"""How often the plan's three decisions are made of two groups, where the truth is known.

    python benchmarks/decision_power.py --seeds 20 --images 3276 --trials 300

By the interval and the p that pages print, the wider of Student's and a bootstrap's, and beside it
by Student's alone. Draws are those of `group_coverage`; the difference of the last line is the
smallest that so many seeds are said to show four times in five.
"""

import argparse
from collections.abc import Iterable

import numpy as np

from benchmarks.group_coverage import BETTER, EQUAL, drawn
from fercore.scoring.grouped.comparison import MARGIN, CrossedDifference, crossed_difference
from fercore.scoring.groups import group_difference
from fercore.scoring.statistics import LEVEL

Decisions = list[tuple[CrossedDifference, float, float]]  # and Student's p of both tests


def decided(
    skills: tuple[float, float], seeds: int, images: int, trials: int, rng: np.random.Generator
) -> Decisions:
    """Of so many draws of two groups."""
    found = []
    for _ in range(trials):
        right = [group.correct for group in drawn((seeds, seeds), images, rng, skills)]
        student = group_difference(*right)
        found.append((crossed_difference(*right), student.p_value, student.equivalence_p(MARGIN)))
    return found


def gap(draws: int = 100) -> float:
    """The true difference between A and the worse B of `BETTER`."""
    rng = np.random.default_rng(99)
    pairs = (drawn((6, 6), 3000, rng, BETTER) for _ in range(draws))
    return float(np.mean([a.correct.mean() - b.correct.mean() for a, b in pairs]))


def main(argv: Iterable[str] | None = None) -> None:
    """Print the shares of draws."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seeds", type=int, default=20)
    asked.add_argument("--images", type=int, default=3276)
    asked.add_argument("--trials", type=int, default=300)
    options = asked.parse_args(None if argv is None else list(argv))
    given = options.seeds, options.images, options.trials, np.random.default_rng(3)
    same = decided(EQUAL, *given)
    shown = float(np.mean([found.detectable for found, _, _ in same]))
    apart = decided((0.0, BETTER[1] * shown / gap()), *given)

    print(f"{options.seeds} seeds a model, {options.images} images, {options.trials} draws")
    print(f"{'% of draws':46}  printed  Student's")
    wide = np.mean([found.by_bootstrap for found, _, _ in same])
    lines = {
        "where there is no difference, one is found": (
            [found.different for found, _, _ in same], [p < LEVEL for _, p, _ in same],
        ),
        "where there is none, equivalence is shown": (
            [found.equivalent for found, _, _ in same], [p < LEVEL for _, _, p in same],
        ),
        f"where it is {100 * shown:.2f} points, it is found": (
            [found.different for found, _, _ in apart], [p < LEVEL for _, p, _ in apart],
        ),
    }  # fmt: skip
    for words, (printed, student) in lines.items():
        print(f"{words:46}  {100 * np.mean(printed):7.1f}  {100 * np.mean(student):9.1f}")
    print(f"The bootstrap's interval was the wider one, and the answer, in {100 * wide:.0f} %.")


if __name__ == "__main__":
    main()
