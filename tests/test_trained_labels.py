"""Trainings by FER+'s labels and votes, on drawn faces at FER2013's rows with made votes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fercore.analysis import relabelling
from fercore.data.faceset import FaceSet, face_set
from fercore.data.votes import Votes
from fercore.errors import ConfigError, DataError
from fercore.groups.group import group_of
from fercore.groups.naming import recipe_name
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, prepare, read_request
from fercore.labels import FER2013_COUNTS, USAGES
from fercore.models import build
from fercore.models.precision import REFERENCE
from fercore.models.weights import read_weights
from fercore.runs.artifacts import Run
from fercore.runs.folders import local_folder
from fercore.runs.kinship import training_key
from fercore.runs.listing import find_run
from fercore.training.batches import Batches
from fercore.training.checkpoint import Checkpoints
from fercore.training.fit import fit
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import find_recipe
from fercore.training.records import Interrupted, Watcher
from fercore.training.teacher import Teacher
from tests.test_cli import fails

RECIPE = replace(find_recipe("quick"), epochs=2, batch_size=16, model_arguments={"width": 4})
FIRST = dict(zip(USAGES, np.cumsum([0, *map(sum, FER2013_COUNTS.values())])))  # row, by usage


@pytest.fixture
def rated(faces, monkeypatch) -> FaceSet:
    """Drawn faces as if they were FER2013's first, and made votes on all of its rows."""
    counts = np.random.default_rng(0).multinomial(10, np.full(10, 0.1), 35887)
    counts[0] = [5, 0, 0, 5, 0, 0, 0, 0, 0, 0]  # a tie
    counts[1] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 10]  # no face
    counts[2] = [1, 0, 0, 6, 0, 0, 0, 0, 3, 0]
    monkeypatch.setattr("fercore.data.votes.load_votes", lambda: Votes(counts))
    place = {usage: np.arange((faces.usage == usage).sum()) for usage in USAGES}
    rows = np.empty(len(faces), int)
    for usage, places in place.items():
        rows[faces.usage == usage] = FIRST[usage] + places
    return face_set("FER2013", faces.images, faces.labels, faces.usage, row=rows)


def counts_of(faces: FaceSet) -> np.ndarray:
    from fercore.data import votes

    return votes.load_votes().counts[faces.part("Training").row]


def test_training_images_get_the_raters_labels_and_the_others_stay(rated):
    found = relabelling.train_by_votes(rated, "ferplus")
    training = found.part("Training")
    counts = counts_of(found)
    assert (training.labels == counts.argmax(1)).all()
    assert not set(training.row) & {0, 1}
    assert training.labels[list(training.row).index(2)] == 3
    tests = rated.usage != "Training"
    np.testing.assert_array_equal(found.labels[found.usage != "Training"], rated.labels[tests])
    assert found.fingerprint != rated.fingerprint
    assert "FER+'s plurality on Training" in found.notes[-1]
    agreed = relabelling.train_by_votes(rated, "agreed").part("Training")
    assert (2 * counts_of(relabelling.train_by_votes(rated, "agreed")).max(1) > 10).all()
    assert 0 < len(agreed) < len(training)


def test_targets_are_the_shares_of_the_seven(rated):
    by_votes = relabelling.train_by_votes(rated, "votes")
    targets = relabelling.vote_targets(by_votes)
    counts = counts_of(by_votes)[:, :7]
    np.testing.assert_allclose(targets, counts / counts.sum(1, keepdims=True), atol=1e-7)
    row = list(by_votes.part("Training").row).index(2)
    np.testing.assert_allclose(targets[row], np.array([1, 0, 0, 6, 0, 0, 0]) / 7, atol=1e-7)


def fitted(faces: FaceSet, folder, targets=None):
    torch.manual_seed(0)
    model = build("cnn", **RECIPE.model_arguments)
    result = fit(
        model, faces.part("Training"), faces.part("PublicTest"), RECIPE, seed=0,
        precision=REFERENCE, checkpoints=Checkpoints(folder / "checkpoint.pt", {}),
        targets=targets,
    )  # fmt: skip
    return model, result


def test_certain_targets_are_labels(faces, tmp_path):
    labels = faces.part("Training").labels
    _, by_labels = fitted(faces, tmp_path)
    (tmp_path / "checkpoint.pt").unlink()
    _, by_targets = fitted(faces, tmp_path, np.eye(7, dtype=np.float32)[labels])
    first, second = ([record.train_loss for record in of.history] for of in (by_labels, by_targets))
    assert second == pytest.approx(first, rel=1e-4)


def test_a_teacher_mixes_its_answers_into_the_shares(rated):
    training = relabelling.train_by_votes(rated, "votes").part("Training")
    targets = np.full((len(training), 7), 1 / 7, np.float32)
    recipe = replace(RECIPE, teacher="anyone", teacher_share=0.25)
    group = ProcessGroup()
    batches = Batches(training, recipe, targets, seed=0, device="cpu", group=group)
    batch = next(iter(batches.of(1)))
    teacher = Teacher([build("cnn", **RECIPE.model_arguments)], recipe, len(training), REFERENCE)
    mixed = teacher.targets(batch)
    answers = (mixed - 0.75 / 7) / 0.25
    torch.testing.assert_close(answers.sum(1), torch.ones(len(answers)))
    assert (answers > -1e-5).all()
    assert torch.equal(batch.targets, torch.from_numpy(targets)[batch.chosen])


def trained(name: str, rated: FaceSet, labels: str | None, watcher: Watcher = Watcher()) -> Run:
    if not local_folder(name).exists():
        prepare(Request(name, "cnn", RECIPE, data="synthetic", threads=1, labels=labels),
                faces=rated)  # fmt: skip
    return run_experiment(read_request(name), faces=rated, watcher=watcher)


def test_a_training_by_votes_is_stopped_gone_on_with_and_recorded(rated):
    whole = trained("whole", rated, "votes")
    steps = iter(range(100))
    with pytest.raises(Interrupted):
        trained("stopped", rated, "votes", Watcher(stop_requested=lambda: next(steps) > 1))
    stopped = trained("stopped", rated, "votes")
    first, second = (read_weights(run.weights_file()) for run in (whole, stopped))
    assert all(torch.equal(first[name], second[name]) for name in first)
    info = json.loads((whole.folder / "run.json").read_text())
    assert info["labels"] == "votes"
    assert sum(info["dataset"]["counts"]["Training"]) < (rated.usage == "Training").sum()
    np.testing.assert_array_equal(whole.predictions().labels, rated.part("PrivateTest").labels)
    assert "trained by FER+'s votes" in group_of(whole).title
    assert recipe_name(whole).endswith(",labels=votes")
    plain = trained("plain", rated, None)
    assert training_key(plain) != training_key(whole) == training_key(stopped)
    assert find_run("plain").info["labels"] is None
    other = read_weights(plain.weights_file())
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_labels_that_cannot_be_trained_by_are_a_sentence(rated, faces):
    with pytest.raises(ConfigError, match="no labels 'mine' to train by"):
        prepare(Request("x", "cnn", RECIPE, data="synthetic", labels="mine"), faces=rated)
    with pytest.raises(DataError, match="not synthetic's"):
        prepare(Request("x", "cnn", RECIPE, data="synthetic", labels="votes"), faces=faces)
    with pytest.raises(ConfigError, match="not by both"):
        prepare(Request("x", "cnn", RECIPE, data="synthetic", labels="votes", verdicts=True))
    assert not local_folder("x").exists()
    words = fails("train", "cnn", "--recipe", "quick", "--data", "synthetic", "--labels", "votes")
    assert "original fer2013.csv alone" in words
