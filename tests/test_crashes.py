"""Trainings that die: whenever they are killed, they end with the uninterrupted one's weights."""

import multiprocessing
import os
import random
import resource
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from fercore import jobs
from fercore.cli.training import failures_told
from fercore.data import FaceSet
from fercore.errors import TrainingError
from fercore.jobs.experiment import run_experiment, sentence
from fercore.jobs.request import Request, prepare, read_request
from fercore.runs.artifacts import Run
from fercore.runs.folders import local_folder
from fercore.runs.listing import find_run, list_runs
from fercore.runs.writing import verify_run
from fercore.training.recipes import find_recipe
from tests.test_data_sources import csv_text

KILLS = 20
PATIENCE = 240  # seconds a condition may take on a busy machine
RECIPE = replace(find_recipe("quick"), epochs=30, batch_size=16, model_arguments={"width": 4})
# A fresh process each, forked from one that has imported torch and used nothing of it yet.
fresh = multiprocessing.get_context("forkserver")
fresh.set_forkserver_preload(
    ["tests.test_crashes", "fercore.training.fit", "fercore.models.inference", "torch._dynamo"]
)  # the last one is most of a start: every first optimizer imports it


def go_on(run_id: str, faces: FaceSet, home: str, prepare_process=None) -> None:
    """In a process of its own: train from the last checkpoint, with one at every step.

    It asks for no turn: that of one killed just now is held for some seconds more.
    """
    os.environ |= {"FERCORE_ARTIFACTS": f"{home}/artifacts", "FERCORE_CACHE": f"{home}/cache"}
    if prepare_process:
        prepare_process()
    run_experiment(read_request(run_id), faces=faces, alongside=True, checkpoint_seconds=0)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Folders that the tests of this file share, so that the undisturbed training is made once."""
    return tmp_path_factory.mktemp("crashes")


@pytest.fixture(autouse=True)
def at_home(own_folders, home, monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(home / "artifacts"))
    monkeypatch.setenv("FERCORE_CACHE", str(home / "cache"))


@pytest.fixture
def process(faces, home):
    """Starts a process that goes on with a training."""

    def start(run_id: str, prepare_process=None):
        child = fresh.Process(target=go_on, args=(run_id, faces, str(home), prepare_process))
        child.start()
        return child

    return start


@pytest.fixture
def whole(process) -> Run:
    """The training that nothing interrupts."""
    return finished("whole", process)


def begin(run_id: str) -> None:
    prepare(Request(run_id, "cnn_lstm", RECIPE, seed=0, data="synthetic", threads=1))


def finished(run_id: str, process) -> Run:
    if not local_folder(run_id).exists():
        begin(run_id)
    if (local_folder(run_id) / "run.json").exists():
        return find_run(run_id)
    child = process(run_id)
    child.join()
    assert child.exitcode == 0
    return find_run(run_id)


def assert_same(run: Run, whole: Run) -> None:
    weights, expected = ((r.folder / "weights.safetensors").read_bytes() for r in (run, whole))
    assert weights == expected
    losses = ["train_loss", "val_loss", "train_accuracy", "val_accuracy"]
    assert run.history()[losses].equals(whole.history()[losses])
    assert verify_run(run) == []


def test_killed_at_random_moments_it_ends_with_the_same_weights(process, whole):
    begin("killed")
    checkpoint = local_folder("killed") / "checkpoint.pt"
    rng = random.Random(0)
    for _ in range(KILLS):
        child = process("killed")
        for _ in range(rng.randint(1, 3)):
            wait_for_another(checkpoint)
        time.sleep(rng.uniform(0, 0.02))  # anywhere in the next step and its checkpoint
        child.kill()
        child.join()
        assert child.exitcode == -signal.SIGKILL, "it ended before it was killed"
        assert [run.run_id for run in list_runs()] == ["whole"]
        assert jobs.find_job("killed").state == "lost"
    assert_same(finished("killed", process), whole)


def wait_for_another(file: Path) -> None:
    before, deadline = written(file), time.monotonic() + PATIENCE
    while written(file) == before:
        assert time.monotonic() < deadline, f"no new {file.name} in {PATIENCE} s"
        time.sleep(0.001)


def written(file: Path) -> int | None:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:  # between the two renames
        return None


def killed_at_fsync(call: int) -> None:
    """Make this process die when a checkpoint is written, but not yet in its place."""
    _deadly(os, "fsync", call, lambda _: True)


def killed_between_renames(call: int) -> None:
    """Make this process die when the older checkpoint was moved, and the new one was not."""
    _deadly(Path, "replace", call, lambda path: path.name.startswith(".checkpoint"))


def _deadly(owner, name: str, call: int, counts) -> None:
    original, calls = getattr(owner, name), []

    def deadly(subject, *arguments):
        if counts(subject):
            calls.append(subject)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(subject, *arguments)

    setattr(owner, name, deadly)


@pytest.mark.parametrize("killer", [killed_at_fsync, killed_between_renames])
def test_killed_while_a_checkpoint_is_written(process, whole, killer):
    name = killer.__name__
    begin(name)
    for call in (2, 7, 12):
        child = process(name, partial(killer, call))
        child.join()
        assert child.exitcode == -signal.SIGKILL
    assert list(local_folder(name).glob(".checkpoint*.tmp"))
    assert_same(finished(name, process), whole)


def no_file_above_a_few_kilobytes() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_full_disk_fails_with_a_sentence_and_harms_nothing(process, whole):
    begin("cramped")
    child = process("cramped", partial(killed_at_fsync, 9))
    child.join()
    checkpoint = (local_folder("cramped") / "checkpoint.pt").read_bytes()

    child = process("cramped", no_file_above_a_few_kilobytes)
    child.join()
    job = jobs.find_job("cramped")
    assert job.state == "failed"
    assert "The disk refused" in job.message
    assert "Make room, then resume." in job.message
    assert (local_folder("cramped") / "checkpoint.pt").read_bytes() == checkpoint
    assert verify_run(whole) == []
    assert_same(finished("cramped", process), whole)


def test_too_little_memory_is_said_in_a_sentence():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert "ran out of memory" in sentence(caught.value)
    assert "ran out of memory" in sentence(MemoryError())


def test_what_nobody_foresaw_is_a_sentence_on_the_command_line():
    with pytest.raises(TrainingError, match="unexpected error: ZeroDivisionError"), failures_told():
        _ = 1 / 0


def test_a_missing_file_is_not_called_a_full_disk(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "gone").read_text()
    assert "gone" in sentence(caught.value)
    assert "Make room" not in sentence(caught.value)


def test_data_that_are_gone_fail_with_a_sentence_and_come_back(tmp_path, faces):
    source = tmp_path / "gone.csv"
    source.write_text(csv_text(faces))
    prepare(Request("gone", "cnn", RECIPE, data=str(source)))
    source.unlink()
    with pytest.raises(Exception, match="no such file"):
        run_experiment(read_request("gone"))
    job = jobs.find_job("gone")
    assert (job.state, "no such file or folder. Check the path." in job.message) == ("failed", True)
