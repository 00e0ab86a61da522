"""A set without validation images: told, refused before anything is written, or given a share."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fercore import data
from fercore.cli.app import app
from fercore.data.cache import source_key
from fercore.data.validation import with_validation
from fercore.errors import ConfigError, DataError
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, prepare, read_request
from fercore.runs.folders import local_folder
from fercore.training.recipes import find_recipe
from tests.test_cli import fails, run
from tests.test_data_sources import write_tree

RECIPE = replace(find_recipe("quick"), epochs=1)


@pytest.fixture
def unvalidated(tmp_path, faces) -> Path:
    """RAF-DB's shape: train and test alone."""
    write_tree(tmp_path / "rafdb", faces.where(faces.usage != "PublicTest"), kaggle=False)
    return tmp_path / "rafdb"


def test_the_share_is_drawn_from_each_class_by_the_seed(unvalidated):
    whole = data.load(unvalidated)
    split = with_validation(whole, 0.34, 5)
    assert split.counts() == {
        "Training": [4] * 7,
        "PublicTest": [2] * 7,
        "PrivateTest": [3] * 7,
    }
    again, other = with_validation(whole, 0.34, 5), with_validation(whole, 0.34, 6)
    assert split.fingerprint == again.fingerprint
    assert len({whole.fingerprint, split.fingerprint, other.fingerprint}) == 3
    assert np.array_equal(split.images, whole.images)
    assert "34 % of Training were drawn for validation (PublicTest) by seed 5." in split.notes
    assert not any("no validation images" in note for note in split.notes)


@pytest.mark.parametrize("share", [0, 0.6, -1, float("nan")])
def test_a_share_that_is_none_is_refused(unvalidated, share):
    with pytest.raises(ConfigError, match="A validation share is from"):
        data.load(unvalidated, validation=(share, 0))


def test_a_set_with_validation_images_keeps_its_own(faces):
    with pytest.raises(ConfigError, match="validation images of its own"):
        with_validation(faces, 0.1, 0)


def test_a_training_is_refused_before_anything_is_written(unvalidated):
    said = fails(
        "train", "cnn", "--recipe", "quick", "--data", str(unvalidated), "--run-id", "mine"
    )
    assert "rafdb has no validation images" in said
    assert "--validation 0.1" in said
    assert not local_folder("mine").exists()
    with pytest.raises(DataError, match="no validation images"):
        prepare(Request("mine", "cnn", RECIPE, data=str(unvalidated)))
    assert not local_folder("mine").exists()
    (unvalidated / "train").rename(unvalidated / "val")
    with pytest.raises(DataError, match="no images to train on"):
        prepare(Request("mine", "cnn", RECIPE, data=str(unvalidated)))


def test_a_training_with_a_share_records_it(unvalidated):
    options = "--recipe quick --epochs 1 --seed 3 --threads 1 --validation 0.2 --run-id mine --json"
    told = run("train", "cnn", *options.split(), "--data", str(unvalidated))
    record = json.loads(told[told.index("{") :])
    assert record["dataset"]["validation"] == {"share": 0.2, "seed": 3}
    assert record["dataset"]["counts"]["PublicTest"] == [1] * 7
    assert record["selected_on"] == "PublicTest"
    assert "chosen on PublicTest, 20 % of Training drawn by its seed" in run("runs", "show", "mine")
    split = data.load(unvalidated, validation=(0.2, 3))
    assert record["dataset"]["fingerprint"] == split.fingerprint
    frame = _run("mine").prediction_frame
    assert (frame["usage"] == "PublicTest").sum() == 7
    scored = split.where(split.usage != "Training")
    assert frame["pixels"].tolist() == scored.pixel_hashes().tolist()


def _run(name):
    from fercore.runs.listing import find_run

    return find_run(name)


def test_a_resumed_training_has_the_same_split_and_names(tmp_path, unvalidated):
    for part in ("train", "test"):
        (unvalidated / part / "disgust").rename(unvalidated / part / "contempt")
    asked = Request("mine", "cnn", RECIPE, seed=4, data=str(unvalidated), validation=0.2, threads=1)
    prepare(replace(asked, class_names="contempt="))
    from fercore.data.settings import choose_data

    choose_data(unvalidated, "contempt=disgust")  # whatever is chosen meanwhile
    begun = read_request("mine")
    faces = begun.faces()
    assert faces.counts()["PublicTest"] == [1, 0, 1, 1, 1, 1, 1]
    ended = run_experiment(begun)
    assert ended.info["dataset"]["fingerprint"] == faces.fingerprint
    assert ended.info["dataset"]["name"] == "rafdb without contempt"
    assert ended.info["dataset"]["class_names"] == "contempt="


def test_the_time_of_such_a_training_is_estimated(unvalidated):
    arguments = ("train", "cnn", "--recipe", "quick", "--threads", "1", "--estimate", "--json")
    told = run(*arguments, "--data", str(unvalidated), "--validation", "0.2")
    assert json.loads(told[told.index("{") :])["images"] == 35
    assert "no validation images" in fails(*arguments, "--data", str(unvalidated))


def test_what_is_chosen_is_taken_back(unvalidated, monkeypatch):
    for part in ("train", "test"):
        (unvalidated / part / "disgust").rename(unvalidated / part / "contempt")
    assert "--leave-out contempt" in fails("data", "use", str(unvalidated))
    assert data.find_source() is None
    assert "rafdb without contempt" in run(
        "data", "use", f'"{unvalidated}"', "--leave-out", "contempt"
    )
    assert data.load().name == "rafdb without contempt"
    assert "rafdb without contempt" in run("data", "info", "--data", f"file://{unvalidated}")
    assert "rafdb, 63 images" in run("data", "info", "--classes", "contempt=disgust")
    assert "No dataset is chosen any more" in run("data", "use", "--forget")
    assert data.find_source() is None
    assert "synthetic" in run("data", "use", "synthetic")
    assert data.load().name == "synthetic"
    assert source_key(unvalidated) != source_key(unvalidated, "contempt=")
    assert "give --forget" in fails("data", "use")
    monkeypatch.setenv("FERCORE_DATA", "synthetic")
    result = CliRunner().invoke(app, ["data", "use", str(unvalidated), "--leave-out", "contempt"])
    assert "FERCORE_DATA is set, and goes before this choice" in result.stderr
