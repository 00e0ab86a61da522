"""Every test works in folders of its own: no cache, setting or run of the user's is touched."""

import os
import shutil
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit import config
from streamlit.components.v2 import manifest_scanner

from fercore import data
from fercore.data import FaceSet
from fercore.jobs.hardware import describe_hardware, describe_software
from fercore.models import build
from fercore.runs.artifacts import Run
from fercore.runs.writing import write_run
from fercore.scoring.predictions import prediction_frame
from fercore.training.recipes import find_recipe

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
FER2013 = SHARED / "fer2013.csv.zip"
# Streamlit reads the settings beside the script that it runs; a page under test is run by itself.
config._main_script_path = str(ROOT / "dashboard" / "app.py")
# Each AppTest looks through all installed packages for components: half of the time of a page.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FERCORE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(tmp_path / "artifacts"))
    monkeypatch.setenv("FERCORE_REVIEWS", str(tmp_path / "reviews"))
    monkeypatch.setenv("FERCORE_FACES", str(tmp_path / "faces"))
    monkeypatch.delenv("FERCORE_DATA", raising=False)


@pytest.fixture(autouse=True)
def own_main(monkeypatch):
    """AppTest leaves the app as `__main__`, which processes that are started later would run."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(autouse=True)
def fresh_caches():
    """The app's caches outlive a test; a run never changes, but these tests change theirs."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def fer2013_cache(tmp_path_factory):
    """A cache that holds FER2013 after its first reading, shared by all who run these tests."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "fer2013-cache"


@pytest.fixture
def fer2013(monkeypatch, fer2013_cache) -> FaceSet:
    if not FER2013.exists():
        pytest.skip("FER2013 is not on this machine")
    monkeypatch.setenv("FERCORE_CACHE", str(fer2013_cache))
    return data.load(FER2013)


@pytest.fixture(scope="session")
def faces() -> FaceSet:
    """84 drawn faces: 6, 3 and 3 of each class in the three usages."""
    return data.synthetic((6, 3, 3))


@pytest.fixture(scope="session")
def run_folders(tmp_path_factory) -> Path:
    """Two complete runs on the synthetic set: 'first' (cnn) and 'second' (cnn_lstm).

    Their weights are fresh and their predictions drawn by seed, right about half of the time:
    what is tested with them is the reading and showing, not the learning.
    """
    folder = tmp_path_factory.mktemp("runs")
    drawn = data.synthetic()
    scored = drawn.where(drawn.usage != "Training")
    for seed, (name, model) in enumerate({"first": "cnn", "second": "cnn_lstm"}.items()):
        rng = np.random.default_rng(seed)
        logits = rng.normal(size=(len(scored), 7))
        logits[np.arange(len(scored)), scored.labels] += 1.2
        probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        recipe = find_recipe("quick")
        info = {
            "model": model,
            "model_arguments": recipe.model_arguments,
            "recipe": recipe.to_json(),
            "seed": seed,
            "created": f"2026-11-22T12:00:0{seed}+00:00",
            "dataset": {
                "name": drawn.name,
                "fingerprint": drawn.fingerprint,
                "counts": drawn.counts(),
            },
            "selected_on": "PublicTest",
            "best_epoch": 2,
            "parameters": 1000,
            "flops_per_image": 10**6,
            "seconds": 12.0,
            "hardware": describe_hardware("cpu", "fp32"),
            "software": describe_software(),
            "git_commit": None,
        }
        history = [
            {
                "epoch": epoch,
                "train_loss": 2 / epoch,
                "train_accuracy": 0.2 * epoch,
                "val_loss": 2.1 / epoch,
                "val_accuracy": 0.19 * epoch,
                "learning_rate": 1e-3,
                "seconds": 6.0,
                "images_per_second": 350.0,
            }
            for epoch in (1, 2)
        ]
        net = build(model, **recipe.model_arguments)
        write_run(folder / name, info, net, history, prediction_frame(drawn, probs))
    return folder


@pytest.fixture
def two_runs(run_folders, tmp_path) -> list[Run]:
    """The two runs as this machine's own, in this test's artifacts."""
    from fercore.runs.listing import find_run

    shutil.copytree(run_folders, tmp_path / "artifacts" / "runs")
    return [find_run("first"), find_run("second")]
