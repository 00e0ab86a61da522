"""Several teachers: named by run, ensemble or group, recorded one by one, refused in a sentence."""

import shutil
from dataclasses import replace
from typing import Any

import pytest
import torch

from fercore.errors import ConfigError, RunError, TrainingError
from fercore.groups.finding import list_groups
from fercore.groups.teaching import taught
from fercore.jobs.combinations import teaching_runs
from fercore.jobs.experiment import run_experiment
from fercore.jobs.learning import teacher_record, teachers_of
from fercore.jobs.request import Request, prepare, read_request
from fercore.models.weights import read_weights
from fercore.runs.ensemble import make_ensemble
from fercore.study.runner import run_study
from fercore.study.store import StudyStore
from fercore.training.recipes import Recipe, find_recipe
from fercore.training.records import Interrupted, Watcher
from tests.test_cli import fails
from tests.test_combinations import changed
from tests.test_pages import open_page

QUICK = replace(find_recipe("quick"), epochs=2)


@pytest.fixture
def ensemble(two_runs):
    return make_ensemble("both", [two_runs[0], changed("first", "other", seed=1)])


def test_an_ensemble_and_a_group_teach_by_their_runs(ensemble):
    by_group, by_name = taught(QUICK, ["cnn@quick"]), taught(QUICK, ["both"])
    assert by_group.teachers == ("first", "other")
    assert [run.run_id for run in teaching_runs(by_name)] == ["first", "other"]
    assert by_name.teacher_share == 0.8
    assert taught(QUICK, ["both", "other"], 0.5).teacher_share == 0.5
    assert taught(find_recipe("small"), ["both"]).teacher_share == 0.8
    assert Recipe.from_json(by_group.to_json()) == by_group


def test_a_group_of_a_study_teaches_by_the_weights_that_its_folder_kept(faces):
    """As `fercore study best --only cnn --seeds 5` leaves it, where FERCORE_ARTIFACTS says."""
    store = StudyStore("teachers")
    run_study(store, [Request(f"cnn-s{s}", "cnn", QUICK, s, threads=1) for s in (0, 1)], faces)
    (group,) = list_groups()
    recipe = taught(QUICK, [group.name], 0.5)
    assert recipe.teachers == ("teachers/cnn-s0", "teachers/cnn-s1")
    request = Request("student", "cnn", recipe, data="synthetic")
    records: Any = teacher_record(request)
    assert [each["run_id"] for each in records] == list(recipe.teachers)
    first, second = (model.state_dict() for model in teachers_of(request))
    weights = store.run_folder("cnn-s1") / "weights.safetensors"
    kept = read_weights(weights)
    assert all(torch.equal(value, kept[name]) for name, value in second.items())
    assert not all(torch.equal(value, kept[name]) for name, value in first.items())
    prepare(request)

    shutil.rmtree(weights.parent)
    with pytest.raises(RunError, match=r"teachers/cnn-s1 of its 2 seeds has no weights here"):
        taught(QUICK, [group.name])
    with pytest.raises(RunError, match="'teachers/cnn-s1', a study's training, are not here"):
        teaching_runs(recipe)


def test_what_cannot_teach_is_told(ensemble):
    (ensemble.folder.parent / "other" / "weights.safetensors").unlink()
    with pytest.raises(
        RunError, match=r"other of its 2 seeds has no weights here\..*name .* first"
    ):
        taught(QUICK, ["cnn@quick"])
    with pytest.raises(RunError, match="no group 'cnn@nothing'"):
        taught(QUICK, ["cnn@nothing"])
    with pytest.raises(ConfigError, match="answers for none of the labels"):
        prepare(Request("", "cnn", replace(QUICK, teacher="first"), data="synthetic"))
    words = fails("train", "cnn", "--recipe", "quick", "--teacher-share", "0.5")
    assert "has no teacher to give a share" in words


def test_each_teacher_is_recorded_and_a_resumed_training_asks_the_same_ones(ensemble, faces):
    recipe = taught(QUICK, ["both"], 0.5)

    def request(name: str) -> Request:
        prepare(Request(name, "cnn", recipe, data="synthetic", threads=1))
        return read_request(name)

    whole = run_experiment(request("whole"), faces=faces)
    steps: list = []
    watcher = Watcher(on_step=steps.append, stop_requested=lambda: len(steps) >= 1)
    with pytest.raises(Interrupted):
        run_experiment(request("cut"), faces=faces, watcher=watcher)
    resumed = run_experiment(read_request("cut"), faces=faces)
    recorded: Any = whole.info["teacher"]
    assert [each["run_id"] for each in recorded] == ["first", "other"]
    assert len({each["weights"] for each in recorded}) == 1  # a copy of the first
    for name, value in whole.load_model().state_dict().items():
        assert torch.equal(value, resumed.load_model().state_dict()[name])

    steps.clear()
    with pytest.raises(Interrupted):
        run_experiment(request("other-teacher"), faces=faces, watcher=watcher)
    changed("first", "third", seed=2)
    make_ensemble("new", [*teaching_runs(recipe), *teaching_runs(taught(QUICK, ["third"]))])
    begun = read_request("other-teacher")
    with pytest.raises(TrainingError, match="made with another recipe"):
        run_experiment(replace(begun, recipe=taught(QUICK, ["new"], 0.5)), faces=faces)


def test_the_form_asks_who_teaches(ensemble, monkeypatch):
    app = open_page("overview", retrain=True)
    (box,) = (box for box in app.sidebar.multiselect if box.label == "Taught by")
    assert {"cnn@quick", "both", "first", "second"} <= set(box.options)
    box.select("both")
    asked: list = []
    monkeypatch.setattr("fercore.jobs.start", asked.append)
    app.button(key="train-begin").click().run()
    assert [request.recipe.teacher for request in asked] == ["both"]
