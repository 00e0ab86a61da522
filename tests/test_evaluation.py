"""What the pages show follows from the prediction table, and from nothing else."""

import timeit

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as reference

from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.scoring.evaluation import (
    cell_differences,
    class_differences,
    class_table,
    compare,
    confusions,
    evaluate,
)
from fercore.scoring.predictions import Predictions, select_part
from fercore.scoring.samples import sample_table


def test_evaluate_agrees_with_scikit_learn(two_runs):
    table = two_runs[0].predictions("private")
    scores = evaluate(table)
    assert scores["n"] == 350
    assert scores["accuracy"] == pytest.approx(
        reference.accuracy_score(table.labels, table.predicted), abs=1e-9
    )
    assert scores["macro_f1"] == pytest.approx(
        reference.f1_score(table.labels, table.predicted, average="macro"), abs=1e-9
    )
    assert scores["macro_auc"] == pytest.approx(
        np.mean([reference.roc_auc_score(table.labels == k, table.probs[:, k]) for k in range(7)]),
        abs=1e-9,
    )
    for name in ("accuracy", "macro_f1"):
        low, high = scores[f"{name}_interval"]
        assert low < scores[name] < high


def test_class_table_has_its_figure_inside_each_interval(two_runs):
    table = class_table(two_runs[0].predictions())
    assert list(table["class"]) == list(CLASSES)
    for metric in ("precision", "recall", "f1", "auc"):
        assert (table[f"{metric}_low"] < table[metric]).all()
        assert (table[metric] < table[f"{metric}_high"]).all()


def test_comparison_is_paired(two_runs):
    a, b = (run.predictions() for run in two_runs)
    result = compare(a, b)
    assert result.difference == pytest.approx((a.correct.mean() - b.correct.mean()), abs=1e-12)
    assert (result.only_a - result.only_b) / result.n == pytest.approx(result.difference)
    assert result.interval.low < result.difference < result.interval.high


def test_comparison_of_different_images_is_refused(two_runs):
    a = two_runs[0].predictions("private")
    b = two_runs[1].predictions("public")
    with pytest.raises(RunError, match="same images"):
        compare(a, b)
    with pytest.raises(RunError, match="same images"):
        sample_table(a, b)


def test_other_pixels_are_other_images(two_runs):
    a, b = (run.predictions() for run in two_runs)
    with pytest.raises(RunError, match="same images"):
        compare(a, Predictions(b.rows, b.pixels + 1, b.labels, b.probs))


def test_an_empty_part_is_refused(two_runs):
    frame = two_runs[0].prediction_frame
    none = select_part(frame[frame["usage"] == "PublicTest"], "private")
    with pytest.raises(RunError, match="not scored"):
        compare(none, none)


def test_confusions_leave_out_the_diagonal_and_start_with_the_most_frequent():
    labels = np.array([0, 0, 0, 4, 4, 4, 4, 6])
    predicted = np.array([0, 4, 4, 6, 6, 6, 4, 6])
    probs = np.eye(7, dtype=np.float32)[predicted]
    rows = np.arange(8)
    first = confusions(Predictions(rows, rows, labels, probs)).iloc[0]
    assert (first["label"], first["predicted"], first["count"]) == ("sad", "neutral", 3)
    assert first["share"] == pytest.approx(0.75)


def test_clean_part_leaves_out_copies(two_runs):
    frame = two_runs[0].prediction_frame.copy()
    private = frame.index[frame["usage"] == "PrivateTest"]
    frame.loc[private[:10], "copy"] = True
    assert len(select_part(frame, "clean")) == len(select_part(frame, "private")) - 10
    assert len(select_part(frame, "public")) == 350


def test_sample_table_says_who_is_right(two_runs):
    a, b = (run.predictions() for run in two_runs)
    table = sample_table(a, b)
    assert (table["a_correct"] == (table["label"] == table["a_predicted"])).all()
    assert table["b_correct"].mean() == pytest.approx(b.correct.mean())


def test_class_differences_are_a_paired_bootstrap(two_runs):
    a, b = (run.predictions() for run in two_runs)
    table = class_differences(a, b).set_index("class")
    rng = np.random.default_rng(3)
    draws = []
    for _ in range(600):
        pick = rng.integers(0, len(a), len(a))
        f1 = [
            reference.f1_score(t.labels[pick], t.predicted[pick], average=None, zero_division=0)
            for t in (a, b)
        ]
        draws.append(f1[0] - f1[1])
    expected = np.percentile(draws, [2.5, 97.5], axis=0)
    given = table[["f1_low", "f1_high"]].to_numpy().T
    np.testing.assert_allclose(given, expected, atol=0.035)
    whole = [
        reference.f1_score(t.labels, t.predicted, average=None, zero_division=0) for t in (a, b)
    ]
    np.testing.assert_allclose(table["f1"], whole[0] - whole[1])


def test_class_differences_take_a_moment():
    """Of 3,589 images and two runs, 2,000 resamples of every per-class metric."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 3589)
    probs = rng.dirichlet(np.ones(7), size=(2, 3589)).astype(np.float32)
    a, b = (Predictions(np.arange(3589), np.arange(3589), labels, p) for p in probs)
    class_differences(a, b)
    seconds = min(timeit.repeat(lambda: class_differences(a, b), number=1, repeat=3))
    once = timeit.timeit(
        lambda: reference.f1_score(labels, a.predicted, average=None, zero_division=0), number=20
    )
    assert seconds < 400 * once / 20  # by hand it would be 4,000 of these


def test_cells_differ_beyond_chance_where_they_were_made_to():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 7, 2000)
    agreed = np.where(rng.random(2000) < 0.6, labels, rng.integers(0, 7, 2000))
    other = np.where((labels == 4) & (rng.random(2000) < 0.4), 6, agreed)
    tables = [
        Predictions(np.arange(2000), np.arange(2000), labels, np.eye(7, dtype=np.float32)[said])
        for said in (agreed, other)
    ]
    cells = cell_differences(*tables)
    beyond = {
        (row["label"], row["predicted"]) for _, row in cells.iterrows() if row["p_holm"] < 0.05
    }
    assert ("sad", "neutral") in beyond
    assert all(true == "sad" for true, _ in beyond)
    line = cells[(cells["label"] == "sad") & (cells["predicted"] == "neutral")].iloc[0]
    moved = ((labels == 4) & (other == 6) & (agreed != 6)).sum()
    assert (line["only_a"], line["only_b"]) == (0, moved)
    assert line["p_value"] == pytest.approx(binomtest(0, moved).pvalue)


def test_loss_and_margin_of_each_image(two_runs):
    table = two_runs[0].predictions()
    samples = sample_table(table)
    expected = reference.log_loss(table.labels, table.probs, labels=range(7))
    assert samples["a_loss"].mean() == pytest.approx(expected, rel=1e-5)
    assert ((samples["a_margin"] > 0) == samples["a_correct"]).all()
    first = table.probs[0]
    others = np.delete(first, table.labels[0]).max()
    assert samples["a_margin"][0] == pytest.approx(first[table.labels[0]] - others)
