"""Calibration and curves over the seeds of a group."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from fercore.labels import CLASSES
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
    scores = calibration.calibration_scores(table)
    assert grouped_calibration.calibration_scores(one) == scores
    for name in ("reliability", "risk_coverage"):
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
    large = [drawn(3, 15_000, rng, sharpened) for _ in range(4)]
    scores = grouped_calibration.calibration_scores
    truth = np.mean([scores(group).debiased.value for group in large])
    found = [scores(drawn(seeds, 1200, rng, sharpened)) for seeds in (2, 10) for _ in range(50)]
    covered = [low <= truth <= high for low, high in (each.debiased.interval for each in found)]
    assert 0.91 <= np.mean(covered) <= 0.99
    values = np.array([each.debiased.value for each in found])
    assert all(low <= value <= high for value, (low, high) in (each.debiased for each in found))
    assert abs(values.mean() - truth) < 0.006


def of_curve(bands, name):
    return bands[bands["curve"] == name].reset_index(drop=True)


def test_the_mean_curve_lies_among_the_seeds_in_its_band(group):
    roc, pr = curves.roc_bands(group), curves.pr_bands(group)
    assert set(roc["curve"]) == {*CLASSES, "macro"}
    assert set(pr["curve"]) == {*CLASSES, "micro"}
    band, heights = of_curve(roc, CLASSES[2]), []
    for table in group.tables:
        false, true, _ = roc_curve(table.labels == 2, table.probs[:, 2])
        heights.append(np.interp(band["place"], false, true))
    np.testing.assert_allclose(band["height"], np.mean(heights, axis=0), atol=1e-9)
    for bands in (roc, pr.dropna()):
        assert (bands["low"] <= bands["height"] + 1e-9).all()
        assert (bands["height"] <= bands["high"] + 1e-9).all()
        assert bands["low"].min() >= 0
        assert bands["high"].max() <= 1
    assert (roc.groupby("curve")[["low", "high"]].diff().fillna(0) >= 0).all(axis=None)
    share = (group.labels == 2).mean()
    assert of_curve(pr, CLASSES[2])["height"].iloc[-1] == pytest.approx(share, abs=0.15)


def test_a_band_is_as_wide_as_seeds_and_images_drawn_anew_make_it():
    """Eight seeds: so many that drawing from them differs little from drawing new ones."""
    rng = np.random.default_rng(4)
    group = drawn(8, 500, rng)
    heights = []
    for _ in range(120):
        images, seeds = rng.integers(500, size=500), rng.integers(8, size=8)
        curve = [roc_curve(group.labels[images] == 2, group.probs[s, images, 2]) for s in seeds]
        heights.append(np.mean([np.interp([0.1, 0.3], x, y) for x, y, _ in curve], axis=0))
    band = of_curve(curves.roc_bands(group), CLASSES[2]).set_index("place").loc[[0.1, 0.3]]
    low, high = np.quantile(heights, [0.025, 0.975], axis=0)
    np.testing.assert_allclose(band["high"] - band["low"], high - low, rtol=0.25)


@pytest.mark.parametrize("kind", [curves.roc_bands, curves.pr_bands])
def test_a_band_holds_the_mean_curve_of_all_seeds_and_images_at_95_of_100_places(kind):
    rng, places = np.random.default_rng(5), np.linspace(0.05, 0.95, 10).round(2)
    large = [kind(drawn(3, 10_000, rng), draws=2) for _ in range(3)]
    truth = np.mean([bands["height"] for bands in large], axis=0)
    held = []
    for seeds in (2, 5):
        for _ in range(10):
            bands = kind(drawn(seeds, 500, rng), draws=60)
            inside = (bands["low"] <= truth) & (truth <= bands["high"])
            told = bands["low"].notna() & bands["place"].round(4).isin(places)
            held.append(inside[told].mean())
    assert 0.92 <= np.mean(held) <= 0.98


def test_a_precision_of_a_handful_of_images_has_no_band(group):
    bands = curves.pr_bands(group, draws=20)
    few = bands["place"] * bands["positive"] < 10
    assert bands["positive"].groupby(bands["curve"]).first()["micro"] == len(group)
    assert few.any()
    assert bands["low"].isna().equals(few)
