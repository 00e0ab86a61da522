"""Single images and slices over the seeds of a group."""

import numpy as np
import pandas as pd
import pytest

from fercore.labels import CLASSES
from fercore.scoring import samples, slices
from fercore.scoring.grouped.intervals import share_interval
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.grouped.samples import sample_table
from fercore.scoring.grouped.slices import slice_differences
from fercore.scoring.grouped.slices import slices as group_slices
from fercore.scoring.groups import group_difference, group_mean
from tests.test_grouped_calibration import drawn


@pytest.fixture(scope="module")
def group():
    return drawn(5, 400, np.random.default_rng(4))


def test_of_one_seed_everything_is_the_runs_own(group):
    one, other = group.tables[0], group.tables[1]
    pd.testing.assert_frame_equal(
        sample_table(grouped([one]), grouped([other])), samples.sample_table(one, other)
    )
    properties = slices.slice_properties(one, copied_rows=np.arange(50))
    pd.testing.assert_frame_equal(
        group_slices(grouped([one]), properties), slices.slices(one, properties)
    )


def test_a_group_says_what_most_of_its_seeds_say(group):
    table = sample_table(group)
    for image in range(0, 400, 7):
        said = [CLASSES[k] for k in group.predicted[:, image]]
        assert said.count(table["a_predicted"][image]) == max(map(said.count, said))
        wrong = np.mean([word != table["label"][image] for word in said])
        assert table["a_wrong"][image] == pytest.approx(wrong)
    assert (table["a_correct"] == (table["a_predicted"] == table["label"])).all()
    every = (group.predicted != group.labels).all(0)
    assert samples.always_wrong(table).sum() == every.sum() > 0


def test_always_wrong_is_of_all_models_in_the_table(group):
    one = grouped([group.tables[0]])
    table = sample_table(group, one)
    alone = ~samples.sample_table(group.tables[0])["a_correct"]
    of_group = samples.always_wrong(sample_table(group))
    assert (samples.always_wrong(table) == (of_group & alone)).all()
    view = samples.view_mask(table, "all seeds of both wrong")
    assert (view == samples.always_wrong(table)).all()


def test_a_slices_interval_crosses_seeds_and_images(group):
    properties = slices.slice_properties(group.tables[0], copied_rows=np.arange(50))
    table = group_slices(group, properties)
    lines = {(line["property"], line["slice"]): line for line in table.to_dict("records")}
    line = lines["duplicate", "exact copy"]
    expected = group_mean(group.correct[:, :50])
    assert line["accuracy"] == pytest.approx(expected.value)
    assert (line["accuracy_low"], line["accuracy_high"]) == pytest.approx(
        share_interval(expected, 50)
    )
    assert line["difference"] == pytest.approx(expected.value - group.correct.mean())
    assert lines["class", "sad"]["n"] == (group.labels == CLASSES.index("sad")).sum()
    assert table["macro_f1"].isna().sum() == 7


def test_a_slice_that_is_like_the_others_is_seldom_called_another():
    """Chance slices of all sizes, of one image too; a harder one is found."""
    rng, found = np.random.default_rng(6), []
    for _ in range(40):
        group = drawn(3, 300, rng)
        for size in (1, 10, 60, 150):
            rows = rng.choice(300, size, replace=False)
            properties = pd.DataFrame({"label": "sad", "duplicate": np.isin(range(300), rows)})
            found += list(group_slices(group, properties)["p_value"] < 0.05)
    assert 0.01 <= np.mean(found) <= 0.08
    hard = pd.DataFrame({"label": "sad", "duplicate": group.correct.mean(0) < 0.5})
    assert (group_slices(group, hard)["p_holm"] < 0.001).all()


def test_differences_on_slices_cross_seeds_and_images(group):
    other = drawn(3, 400, np.random.default_rng(4), sharpened=0.3)
    properties = slices.slice_properties(group.tables[0], copied_rows=np.arange(50))
    table = slice_differences(group, other, properties)
    line = table[table["slice"] == "exact copy"].to_dict("records")[0]
    expected = group_difference(group.correct[:, :50], other.correct[:, :50])
    assert line["difference"] == pytest.approx(expected.value)
    bounds = line["difference_low"], line["difference_high"]
    assert bounds == pytest.approx(expected.interval())
    assert line["p_value"] == pytest.approx(expected.p_value)
    pd.testing.assert_frame_equal(
        slice_differences(grouped([group.tables[0]]), grouped([other.tables[0]]), properties),
        slices.slice_differences(group.tables[0], other.tables[0], properties),
    )
