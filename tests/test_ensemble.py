"""Ensembles: the mean of several seeds, a run like any other but for the weights."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fercore.cli import app
from fercore.errors import RunError
from fercore.groups.group import group_of
from fercore.jobs.request import Request, prepare
from fercore.models import build
from fercore.predict.predictor import Predictor
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run
from fercore.runs.measured import history_lines
from fercore.runs.writing import verify_run, write_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS


@pytest.fixture
def seeds(two_runs):
    """'first', and the same model of another seed that is less sure, its recipe in other words."""
    first = find_run("first")
    frame = first.prediction_frame.copy()
    frame[PROBABILITY_COLUMNS] = (frame[PROBABILITY_COLUMNS] ** 0.5).pipe(
        lambda p: p.div(p.sum(axis=1), axis=0).astype("float32")
    )
    model = build("cnn", **first.info["model_arguments"])
    history = history_lines((first.folder / "history.jsonl").read_text())
    folder = first.folder.with_name("other")
    recipe = first.info["recipe"] | {"summary": "as it was once put"}
    info = first.info | {"seed": 1, "recipe": {k: v for k, v in recipe.items() if k != "fall"}}
    return [first, write_run(folder, info, model, history, frame)]


def test_an_ensemble_is_the_mean_of_its_members(seeds):
    run = make_ensemble("both", seeds)
    probs = [member.predictions("private").probs for member in seeds]
    np.testing.assert_allclose(run.predictions("private").probs, np.mean(probs, 0), atol=1e-6)
    assert group_of(run).title.startswith("CNN · synthetic · quick · ensemble of 2 seeds")
    assert run.info["parameters"] == 2 * seeds[0].info["parameters"]
    assert verify_run(find_run("both")) == []
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    asked = [Predictor.from_run(name).probs(faces) for name in ("first", "other")]
    np.testing.assert_allclose(
        Predictor.from_run("both").probs(faces), np.mean(asked, 0), atol=1e-6
    )


def test_it_has_no_weights_and_says_so(seeds):
    run = make_ensemble("both", seeds)
    for ask in (
        run.load_model,
        lambda: prepare(Request("next", "cnn", None, start_from="both")),
        lambda: make_ensemble("more", [run, seeds[0]]),
    ):
        with pytest.raises(RunError, match="is an ensemble"):
            ask()


def test_only_seeds_of_one_training_make_one(seeds):
    with pytest.raises(RunError, match="more than the seed"):
        make_ensemble("both", [seeds[0], find_run("second")])
    for repeated in (seeds[:1], [seeds[0], seeds[0]], [*seeds, seeds[0]]):
        with pytest.raises(RunError, match="each of another seed"):
            make_ensemble("both", repeated)
    make_ensemble("both", seeds)
    with pytest.raises(RunError, match="already"):
        make_ensemble("both", seeds)


def test_the_command_makes_one_and_the_others_know_it(seeds):
    runner = CliRunner()
    made = runner.invoke(app, ["runs", "ensemble", "both", "first", "other"])
    assert made.exit_code == 0, made.output
    shown = runner.invoke(app, ["runs", "show", "both"])
    assert "The mean of: first, other" in shown.stdout
    assert runner.invoke(app, ["compare", "both", "first"]).exit_code == 0
    metrics = json.loads(
        runner.invoke(app, ["runs", "ensemble", "same", "first", "other", "--json"]).stdout
    )
    assert metrics["run_id"] == "same"
    assert metrics["metrics"] == find_run("both").metrics()


def test_a_models_name_is_never_an_ensemble(seeds):
    make_ensemble("both", seeds)
    assert Predictor.from_run("cnn").run_id in ("first", "other")
