"""A name belongs to one run: asked for by many at once, and free again after a failure."""

import multiprocessing
import os
import shutil
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from fercore import jobs
from fercore.cli import app
from fercore.data.own_faces import WHOLE, OwnFaces, OwnPhoto
from fercore.data.stored_faces import store, stored_faces
from fercore.errors import DataError, NameTaken, RunError
from fercore.files import write_json
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, failure, prepare, read_request
from fercore.jobs.status import StatusFile
from fercore.labels import CLASSES
from fercore.runs.changes import rename_run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.folders import local_folder
from fercore.runs.listing import find_run, list_runs
from fercore.runs.writing import verify_run
from fercore.study.runner import run_study
from fercore.study.store import StudyStore
from fercore.training.recipes import find_recipe
from tests.test_cli import fails

PROCESSES, THREADS, EACH = 2, 4, 8  # as many askers in all, each of them so often
QUICK = Request("", "cnn", replace(find_recipe("quick"), epochs=1), data="synthetic", threads=1)


def asked_for(request: Request, artifacts: str) -> list[str]:
    """In a process of its own: the names that several threads get; '' where one gets none."""
    os.environ["FERCORE_ARTIFACTS"] = artifacts

    def ask(_) -> str:
        try:
            return prepare(request).name
        except NameTaken:
            return ""

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(ask, range(THREADS * EACH)))


@pytest.fixture(scope="module")
def processes():
    fresh = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(PROCESSES, fresh) as pool:
        yield pool


@pytest.fixture
def names(processes, tmp_path):
    """The names that all processes get who ask for the same training."""

    def ask(request: Request) -> list[str]:
        artifacts = str(tmp_path / "artifacts")
        asked = [processes.submit(asked_for, request, artifacts) for _ in range(PROCESSES)]
        return [name for future in asked for name in future.result()]

    return ask


def at_once(*acts) -> list[Future]:
    with ThreadPoolExecutor(len(acts)) as threads:
        futures = [threads.submit(act) for act in acts]
        wait(futures)
    return futures


def test_as_many_folders_as_trainings_that_are_asked_for_at_once(names, tmp_path):
    given = names(QUICK)
    assert len(set(given)) == len(given) == PROCESSES * THREADS * EACH
    folders = sorted(path.name for path in (tmp_path / "artifacts" / "runs").iterdir())
    assert folders == sorted(given)
    assert all(read_request(name).run_id == name for name in given)


def test_of_equal_names_that_are_asked_for_at_once_one_is_given(names):
    given = names(replace(QUICK, run_id="mine"))
    assert sorted(given)[-2:] == ["", "mine"]


def test_what_failed_before_a_checkpoint_is_replaced_once(names):
    folder = prepare(replace(QUICK, run_id="mine"))
    StatusFile(folder).write("failed", "There were no images.")
    (folder / "log.txt").write_text("the old one's")
    given = names(replace(QUICK, run_id="mine"))
    assert sorted(given)[-2:] == ["", "mine"]
    assert not (folder / "log.txt").exists()


def test_a_failed_training_gives_its_name_free_and_the_command_says_so():
    command = ["train", "cnn", "--recipe", "quick", "--data", "synthetic", "--run-id", "mine"]
    command += ["--learning-rate", "1e10", "--threads", "1"]
    assert "Start again with a lower learning rate" in fails(*command)
    assert jobs.find_job("mine").state == "failed"
    again = CliRunner().invoke(app, command)
    assert "It replaces the training 'mine', which failed:" in again.stderr
    assert "Start again with a lower learning rate" in failure(local_folder("mine"))
    prepare(replace(QUICK, run_id="mine"))
    assert read_request("mine").recipe == QUICK.recipe
    assert failure(local_folder("mine")) == ""


@pytest.mark.parametrize("state", ["failed", "cancelled", "running"])
def test_what_was_learnt_is_not_lost_to_another_of_the_name(state):
    folder = prepare(replace(QUICK, run_id="mine"))
    (folder / "checkpoint.pt").write_bytes(b"three epochs")
    StatusFile(folder).write(state, "It was so.")
    with pytest.raises(
        NameTaken, match=r"jobs resume mine.*discard it \(fercore jobs discard mine"
    ):
        prepare(replace(QUICK, run_id="mine"))
    assert (folder / "checkpoint.pt").read_bytes() == b"three epochs"


def test_a_training_that_runs_keeps_its_name():
    folder = prepare(replace(QUICK, run_id="mine"))
    StatusFile(folder).write("queued", "starting")
    with pytest.raises(NameTaken, match=r"it is queued\. Choose another name"):
        prepare(replace(QUICK, run_id="mine"))


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "artifacts").touch()
    with pytest.raises(RunError, match=r"'mine' is not begun: .*Not a directory"):
        prepare(replace(QUICK, run_id="mine"))


def test_two_runs_are_not_renamed_to_one_name(two_runs):
    futures = at_once(*(lambda run=run: rename_run(run, "ours") for run in two_runs))
    errors = [future.exception() for future in futures]
    assert sorted(map(type, errors), key=str) == sorted([type(None), NameTaken], key=str)
    assert len(list_runs()) == 2
    assert verify_run(find_run("ours")) == []


def test_two_ensembles_do_not_share_a_folder(two_runs):
    second = two_runs[0].folder.with_name("third")
    shutil.copytree(two_runs[0].folder, second)
    write_json(second / "run.json", two_runs[0].info | {"run_id": "third", "seed": 1})
    members = [two_runs[0], find_run("third")]
    futures = at_once(*[lambda: make_ensemble("ours", members)] * 4)
    errors = [future.exception() for future in futures]
    assert sum(error is None for error in errors) == 1
    assert all(isinstance(error, NameTaken) for error in errors if error)
    assert verify_run(find_run("ours")) == []


def test_two_sets_of_faces_do_not_share_a_folder():
    face = np.zeros((48, 48), np.uint8)
    photos = [
        OwnPhoto(f"{label}-{usage}", label, usage, WHOLE, face=face, usage=usage)
        for label in (0, 3)
        for usage in ("Training", "PublicTest", "PrivateTest")
    ]
    futures = at_once(*[lambda: store(OwnFaces(tuple(photos)), "ours")] * 4)
    errors = [future.exception() for future in futures]
    assert sum(error is None for error in errors) == 1
    for error in filter(None, errors):
        assert isinstance(error, DataError)
        assert "faces called 'ours' already" in str(error)
    (kept,) = stored_faces()
    assert len(list(kept.rglob("*.png"))) == len(photos)
    assert {path.name for path in kept.glob("*/*")} == {CLASSES[0], CLASSES[3]}


def test_two_runners_that_begin_one_cell_at_once_train_it_once(faces):
    studied = [replace(QUICK, run_id=f"cnn-s{seed}", seed=seed) for seed in (0, 1)]
    futures = at_once(*[lambda: run_study(StudyStore("ours"), studied, faces, alongside=True)] * 2)
    outcomes = [future.result() for future in futures]
    assert [outcome.broken for outcome in outcomes] == [{}, {}]
    assert StudyStore("ours").finished() == {"cnn-s0", "cnn-s1"}


def test_a_name_chosen_for_it_says_what_the_run_is(faces):
    folder = prepare(QUICK)
    assert folder.name.startswith("cnn-quick-s0-20")
    assert run_experiment(read_request(folder.name), faces=faces).run_id == folder.name
