"""Groups of seeds: intervals and tests that hold for new seeds and new images."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t, ttest_ind, ttest_rel

from fercore.scoring.grouped.comparison import crossed_difference
from fercore.scoring.groups import crossed_draws, group_contrast, group_difference, group_mean
from fercore.scoring.statistics import percentiles

HARDNESS, INTERACTION, SEED = 2.0, 0.45, 0.045  # standard deviations beside a unit of noise
SPREAD = np.sqrt(HARDNESS**2 + INTERACTION**2 + SEED**2 + 1)


def drawn(seeds, images, levels, rng, seed_spread=SEED):
    """Right or wrong, a bool (S, N) a model: images are hard or easy for all, models differ on
    some, seeds a little on all. With these spreads it is like the study's trainings."""
    hardness = rng.normal(0, HARDNESS, images)
    return [
        level
        + hardness
        + rng.normal(0, INTERACTION, images)
        + rng.normal(0, seed_spread, number)[:, None]
        + rng.normal(0, 1, (number, images))
        > 0
        for number, level in zip(seeds, levels, strict=True)
    ]


def accuracy(level):
    """What a model of that level gets right of all images, over all seeds."""
    return norm.cdf(level / SPREAD)


def level(accuracy):
    return norm.ppf(accuracy) * SPREAD


def inside(value, interval):
    return interval.low <= value <= interval.high


@pytest.mark.parametrize(
    ("seeds", "at_most"),  # with two seeds it is careful
    [((2, 2), 0.99), ((3, 3), 0.975), ((8, 20), 0.975), ((20, 20), 0.975)],
    ids=str,
)
def test_ninety_five_percent_covers_ninety_three_to_ninety_seven(seeds, at_most):
    rng = np.random.default_rng(7)
    draws = [drawn(seeds, 500, (level(0.61), level(0.60)), rng) for _ in range(600)]
    differences = [group_difference(a, b) for a, b in draws]
    means = [group_mean(a) for a, _ in draws]
    covered = np.mean([inside(0.01, estimate.interval()) for estimate in differences])
    assert 0.93 <= covered <= at_most
    assert 0.93 <= np.mean([inside(0.61, mean.interval()) for mean in means]) <= at_most


def test_a_false_alarm_comes_once_in_twenty_and_a_false_equality_too():
    rng = np.random.default_rng(8)
    same = [drawn((8, 8), 500, (0.6, 0.6), rng) for _ in range(600)]
    assert 0.03 <= np.mean([group_difference(a, b).p_value < 0.05 for a, b in same]) <= 0.07

    margin = 0.05  # at the margin itself, models are not equivalent
    apart = [drawn((8, 8), 500, (level(0.60), level(0.55)), rng) for _ in range(600)]
    called_equal = [group_difference(a, b).equivalence_p(margin) < 0.05 for a, b in apart]
    assert 0.03 <= np.mean(called_equal) <= 0.07


def test_what_is_called_detectable_is_found_in_four_of_five():
    rng = np.random.default_rng(9)
    errors = [group_difference(*drawn((8, 8), 500, (0.6, 0.6), rng)).detectable for _ in range(100)]
    gap = float(np.mean(errors))
    levels = level(0.6 + gap / 2), level(0.6 - gap / 2)
    found = [group_difference(*drawn((8, 8), 500, levels, rng)).p_value < 0.05 for _ in range(600)]
    assert 0.74 <= np.mean(found) <= 0.86


def test_the_decisions_that_are_printed_err_seldom_and_find_what_is_called_detectable():
    """By the wider of the two intervals; more draws are made by benchmarks/decision_power.py."""
    rng = np.random.default_rng(12)
    same = [crossed_difference(*drawn((8, 8), 500, (0.6, 0.6), rng)) for _ in range(200)]
    assert np.mean([found.different for found in same]) <= 0.07
    assert np.mean([inside(0, found.interval) for found in same]) >= 0.93
    assert any(found.by_bootstrap for found in same)
    gap = float(np.mean([found.detectable for found in same]))
    levels = level(0.6 + gap / 2), level(0.6 - gap / 2)
    apart = [crossed_difference(*drawn((8, 8), 500, levels, rng)) for _ in range(200)]
    assert 0.72 <= np.mean([found.different for found in apart]) <= 0.9


def test_the_bootstrap_of_seeds_and_images_says_nearly_the_same():
    rng = np.random.default_rng(10)
    a, b = drawn((20, 20), 1500, (0.7, 0.6), rng)
    own = group_difference(a, b).interval()
    bounds = percentiles(crossed_draws(a, b))
    assert bounds == pytest.approx(own, abs=0.003)
    assert bounds == pytest.approx(_by_hand(a, b, 1000), abs=0.003)
    assert percentiles(crossed_draws(a)) == pytest.approx(group_mean(a).interval(), abs=0.004)


MEAN_OF_THREE = (1 / 3, 1 / 3, 1 / 3, -1)  # heads that see all states against the last state
CHANGE = (1, -1, -1, 1)  # A − B under a change, minus A − B as declared


@pytest.mark.parametrize(
    ("weights", "seeds"), [(MEAN_OF_THREE, (8, 8, 8, 20)), (CHANGE, (6, 6, 20, 20))], ids=str
)
def test_a_contrast_of_several_groups_covers_and_is_seldom_a_false_alarm(weights, seeds):
    rng, levels = np.random.default_rng(9), [level(0.6)] * 4
    found = [group_contrast(drawn(seeds, 500, levels, rng), weights) for _ in range(600)]
    assert 0.93 <= np.mean([inside(0, estimate.interval()) for estimate in found]) <= 0.97
    assert 0.03 <= np.mean([estimate.p_value < 0.05 for estimate in found]) <= 0.07


