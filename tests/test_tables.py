"""A call from a run to the table that a page shows."""

import numpy as np
import pandas as pd
import pytest

from fercore.data import synthetic
from fercore.errors import RunError
from fercore.files import write_json
from fercore.groups import tables
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.scoring.evaluation import class_differences, class_table
from fercore.scoring.evaluation import compare as compare_predictions
from fercore.wording import signed
from tests.test_cli import run
from tests.test_pages import as_if_real, open_page


def test_compare_holds_every_figure_of_both_and_of_their_difference(two_runs):
    table = tables.compare("first", "second")
    a, b = (entry.predictions() for entry in two_runs)
    overall, whole = compare_predictions(a, b), table.iloc[0]
    assert (whole["metric"], whole["class"], whole["support"]) == ("accuracy", "all", 350)
    assert whole["p_value"] == overall.p_value
    assert whole["a"] - whole["b"] == pytest.approx(whole["difference"])
    f1 = table[table["metric"] == "f1"].reset_index()
    assert list(f1["class"]) == list(CLASSES)
    pd.testing.assert_series_equal(f1["b_low"], class_table(b)["f1_low"], check_names=False)
    gaps = class_differences(a, b)["f1_high"]
    pd.testing.assert_series_equal(f1["difference_high"], gaps, check_names=False)
    assert len(table) == 1 + 4 * len(CLASSES)


def test_the_command_the_page_and_the_call_say_the_same(two_runs):
    recall = tables.compare(*two_runs).query("metric == 'recall'")
    printed = run("compare", "first", "second", "--metric", "recall").splitlines()
    shown = open_page("per_class", a="first", b="second", metric="recall").dataframe[0].value
    shown = shown.replace("\u00a0", " ", regex=True)
    for line, on_page in zip(recall.to_dict("records"), shown.to_numpy()):
        written = next(text for text in printed if text.startswith(line["class"]))
        assert f"{100 * line['a']:.1f} {on_page[3]}" in written  # with its interval
        assert f"{100 * line['b']:.1f} {on_page[5]}" in written
        assert f"{signed(100 * line['difference'])} {on_page[7]}" in written
        assert on_page[2] == pytest.approx(line["a"])


def test_bootstrap_intervals_of_every_metric_hold_their_value(two_runs):
    table = tables.bootstrap_interval("first").set_index(["metric", "class"])
    predictions = two_runs[0].predictions()
    assert table.loc[("accuracy", "all"), "value"] == predictions.correct.mean()
    recall = class_table(predictions)["recall"].to_numpy()
    np.testing.assert_allclose(table["value"]["recall"], recall)
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()
    more = tables.bootstrap_interval("first", resamples=20, seed=1)
    assert not np.allclose(more["low"], table["low"])


def test_reliability_and_slices_of_a_run(two_runs):
    bins = tables.reliability("first", "public", bins=5)
    assert bins["n"].sum() == 350
    assert {"brightness", "sharpness"} <= set(tables.slices("first", faces=synthetic())["property"])
    assert "sharpness" in set(tables.slices(find_run("first"))["property"])  # drawn once more


def test_slices_without_the_images_are_by_class(two_runs, monkeypatch):
    as_if_real(two_runs[0], monkeypatch)
    assert set(tables.slices("first")["property"]) == {"class"}


def test_a_part_that_was_not_scored_is_a_sentence(two_runs):
    frame = two_runs[0].prediction_frame
    frame[frame["usage"] == "PublicTest"].to_parquet(two_runs[0].folder / "predictions.parquet")
    write_json(two_runs[0].folder / "metrics.json", {})
    with pytest.raises(RunError, match="was not scored on part 'private'"):
        tables.reliability("first")
