"""A group's figures: of one seed today's, of several means whose intervals agree with a bootstrap
of seeds and images written again, and with an analysis of variance by projection."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from benchmarks import group_coverage
from fercore.errors import RunError
from fercore.groups import tables
from fercore.groups.finding import find_group
from fercore.groups.group import group_of
from fercore.groups.verdict import power_in_words
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.scoring import evaluation as single
from fercore.scoring.grouped import comparison
from fercore.scoring.grouped import evaluation as grouped_evaluation
from fercore.scoring.grouped.bootstrap import crossed_bounds
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.grouped.slices import slice_differences
from fercore.scoring.matrices import cell_counts, cells_of_models
from fercore.scoring.metrics import class_scores
from fercore.scoring.predictions import Predictions
from fercore.scoring.slices import slice_properties
from fercore.wording import signed
from tests.seeds import two_groups
from tests.test_cli import run
from tests.test_influence import drawn

METRICS = ("precision", "recall", "f1", "auc")


def pair(seeds, images, seed=1, skills=(1.2, 1.1)):
    """Two groups on the same images."""
    rng, groups = np.random.default_rng(seed), []
    labels, image = rng.integers(7, size=images), rng.normal(0, 1, (images, 7))
    rows, truth = np.arange(images), np.eye(7)[labels]
    for number, skill in zip(seeds, skills, strict=True):
        own, tables = rng.normal(0, 0.3, (images, 7)), []
        for _ in range(number):
            logits = (skill + rng.normal(0, 0.08)) * truth + 0.7 * image + own
            probs = np.exp(2 * (logits + rng.normal(0, 0.4, (images, 7))))
            probs = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
            tables.append(Predictions(rows, rows, labels, probs))
        groups.append(grouped(tables))
    return groups


def test_of_one_seed_on_either_side_it_is_what_single_runs_have():
    a, b = pair((1, 1), 300)
    for name in ("class_table", "confusions"):
        expected = getattr(single, name)(a.single)
        pd.testing.assert_frame_equal(getattr(grouped_evaluation, name)(a), expected)
    for name in ("class_differences", "cell_differences"):
        expected = getattr(single, name)(a.single, b.single)
        pd.testing.assert_frame_equal(getattr(grouped_evaluation, name)(a, b), expected)
    headline = grouped_evaluation.evaluate(a)
    assert {key: headline[key] for key in headline if "seed" not in key} == single.evaluate(
        a.single
    )
    assert headline["accuracy_by_seed"] == [headline["accuracy"]]
    found, expected = comparison.compare(a, b), single.compare(a.single, b.single)
    for name in ("difference", "interval", "p_value", "only_a", "only_b"):
        assert getattr(found, name) == getattr(expected, name)
    assert found.test == "exact McNemar"
    assert found.crossed is None


def test_a_groups_figures_are_means_of_its_seeds():
    a, _ = pair((4, 2), 400)
    found, table = grouped_evaluation.evaluate(a), grouped_evaluation.class_table(a)
    for name in ("accuracy", "macro_f1", "weighted_f1", "macro_recall", "macro_auc", "micro_auc"):
        own = [single.evaluate(one)[name] for one in a.tables]
        assert found[name] == pytest.approx(np.mean(own))
    assert found["macro_f1_by_seed"] == [single.evaluate(one)["macro_f1"] for one in a.tables]
    assert found["accuracy_interval"][0] < found["accuracy"] < found["accuracy_interval"][1]
    values = grouped_evaluation.class_values(a)
    for name in METRICS:
        own = [single.class_table(one)[name].to_numpy() for one in a.tables]
        np.testing.assert_allclose(table[name], np.mean(own, axis=0))
        np.testing.assert_allclose(values[name].to_numpy().reshape(4, 7), own)
        assert ((table[f"{name}_low"] < table[name]) & (table[name] < table[f"{name}_high"])).all()
    counts = grouped_evaluation.mean_confusion(a)
    own = [reference.confusion_matrix(a.labels, one.predicted) for one in a.tables]
    np.testing.assert_allclose(counts, np.mean(own, axis=0))
    worst = grouped_evaluation.confusions(a).iloc[0]
    assert worst["count"] == (counts - np.diag(counts.diagonal())).max()


def test_the_cells_of_a_matrix_are_pandas_crosstab():
    a, b = (group.tables[0] for group in pair((1, 1), 300))
    matrices = {
        key: reference.confusion_matrix(one.labels, one.predicted) for key, one in zip("AB", (a, b))
    }
    lines = cells_of_models(matrices, single.cell_differences(a, b))
    assert len(lines) == 49
    assert (lines["a_count"] - lines["b_count"]).equals(lines["only_a"] - lines["only_b"])
    names = np.array(CLASSES)
    for key, one in (("a", a), ("b", b)):
        shares = pd.crosstab(names[one.labels], names[one.predicted], normalize="index")
        own = lines.pivot(index="label", columns="predicted", values=f"{key}_share")
        own = own.loc[shares.index, shares.columns]
        np.testing.assert_allclose(own, shares)
    said = cell_counts(matrices["B"], "a_predicted", "b_predicted").set_index("a_predicted")
    assert said.loc["happy"].set_index("b_predicted")["count"].sum() == (b.labels == 3).sum()


def test_what_two_groups_say_of_an_image_is_the_mean_over_pairs():
    a, b = pair((2, 3), 200)
    counts = [
        reference.confusion_matrix(one.predicted, other.predicted, labels=range(7))
        for one in a.tables
        for other in b.tables
    ]
    np.testing.assert_allclose(grouped_evaluation.said_against(a, b), np.mean(counts, axis=0))
    cells = grouped_evaluation.cell_differences(a, b)
    gap = grouped_evaluation.mean_confusion(a) - grouped_evaluation.mean_confusion(b)
    np.testing.assert_allclose(cells["only_a"] - cells["only_b"], gap.ravel(), atol=1e-9)


def two_way_bootstrap(a, b, figure, resamples=400):
    """Seeds and images drawn anew, one resample after the other; percentiles of A minus B."""
    rng, draws = np.random.default_rng(4), []
    for _ in range(resamples):
        images = rng.integers(len(a), size=len(a))
        means = []
        for group in (a, b):
            seeds = rng.integers(group.seeds, size=group.seeds)
            said = group.predicted[seeds][:, images]
            means.append(figure(group.labels[images], said).mean())
        draws.append(means[0] - means[1])
    return np.quantile(draws, [0.025, 0.975])


def test_differences_of_twenty_seeds_agree_with_a_plain_two_way_bootstrap():
    a, b = pair((20, 20), 700, seed=2)
    found = comparison.compare(a, b)
    accuracy = two_way_bootstrap(
        a, b, lambda labels, said: (labels == said).mean(1), resamples=1500
    )
    assert found.crossed.student == pytest.approx(accuracy, abs=0.004)
    assert found.crossed.bootstrap == pytest.approx(accuracy, abs=0.002)
    table = grouped_evaluation.class_differences(a, b).iloc[2]
    f1 = two_way_bootstrap(
        a,
        b,
        lambda labels, said: (
            2 * ((said == 2) & (labels == 2)).sum(1) / ((said == 2).sum(1) + (labels == 2).sum())
        ),
    )
    assert (table["f1_low"], table["f1_high"]) == pytest.approx(f1, abs=0.012)


def test_one_comparison_has_one_interval_and_one_p():
    """p is below 0.05 where the interval leaves out 0, whichever of the two methods answers."""
    answered = set()
    for seed in range(40):
        found = comparison.compare(*pair((2 + seed % 3, 3), 250 + 10 * seed, seed=seed)).crossed
        low, high = found.interval
        assert (found.p_value < 0.05) == (low > 0 or high < 0)
        assert (found.equivalence_p < 0.05) == found.equivalent
        answered.add(found.interval == found.student)
    assert answered == {True, False}


def test_compare_agrees_with_an_analysis_of_variance_by_projection():
    """Its sums of squares from least squares on dummies, a model at a time."""
    a, b = pair((3, 4), 60, seed=3)
    groups, n = (a, b), 60
    long = pd.concat(
        pd.DataFrame({"y": own.astype(float), "image": range(n), "seed": f"{m}{s}", "model": m})
        for m, group in enumerate(groups)
        for s, own in enumerate(group.correct)
    )
    dummies = {name: pd.get_dummies(long[name]).to_numpy(float) for name in ("image", "seed")}

    def left(rows, *names):
        design = np.hstack([dummies[name][rows] for name in names])
        y = long["y"].to_numpy()[rows]
        return float(((y - design @ np.linalg.lstsq(design, y)[0]) ** 2).sum())

    seeds = rest = 0.0
    for m, group in enumerate(groups):
        rows = (long["model"] == m).to_numpy()
        s = group.seeds
        own_rest = left(rows, "image", "seed") / ((s - 1) * (n - 1))
        own_seeds = (left(rows, "image") - left(rows, "image", "seed")) / (s - 1)
        rest += own_rest / (s * n)
        seeds += max(0.0, (own_seeds - own_rest) / n) / s
    paired = a.correct.mean(0) - b.correct.mean(0)
    images = max(0.0, paired.var(ddof=1) / n - rest)
    crossed = comparison.compare(a, b).crossed
    total = seeds + images + rest
    assert crossed.shares == pytest.approx((seeds / total, images / total, rest / total))


def test_one_run_against_a_group_counts_its_images_and_no_seeds_of_it():
    a, b = pair((1, 5), 600)
    found = comparison.compare(a, b)
    assert (found.seeds_a, found.seeds_b, found.test) == (1, 5, "Student, crossed")
    assert found.difference == pytest.approx(a.correct.mean() - b.correct.mean())
    assert found.interval.low < found.difference < found.interval.high
    assert set(grouped_evaluation.comparison_table(a, b)["metric"]) == {"accuracy", *METRICS}


def test_a_class_without_images_has_no_figures_and_one_with_few_no_interval():
    a, b = pair((3, 3), 120)
    few = [
        group.where((group.labels > 1) | (np.cumsum(group.labels == 1) == 1)) for group in (a, b)
    ]
    keep = few[0].labels != 0
    few = [group.where(keep) for group in few]
    assert np.bincount(few[0].labels, minlength=7)[:2].tolist() == [0, 1]
    table = grouped_evaluation.class_table(few[0])
    assert table.loc[0, ["f1", "recall", "auc"]].isna().all()
    assert table["recall_low"].isna()[1]
    gaps = grouped_evaluation.class_differences(*few)
    assert gaps.loc[0, ["f1", "f1_p_value", "f1_p_holm"]].isna().all()
    assert grouped_evaluation.evaluate(few[0])["per_class"][0]["f1"] is None
    none = a.where(np.zeros(120, bool))
    for function in (grouped_evaluation.evaluate, grouped_evaluation.class_table):
        with pytest.raises(RunError, match="was not scored on these images"):
            function(none)
    with pytest.raises(RunError, match="not scored on the same images"):
        comparison.compare(few[0], b.where(b.labels > 2))


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_of_one_image_a_group_is_told_and_nothing_beyond_it():
    a, b = (group.where(np.arange(120) == 3) for group in pair((3, 4), 120))
    share = a.correct.mean()
    found = grouped_evaluation.evaluate(a)
    assert found["accuracy"] == pytest.approx(share)
    assert (*found["accuracy_interval"], *found["macro_f1_interval"]) == (0, 1, 0, 1)
    result = comparison.compare(a, b)
    assert result.difference == pytest.approx(share - b.correct.mean())
    assert (*result.interval, result.p_value) == (-1, 1, 1)
    assert power_in_words(result) == ""
    assert set(grouped_evaluation.comparison_table(a, b)["p_holm"].dropna()) == {1}
    a, b = (group.where(np.isin(np.arange(120), (2, 3))) for group in pair((3, 4), 120))
    gaps = slice_differences(a, b, slice_properties(a.tables[0]))
    assert gaps[["n", "difference_low", "difference_high"]].to_numpy().tolist() == [[1, -1, 1]] * 2
    assert gaps["p_holm"].tolist() == [1, 1]


def test_where_all_seeds_are_right_on_all_the_interval_is_that_of_the_images():
    labels = np.repeat(np.arange(7), 20)
    rows = np.arange(len(labels))
    table = Predictions(rows, rows, labels, np.eye(7, dtype=np.float32)[labels])
    found = grouped_evaluation.class_table(grouped([table] * 3)).iloc[0]
    assert found["recall"] == found["recall_high"] == 1
    assert 0.5 < found["recall_low"] < 0.9


def test_ninety_five_percent_covers_ninety_three_to_ninety_seven():
    """Over new seeds and new images; few draws, many in benchmarks/group_coverage.py."""
    tables = [
        grouped_evaluation.class_table(grouped(drawn(4, 300, np.random.default_rng([7, number]))))
        for number in range(120)
    ]
    for metric in METRICS:
        low, value, high = (
            np.stack([table[metric + end] for table in tables]) for end in ("_low", "", "_high")
        )
        truth = value.mean(0)
        assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_the_vectorised_bootstrap_is_a_bootstrap_of_seeds_and_images():
    a, _ = pair((6, 2), 500, seed=5)
    low, high = crossed_bounds(a, lambda counts: class_scores(counts).f1[..., 2], resamples=1000)
    rng, draws = np.random.default_rng(6), []
    for _ in range(600):
        images, seeds = rng.integers(500, size=500), rng.integers(6, size=6)
        labels, said = a.labels[images] == 2, a.predicted[seeds][:, images] == 2
        draws.append(np.mean(2 * (said & labels).sum(1) / (said.sum(1) + labels.sum())))
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.012)


def test_command_call_and_table_say_the_same_of_two_groups(run_folders):
    two_groups(run_folders)
    table = tables.compare("cnn@quick", "cnn_lstm@quick")
    a, b = (find_group(name).predictions() for name in ("cnn@quick", "cnn_lstm@quick"))
    overall, total = comparison.compare(a, b), table.iloc[0]
    assert (total["a"], total["p_holm"]) == (overall.accuracy_a, overall.p_value)
    assert total["difference_low"] == overall.interval.low
    assert tables.difference("cnn@quick", "cnn_lstm@quick") == overall
    printed = run("compare", "cnn@quick", "cnn_lstm@quick", "--metric", "recall")
    assert f"A cnn@quick, 3 seeds: {100 * overall.accuracy_a:.1f} [" in printed
    assert f"A − B: {signed(100 * overall.difference)} points" in printed
    assert "Equal within ±1 point: p" in printed
    assert "from seeds" in printed
    found = json.loads(run("compare", "cnn@quick", "cnn_lstm@quick", "--json"))
    assert found["crossed"]["shares"] == list(overall.crossed.shares)
    assert found["model_a"]["runs"] == ["cnn-0", "cnn-1", "cnn-2"]
    assert len(found["table"]) == len(table)
    bounds = tables.bootstrap_interval("cnn@quick", resamples=200).set_index(["metric", "class"])
    assert bounds["value"]["accuracy", "all"] == pytest.approx(overall.accuracy_a)
    assert (bounds["low"] < bounds["high"]).all()


def test_a_group_is_held_against_one_run_and_a_damaged_member_is_named(run_folders):
    two_groups(run_folders)
    (find_run("cnn-1").folder / "predictions.parquet").write_bytes(b"")
    printed = run("compare", "cnn@quick", "lstm-0")
    assert "A cnn@quick, 2 seeds" in printed
    assert "B lstm-0, one run" in printed
    found = json.loads(run("compare", "cnn@quick", "lstm-0", "--json"))
    assert "cnn-1: its predictions.parquet cannot be read" in found["model_a"]["left_out"][0]
    assert "exact McNemar" in run("compare", "cnn-0", "lstm-0")


def test_reliability_and_slices_of_a_group_are_means_of_its_seeds(run_folders):
    two_groups(run_folders)
    bins = tables.reliability("cnn@quick", bins=5)
    group = find_group("cnn@quick")
    expected = group.predictions().confidence.mean()
    assert np.average(bins["confidence"], weights=bins["n"]) == pytest.approx(expected)
    found, *own = (
        tables.slices(model).set_index(["property", "slice"])["accuracy"].to_dict()
        for model in (group, *map(group_of, group.members))
    )
    assert ("sharpness", "sharp") in found
    for key, value in found.items():
        assert value == pytest.approx(np.mean([each[key] for each in own]))


def test_tests_of_groups_call_one_in_twenty_where_there_is_no_difference():
    """Of two equally good models; few draws, many in benchmarks/group_coverage.py."""
    called = group_coverage.false_alarms((5, 5), images=300, trials=60).T.to_dict()
    for metric in METRICS:
        assert 0.01 <= np.mean([called[metric][name] for name in CLASSES]) <= 0.07
        assert called[metric]["family"] <= 0.12
    assert called["accuracy"]["all"] <= 0.12
    assert called["cells"]["family"] <= 0.12


def test_intervals_of_a_minus_b_hold_the_truth():
    true = group_coverage.truth(group_coverage.BETTER, draws=40)
    held = group_coverage.coverage((5, 5), 300, 60, true).T.to_dict()
    for metric in METRICS:
        shares = [held[f"A − B, {metric}"][name] for name in CLASSES]
        assert 0.93 <= np.mean(shares) <= 0.985
    for figure in ("accuracy", "macro f1", "A − B, accuracy"):
        assert held[figure]["all"] >= 0.88
