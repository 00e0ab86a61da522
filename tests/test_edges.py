"""What a dataset may lack: another class, a part's images, the pixels; and a recipe its epochs."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from dashboard.base.navigation import PAGES
from dashboard.sidebar.finished_view import counterpart
from fercore.analysis.audit import label_issues
from fercore.errors import ConfigError, RunError
from fercore.figures import curves
from fercore.files import write_json
from fercore.groups import tables
from fercore.jobs.request import Request, settled
from fercore.runs import commit
from fercore.runs.listing import find_run
from fercore.scoring import calibration, evaluation
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.matrices import share_of
from fercore.scoring.predictions import Predictions
from fercore.scoring.slices import slice_properties, slices
from fercore.training.recipes import find_recipe
from tests.test_cli import fails, run
from tests.test_pages import as_if_real, no_video, open_page, said  # noqa: F401

PAGES_OF_RUNS = [name for name in PAGES if name not in ("webcam", "predict", "your_faces")]


def keep(run, lines) -> None:
    """Let a run have been scored on these lines of its predictions alone."""
    frame = run.prediction_frame[lines]
    frame.to_parquet(run.folder / "predictions.parquet")
    write_json(run.folder / "metrics.json", evaluate_parts(frame))


@pytest.fixture
def one_class(two_runs):
    """Two runs whose PrivateTest is of happy faces alone."""
    for each in two_runs:
        frame = each.prediction_frame
        keep(each, (frame["usage"] == "PublicTest") | (frame["label"] == 3))
    return two_runs


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_every_page_shows_a_test_part_of_one_class(one_class):
    words = {name: said(open_page(name, a="first", b="second")) for name in PAGES_OF_RUNS}
    assert not [name for name, text in words.items() if "could not be shown" in text]
    assert "There is none." in words["data_audit"]
    assert "50 of 50" in words["confusion"] or "No cell is chosen" in words["confusion"]


def test_what_a_and_b_say_is_crossed_of_the_same_images_alone(two_runs):
    frame = two_runs[1].prediction_frame
    keep(two_runs[1], (frame["usage"] == "PublicTest") | (frame["row"] % 2 == 0))
    words = said(open_page("confusion", a="first", b="second", predicted="sad", predicted_b="fear"))
    assert "No cell is chosen" in words
    assert "where the label says" not in words


def test_what_if_opens_beside_a_model_without_that_part(two_runs):
    keep(two_runs[1], two_runs[1].prediction_frame["usage"] == "PublicTest")
    app = open_page("what_if", a="first", b="second")
    assert not app.error, app.error[0].value
    assert "could not be shown" not in said(app)


def test_a_finished_run_is_not_measured_by_one_without_its_part(two_runs):
    new, other = two_runs
    keep(other, other.prediction_frame["usage"] == "PublicTest")
    assert counterpart(new, two_runs) is None
    assert counterpart(other, two_runs) == new  # both have PublicTest


def test_shares_of_less_than_one_image_are_shares():
    """Means over seeds: one of three said it once, and rightly."""
    counts = np.zeros((7, 7))
    counts[1, 1] = 1 / 3
    assert share_of(counts, counts.sum(0, keepdims=True))[1, 1] == pytest.approx(1)
    assert not share_of(counts, 0).any()


@pytest.mark.parametrize("name", ["slices", "data_audit", "roc_and_pr", "calibration"])
def test_a_test_part_of_one_class_without_its_images(one_class, monkeypatch, name):
    as_if_real(one_class[0], monkeypatch)
    words = said(open_page(name, a="first", b="none"))
    assert "could not be shown" not in words
    if name == "slices":
        assert "Nothing that is known of these images tells some of them from the others" in words


def test_one_class_has_neither_slices_nor_doubtful_labels_nor_curves(one_class):
    table = find_run("first").predictions()
    assert set(table.labels) == {3}
    assert slices(table, slice_properties(table)).empty
    assert label_issues(table).empty
    for kind in ("roc", "pr"):
        lines = curves.curves_table({"A": grouped([table])}, kind)
        assert len(lines) == 0
        assert list(lines.columns)[:2] == ["model", "class"]
    scores = evaluation.evaluate(table)
    assert scores["macro_auc"] is None
    assert scores["accuracy"] == scores["per_class"][3]["recall"] == table.correct.mean()


EMPTY = Predictions(np.array([], int), np.array([], int), np.array([], int),
                    np.empty((0, 7), np.float32))  # fmt: skip


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    "asked",
    [
        evaluation.evaluate,
        evaluation.class_table,
        lambda table: evaluation.compare(table, table),
        lambda table: evaluation.class_differences(table, table),
        lambda table: evaluation.cell_differences(table, table),
        lambda table: slices(table, slice_properties(table)),
        label_issues,
        calibration.calibration_scores,
        calibration.fit_temperature,
    ],
)
def test_figures_of_no_images_are_refused_in_a_sentence(asked):
    with pytest.raises(RunError, match=r"not scored on these images: its dataset has none\."):
        asked(EMPTY)


def test_compare_names_the_part_that_there_is(two_runs):
    for each in two_runs:
        keep(each, each.prediction_frame["usage"] == "PublicTest")
    told = fails("compare", "first", "second")
    assert "first was not scored on PrivateTest: synthetic has no such images." in told
    assert "Choose --part public." in told
    assert "n = 350" in run("compare", "first", "second", "--part", "public")
    with pytest.raises(RunError, match="not scored on part 'private'"):
        tables.slices("first")


def test_a_recipe_of_no_epochs_is_refused_wherever_it_is_made():
    with pytest.raises(ConfigError, match="at least one of its epochs: give 1 or more"):
        replace(find_recipe("quick"), epochs=0)
    with pytest.raises(ConfigError, match="images a batch"):
        settled(Request("none", "cnn", replace(find_recipe("quick"), batch_size=0)))
    assert "greater than or equal to 1" in fails("train", "cnn", "--epochs", "0")


def test_the_commit_is_that_of_fercores_own_checkout(tmp_path, monkeypatch):
    def git(*arguments):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", "-C", tmp_path, *who, *arguments], check=True, capture_output=True)

    git("init", "-q")
    package = tmp_path / ".venv" / "site-packages" / "fercore"
    for folder in (package, tmp_path / "fercore"):
        folder.mkdir(parents=True)
        (folder / "code.py").touch()
    git("add", "-A", "-f")
    git("commit", "-q", "-m", "someone's project")
    installed, own = package / "runs" / "commit.py", tmp_path / "fercore" / "runs" / "commit.py"
    monkeypatch.setattr(commit, "__file__", str(installed))
    assert commit.git_commit() is None  # within someone's project, whose commit says nothing
    monkeypatch.setattr(commit, "__file__", str(own))
    assert len(commit.git_commit()) == 12
