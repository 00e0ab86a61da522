"""Metrics as means over images: the values are scikit-learn's, the intervals hold for groups."""

import numpy as np
import pytest
from sklearn import metrics as reference

from fercore.scoring import influence, statistics
from fercore.scoring.groups import group_difference, group_mean
from fercore.scoring.metrics import class_scores, confusion_matrix
from fercore.scoring.predictions import Predictions


def drawn(seeds, images, rng, skill=1.2):
    """A group's tables: hard and easy images, some classes better known than others."""
    labels = rng.integers(7, size=images)
    truth = np.eye(7)[labels] * np.linspace(0.7, 1.4, 7)[labels][:, None]
    image = rng.normal(0, 1, (images, 7))
    tables = []
    for _ in range(seeds):
        level = skill + rng.normal(0, 0.08)
        logits = level * truth + 0.7 * image + rng.normal(0, 0.5, (images, 7))
        probs = np.exp(2 * logits)
        probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
        rows = np.arange(images)
        tables.append(Predictions(rows, rows, labels, probs))
    return tables


def test_each_seeds_mean_is_scikit_learns_metric():
    tables = drawn(3, 300, np.random.default_rng(1))
    for s, table in enumerate(tables):
        labels, said = table.labels, table.predicted
        for name in ("precision", "f1"):
            expected = getattr(reference, f"{name}_score")(labels, said, average=None)
            found = [getattr(influence, name)(tables, k)[s].mean() for k in range(7)]
            assert found == pytest.approx(expected)
        macro = reference.f1_score(labels, said, average="macro")
        assert influence.macro_f1(tables)[s].mean() == pytest.approx(macro)
        area = reference.roc_auc_score(labels == 4, table.probs[:, 4])
        assert influence.auc(tables, 4)[s].mean() == pytest.approx(area)


def test_of_one_seed_the_intervals_are_those_of_single_runs():
    tables = drawn(1, 3000, np.random.default_rng(2))
    table = tables[0]
    delong = statistics.auc_interval(table.labels == 2, table.probs[:, 2])
    assert group_mean(influence.auc(tables, 2)).interval() == pytest.approx(delong, abs=0.004)
    counts = confusion_matrix(table.labels, table.predicted)
    low, high = statistics.bootstrap_bounds(counts, lambda drawn: class_scores(drawn).f1)
    found = group_mean(influence.f1(tables, 2)).interval()
    assert found == pytest.approx((low[2], high[2]), abs=0.004)


def test_what_does_not_occur_has_no_figure():
    table = Predictions(
        np.arange(4), np.arange(4), np.zeros(4, int), np.eye(7, dtype=np.float32)[[0, 0, 1, 0]]
    )
    assert np.isnan(influence.auc([table], 0)).all()
    assert influence.precision([table], 3).mean() == 0
    expected = reference.f1_score(table.labels, table.predicted, average="macro")
    assert influence.macro_f1([table]).mean() == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["precision", "f1", "auc"])
def test_ninety_five_percent_covers_ninety_three_to_ninety_seven(metric):
    rng, scores = np.random.default_rng(3), getattr(influence, metric)
    truth = np.mean([scores(drawn(20, 5000, rng), 3).mean() for _ in range(4)])
    covered, gaps = [], []
    for _ in range(250):
        a, b = drawn(8, 700, rng), drawn(8, 700, rng)
        covered += [_inside(truth, group_mean(scores(each, 3)).interval()) for each in (a, b)]
        gaps.append(_inside(0, group_difference(scores(a, 3), scores(b, 3)).interval()))
    assert 0.93 <= np.mean(covered) <= 0.97
    assert 0.92 <= np.mean(gaps) <= 0.985


def _inside(value, interval):
    return interval.low <= value <= interval.high
