"""What the pages show follows from the prediction table, and from nothing else."""

import numpy as np
import pytest
from sklearn import metrics as reference

from fercore.errors import RunError
from fercore.evaluation import class_table, compare, confusions, evaluate, sample_table
from fercore.labels import CLASSES
from fercore.predictions import Predictions, select_part


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
    assert (first["true"], first["predicted"], first["count"]) == ("sad", "neutral", 3)
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
