"""A run on a person's own faces, three expressions of the seven, is scored and shown everywhere."""

import json
import re
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dashboard.base.navigation import PAGES
from fercore.data import face_set, synthetic
from fercore.data.stored_faces import faces_folder
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, prepare
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.runs.writing import verify_run
from fercore.scoring import metrics
from fercore.scoring.evaluation import class_table, evaluate, evaluate_parts
from fercore.scoring.predictions import Predictions
from fercore.training.recipes import find_recipe
from tests.test_cli import run
from tests.test_data_sources import write_tree
from tests.test_pages import no_video, open_page, said  # noqa: F401

PRESENT = [3, 4, 5]  # happy, sad, surprise


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The run's folder 'mine', and the faces it learned from."""
    home = tmp_path_factory.mktemp("few")
    faces = synthetic((6, 3, 3))
    faces = faces.where(np.isin(faces.labels, PRESENT))
    write_tree(home / "faces" / "three", faces, kaggle=False)
    faces = face_set("three", faces.images, faces.labels, faces.usage)
    recipe = replace(find_recipe("quick"), epochs=1, model_arguments={"width": 4, "dropout": 0.0})
    request = Request("mine", "cnn", recipe, threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        run_experiment(request, folder=prepare(request, home / "mine", faces), faces=faces)
    return home


@pytest.fixture
def few(trained, two_runs):
    """That run among this machine's, with its faces kept."""
    for name in ("mine", "again"):
        shutil.copytree(trained / "mine", two_runs[0].folder.with_name(name))
    rename_in_place(two_runs[0].folder.with_name("again"))
    shutil.copytree(trained / "faces", faces_folder())
    return find_run("mine")


def rename_in_place(folder: Path) -> None:
    info = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(info | {"run_id": folder.name}))


def test_the_run_verifies_and_is_plain_json(few):
    assert verify_run(few) == []
    text = (few.folder / "metrics.json").read_text()
    assert "NaN" not in text
    assert json.loads(text) == evaluate_parts(few.prediction_frame)


def test_macro_auc_is_the_mean_of_the_classes_that_occur(few):
    table, scores = few.predictions(), few.metrics()["private"]
    present = [roc_auc_score(table.labels == k, table.probs[:, k]) for k in PRESENT]
    assert scores["macro_auc"] == pytest.approx(np.mean(present))
    absent = [row for k, row in enumerate(scores["per_class"]) if k not in PRESENT]
    assert [row["auc"] for row in absent] == [None] * 4
    assert [row["support"] for row in absent] == [0] * 4


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_one_class_alone_has_no_auc():
    probs = np.full((4, 7), 1 / 7, np.float32)
    alone = Predictions(np.arange(4), np.arange(4), np.full(4, 3), probs)
    assert evaluate(alone)["macro_auc"] is None
    assert np.isnan(class_table(alone)["auc"]).all()
    assert np.isnan(metrics.one_vs_rest_auc(alone.labels, alone.probs)).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("other", ["again", "first"])  # paired, and on other images
@pytest.mark.parametrize("name", [name for name in PAGES if name != "webcam"])
def test_every_page_shows_it(few, name, other):
    words = said(open_page(name, a="mine", b=other))
    assert not re.search(r"\bnan\b", words, re.I)


@pytest.mark.parametrize(
    "command", ["runs show mine", "evaluate mine", "compare mine again", "runs verify mine"]
)
def test_the_commands_print_no_nan(few, command):
    assert not re.search(r"\bnan\b", run(*command.split()))


def test_absent_classes_are_named(few):
    words = said(open_page("per_class", a="mine", b="none"))
    assert "No image of angry, disgust, fear, neutral" in words


def test_its_faces_are_found_among_the_kept(few):
    app = open_page("misclassified", a="mine", b="none")
    wrong = ~few.predictions().correct
    tiles = [button for button in app.button if (button.key or "").startswith("face-")]
    assert len(tiles) == wrong.sum() > 0
    assert "not in this copy" not in said(app)
    assert all(tile.label.split(" → ")[0] in CLASSES for tile in tiles)