def test_a_contrast_s_variance_agrees_with_one_by_table():
    """Its parts by tables of means, and the bounds from them by hand."""
    rng = np.random.default_rng(10)
    groups = drawn((8, 6, 5, 20), 400, (0.7, 0.6, 0.5, 0.6), rng, seed_spread=0.3)
    estimate = group_contrast(groups, CHANGE)
    value = variance = spread = own_rest = 0.0
    for weight, group in zip(CHANGE, groups, strict=True):
        table = pd.DataFrame(group).astype(float)
        by_seed, by_image = table.mean(axis=1), table.mean(axis=0)
        left = table.sub(by_seed, axis=0).sub(by_image, axis=1) + table.to_numpy().mean()
        rest = (left**2).to_numpy().sum() / ((len(group) - 1) * 399)
        value += weight * by_seed.mean()
        variance += by_seed.var() / len(group)
        spread += (by_seed.var() / len(group)) ** 2 / (len(group) - 1)
        own_rest += rest / (len(group) * 400)
    by_image = sum(weight * group.mean(0) for weight, group in zip(CHANGE, groups, strict=True))
    of_images = by_image.var(ddof=1) / 400
    variance += of_images - own_rest
    spread += of_images**2 / 399
    half = t.ppf(0.975, variance**2 / spread) * np.sqrt(variance)
    assert estimate.value == pytest.approx(value)
    assert estimate.interval() == pytest.approx((value - half, value + half))


def _by_hand(a, b, resamples):
    """The crossed bootstrap again, one resample after the other."""
    rng, draws = np.random.default_rng(1), []
    for _ in range(resamples):
        images = rng.integers(a.shape[1], size=a.shape[1])
        left = a[rng.integers(len(a), size=len(a))][:, images].mean()
        draws.append(left - b[rng.integers(len(b), size=len(b))][:, images].mean())
    return np.quantile(draws, [0.025, 0.975])


def test_the_parts_of_the_variance_agree_with_an_analysis_of_variance_by_table():
    rng = np.random.default_rng(11)
    a, b = drawn((5, 3), 400, (0.7, 0.5), rng, seed_spread=0.4)
    estimate = group_difference(a, b)
    seeds = rest = 0.0
    for group in (a, b):
        long = pd.DataFrame(group).stack().astype(float).rename_axis(["seed", "image"])
        by_seed, by_image = long.groupby("seed").mean(), long.groupby("image").mean()
        fitted = (
            by_seed.reindex(long.index.get_level_values("seed")).to_numpy()
            + by_image.reindex(long.index.get_level_values("image")).to_numpy()
            - long.mean()
        )
        freedom = (len(group) - 1) * (group.shape[1] - 1)
        own_rest = ((long - fitted) ** 2).sum() / freedom
        seeds += (group.shape[1] * by_seed.var() - own_rest) / group.size
        rest += own_rest / group.size
    paired = a.mean(0) - b.mean(0)
    assert estimate.seeds_variance == pytest.approx(seeds)
    assert estimate.rest_variance == pytest.approx(rest)
    assert estimate.images_variance == pytest.approx(paired.var(ddof=1) / 400 - rest)
    assert sum(estimate.shares) == pytest.approx(1)


def test_equivalence_is_the_ninety_percent_interval_inside_the_margin():
    a, b = drawn((4, 4), 900, (0.6, 0.58), np.random.default_rng(12))
    estimate = group_difference(a, b)
    low, high = estimate.interval(0.90)
    margin = max(-low, high)
    assert estimate.equivalence_p(margin) == pytest.approx(0.05)
    assert estimate.equivalence_p(1.1 * margin) < 0.05 < estimate.equivalence_p(0.9 * margin)


def test_a_difference_is_one_whichever_way_round_and_none_is_certain():
    a, b = drawn((3, 5), 300, (0.7, 0.4), np.random.default_rng(13))
    there, back = group_difference(a, b), group_difference(b, a)
    assert there.value == -back.value
    assert there.p_value == pytest.approx(back.p_value)
    assert (there.interval().low, there.interval().high) == pytest.approx(
        (-back.interval().high, -back.interval().low)
    )
    nothing = group_difference(a, a)
    assert nothing.value == 0
    assert nothing.p_value == 1


def test_a_group_of_one_speaks_of_its_run_alone():
    """Its difference is the paired t test of the two runs."""
    a, b = drawn((1, 1), 4000, (0.7, 0.6), np.random.default_rng(14))
    expected = ttest_rel(a[0].astype(float), b[0].astype(float))
    estimate = group_difference(a, b)
    assert estimate.seeds_variance == 0
    assert estimate.p_value == pytest.approx(expected.pvalue)
    assert estimate.interval() == pytest.approx(tuple(expected.confidence_interval()))


def test_without_noise_of_images_it_is_welchs_t_test():
    def seeds(*accuracies):
        return np.array(
            [[1.0] * round(a * 1000) + [0.0] * round(1000 - a * 1000) for a in accuracies]
        )

    first, second = (0.64, 0.652, 0.645), (0.60, 0.63, 0.61)
    estimate = group_difference(
        *(np.tile(seeds(*accuracies), (1, 2000)) for accuracies in (first, second))
    )
    expected = ttest_ind(first, second, equal_var=False)
    assert estimate.p_value == pytest.approx(expected.pvalue, rel=0.01)
    assert estimate.interval() == pytest.approx(tuple(expected.confidence_interval()), rel=0.01)
