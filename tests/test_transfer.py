"""Trainings that begin with another run's weights, or use the review verdicts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.metrics import accuracy_score

from fercore import data
from fercore.analysis import review
from fercore.data import face_set
from fercore.errors import ConfigError, RunError
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import START, Request, prepare, read_request, settled
from fercore.jobs.transfer import BEFORE, ORIGIN_AFTER, before_and_after
from fercore.labels import CLASSES
from fercore.models import build
from fercore.models.inference import predict_probs
from fercore.models.precision import REFERENCE
from fercore.predict.predictor import Predictor
from fercore.runs.changes import delete_run
from fercore.runs.listing import find_run
from fercore.runs.writing import verify_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS, select_part
from fercore.training.recipes import find_recipe

RECIPE = replace(find_recipe("finetune"), epochs=1)


@pytest.fixture
def own_faces():
    """Thirty drawn faces of three expressions, as someone's own set."""
    drawn = data.synthetic((6, 2, 2), seed=5)
    own = drawn.where(np.isin(drawn.labels, (0, 3, 6)))
    return face_set("ours", own.images, own.labels, own.usage)


def trained(name: str, faces, **options):
    recipe = RECIPE if "start_from" in options else replace(find_recipe("quick"), epochs=1)
    prepare(Request(name, "cnn", recipe, data="synthetic", threads=1, **options))
    return run_experiment(read_request(name), faces=faces)


def test_it_begins_with_the_model_and_weights_of_the_run(two_runs, own_faces):
    folder = prepare(Request("tuned", "", RECIPE, data="synthetic", start_from="second"))
    request = read_request("tuned")
    assert request.model == "cnn_lstm"
    assert request.recipe.model_arguments == two_runs[1].info["model_arguments"]
    begun, base = load_file(folder / START), load_file(two_runs[1].folder / "weights.safetensors")
    assert all(np.array_equal(begun[name], base[name]) for name in base)

    delete_run(two_runs[1])  # its weights are kept for the training
    run = run_experiment(replace(request, data="synthetic"), faces=own_faces)
    tuned = run.load_model().state_dict()
    assert all(abs(tuned[n].numpy() - base[n]).max() < 0.2 for n in base if n.endswith("weight"))
    mean = next(name for name in base if name.endswith(".mean"))  # the normalisation is kept too
    assert tuned[mean] == base[mean]
    table = before_and_after(run)  # on its own faces; where the start came from is known no more
    assert table["dataset"].tolist() == ["ours", "ours"]
    model = build("cnn_lstm", **request.recipe.model_arguments).eval()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in base.items()})
    test = own_faces.part("PrivateTest")
    right = predict_probs(model, test.images, precision=REFERENCE).argmax(1) == test.labels
    assert table.loc[0, "before"] == right.mean()


def test_a_damaged_table_is_a_sentence(two_runs):
    (two_runs[0].folder / BEFORE).write_bytes(b"no table")
    with pytest.raises(RunError, match=r"first: its before\.parquet cannot be read"):
        before_and_after(two_runs[0])


def test_before_and_after_on_the_new_faces_and_on_the_old(two_runs, own_faces):
    run = trained("tuned", own_faces, start_from="first")
    assert run.info["start_from"] == {"run_id": "first", "dataset": "synthetic"}
    assert verify_run(run) == []

    base = Predictor.from_run("first")
    scored = own_faces.where(own_faces.usage != "Training")
    before = pd.read_parquet(run.folder / BEFORE)
    np.testing.assert_allclose(before[PROBABILITY_COLUMNS], base.probs(scored.images), atol=1e-6)

    table = before_and_after(run)
    assert list(table["dataset"].unique()) == ["ours", "synthetic"]
    private = table[table["part"] == "PrivateTest"].set_index("dataset")
    new = private.loc["ours"]
    test = own_faces.part("PrivateTest")
    assert new.before == accuracy_score(test.labels, base.probs(test.images).argmax(1))
    assert new.after == run.metrics()["private"]["accuracy"]
    assert new.difference == pytest.approx(new.after - new.before)

    drawn = data.synthetic().part("PrivateTest")
    old = private.loc["synthetic"]
    guesses = Predictor.from_run("tuned").probs(drawn.images).argmax(1)
    assert old.n == len(drawn)
    assert old.before == two_runs[0].metrics()["private"]["accuracy"]
    assert old.after == pytest.approx(accuracy_score(drawn.labels, guesses))
    kept = select_part(pd.read_parquet(run.folder / ORIGIN_AFTER), "private")
    assert kept.same_images(two_runs[0].predictions("private"))


def test_on_the_faces_it_came_from_nothing_is_said_twice(two_runs):
    run = trained("tuned", data.synthetic(), start_from="first")
    assert before_and_after(run)["part"].tolist() == ["PrivateTest", "PublicTest"]


def test_a_run_to_start_from_must_be_there():
    with pytest.raises(RunError, match="no complete run 'missing'"):
        prepare(Request("tuned", "cnn", RECIPE, start_from="missing"))


def test_it_is_settled_with_the_runs_own_model_before_its_time_is_told(two_runs):
    asked = Request("tuned", "", find_recipe("finetune"), start_from="second")
    told = settled(asked)
    assert told.model == "cnn_lstm"
    assert told.recipe.model_arguments == find_run("second").info["model_arguments"]
    with pytest.raises(ConfigError, match="maps of one size"):
        settled(Request("tuned", "cnn_flatten", find_recipe("fast")))


def test_fresh_weights_have_no_before(two_runs):
    assert before_and_after(two_runs[0]).empty


def verdict(faces, index: int, **what) -> review.Verdict:
    label = CLASSES[faces.labels[index]]
    pixels = int(faces.pixel_hashes()[index])
    return review.Verdict(pixels, int(faces.row[index]), faces.name, label, **what)


def test_verdicts_change_training_and_leave_the_test_images_alone(faces):
    training = np.flatnonzero(faces.usage == "Training")
    test = np.flatnonzero(faces.usage == "PrivateTest")
    wrong, unusable = training[0], training[1]
    review.save(verdict(faces, wrong, verdict="wrong", should_be="surprise"))
    review.save(verdict(faces, unusable, verdict="unusable"))
    review.save(verdict(faces, test[0], verdict="unusable"))
    with_them = trained("with", faces, verdicts=True)
    review.remove(int(faces.pixel_hashes()[unusable]))  # later changes do not reach the run
    without = trained("without", faces)

    expected = np.bincount(np.delete(faces.labels[training], 1), minlength=7)
    expected[faces.labels[wrong]] -= 1
    expected[5] += 1
    assert with_them.info["dataset"]["counts"]["Training"] == expected.tolist()
    assert with_them.info["verdicts"]["count"] == 3
    assert len(with_them.info["verdicts"]["hash"]) == 16
    assert without.info["verdicts"] is None
    for part in ("private", "public"):
        assert with_them.predictions(part).same_images(without.predictions(part))
    assert find_run("with").info["dataset"]["fingerprint"] == faces.fingerprint


def test_without_verdicts_there_is_nothing_to_use():
    with pytest.raises(ConfigError, match="no verdicts yet"):
        prepare(Request("with", "cnn", find_recipe("quick"), verdicts=True))
