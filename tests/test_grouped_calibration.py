"""Calibration and curves over the seeds of a group."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from fercore.scoring import calibration
from fercore.scoring.grouped import calibration as grouped_calibration
from fercore.scoring.grouped import curves
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.predictions import Predictions


def drawn(seeds, images, rng, sharpened=1.3):
    """Seeds that agree on most images, each as much over-confident as `sharpened` makes it."""
    truth = 1.5 * rng.normal(size=(images, 7))
    labels = (truth + rng.gumbel(size=(images, 7))).argmax(1)
    tables = []
    for _ in range(seeds):
        power = sharpened * np.exp(rng.normal(0, 0.05))
        probs = np.exp(power * (truth + rng.normal(0, 0.4, (images, 7))))
        probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
        tables.append(Predictions(np.arange(images), np.arange(images), labels, probs))
    return grouped(tables, [f"seed {seed}" for seed in range(seeds)])


@pytest.fixture(scope="module")
def group():
    return drawn(3, 900, np.random.default_rng(1))


def test_of_one_seed_everything_is_the_runs_own(group):
    table = group.tables[1]
    one = grouped([table])
    for name in ("reliability", "calibration_scores", "risk_coverage"):
        single, own = getattr(calibration, name)(table), getattr(grouped_calibration, name)(one)
        np.testing.assert_array_equal(np.hstack(single), np.hstack(own))
    assert grouped_calibration.accuracy_at_coverage(one, 0.7) == calibration.accuracy_at_coverage(
        table, 0.7
    )


def test_a_groups_figures_are_means_over_seeds(group):
    scores = grouped_calibration.calibration_scores(group)
    each = [calibration.calibration_scores(table) for table in group.tables]
    for name in ("ece", "chance", "brier", "nll"):
        assert getattr(scores, name) == pytest.approx(np.mean([getattr(s, name) for s in each]))
    bins = grouped_calibration.reliability(group)
    own = [calibration.reliability(table) for table in group.tables]
    for column in ("confidence", "accuracy"):
        np.testing.assert_allclose(bins[column], np.mean([table[column] for table in own], axis=0))
    chosen = grouped_calibration.accuracy_at_coverage(group, 0.6)
    alone = [calibration.accuracy_at_coverage(table, 0.6).accuracy for table in group.tables]
    assert chosen.accuracy == pytest.approx(np.mean(alone))
    line = grouped_calibration.risk_coverage(group).iloc[539]
    assert (line["coverage"], line["accuracy"]) == pytest.approx((0.6, chosen.accuracy))


def test_each_seed_has_a_temperature_of_its_own(group):
    fitted = grouped_calibration.fit_temperatures(group)
    scaled = grouped_calibration.with_temperatures(group, fitted)
    assert len(set(fitted.values())) == 3
    for table, own in zip(group.tables, scaled.tables):
        expected = calibration.with_temperature(table, calibration.fit_temperature(table))
        np.testing.assert_array_equal(own.probs, expected.probs)
    before, after = map(grouped_calibration.calibration_scores, (group, scaled))
    assert after.ece < before.ece
    del fitted["seed 1"]
    assert grouped_calibration.with_temperatures(group, fitted).names == ("seed 0", "seed 2")


@pytest.mark.parametrize("sharpened", [0.85, 1.5])
def test_the_interval_of_an_ece_covers_what_it_says(sharpened):
    rng = np.random.default_rng(2)
    large = [drawn(4, 20_000, rng, sharpened) for _ in range(4)]
    truth = np.mean([grouped_calibration.calibration_scores(group).ece for group in large])
    ends = [
        grouped_calibration.calibration_scores(drawn(5, 1200, rng, sharpened)).ece_interval
        for _ in range(100)
    ]
    covered = [low <= truth <= high for low, high in ends]
    assert 0.92 <= np.mean(covered) <= 0.99


def test_the_mean_curve_lies_among_the_seeds(group):
    band = curves.roc_band(group, 2)
    heights = []
    for table in group.tables:
        false, true, _ = roc_curve(table.labels == 2, table.probs[:, 2])
        heights.append(np.interp(band["rate"], false, true))
    np.testing.assert_allclose(band["height"], np.mean(heights, axis=0), atol=1e-9)
    np.testing.assert_allclose(band["low"], np.min(heights, axis=0), atol=1e-9)
    for band in (
        curves.roc_band(group, None),
        curves.pr_band(group, 2),
        curves.pr_band(group, None),
    ):
        assert (band["low"] <= band["height"] + 1e-12).all()
        assert (band["height"] <= band["high"] + 1e-12).all()
    share = (group.labels == 2).mean()
    assert curves.pr_band(group, 2)["height"].iloc[-1] == pytest.approx(share, abs=0.15)
