"""Data-parallel training: two real processes under torchrun give what one gives."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fercore import data, jobs
from fercore.errors import DataError, TrainingError
from fercore.files import read_json
from fercore.jobs.experiment import run_experiment
from fercore.jobs.learning import _check_same
from fercore.jobs.request import Request, prepare, read_request
from fercore.jobs.turns import turn
from fercore.runs.artifacts import Run
from fercore.runs.folders import local_folder
from fercore.runs.listing import find_run, read_run
from fercore.runs.writing import verify_run
from fercore.training.parallel import ProcessGroup
from fercore.training.records import Interrupted, Watcher
from tests.conftest import ROOT
from tests.data_parallel_training import main as train_in_parallel
from tests.test_data_sources import csv_text
from tests.test_jobs import wait_for

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]


TRAIN = ("-m", "fercore", "train")
QUICK = ("cnn", "--recipe", "quick", "--threads", "1")
SHORT = ("--epochs", "2", "--batch-size", "64")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(autouse=True)
def fewer_faces(monkeypatch, table_of_faces):
    """In a file, which each process reads sooner than it draws the whole synthetic set."""
    monkeypatch.setenv("FERCORE_DATA", str(table_of_faces))


@pytest.fixture(scope="module")
def table_of_faces(tmp_path_factory) -> Path:
    table = tmp_path_factory.mktemp("faces") / "faces.csv"
    table.write_text(csv_text(data.synthetic((100, 5, 5))))
    return table


def torchrun(processes: int, *command: str) -> None:
    done = subprocess.run(
        [*TORCHRUN, str(processes), *command],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def begun(*command: str):
    """torchrun with two processes, while they are at work."""
    log = local_folder("log").parents[1] / "log"
    log.parent.mkdir(exist_ok=True)
    with (
        log.open("w") as output,
        subprocess.Popen(
            [*TORCHRUN, "2", *command],
            cwd=ROOT,
            env=os.environ | ENVIRONMENT,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield process, log
        finally:
            process.terminate()  # it ends its own two


def workers(process: subprocess.Popen) -> list[int]:
    return list(
        map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
    )


def follower(process: subprocess.Popen) -> int:
    """The process number of the one of rank 1."""

    def rank(pid: int) -> str:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return next(v for v in variables if v.startswith(b"RANK=")).decode()

    return next(pid for pid in workers(process) if rank(pid) == "RANK=1")


def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    (tmp_path / "alone").mkdir()
    train_in_parallel(tmp_path / "alone")
    torchrun(2, "tests/data_parallel_training.py", str(tmp_path))
    one = json.loads((tmp_path / "alone" / "losses-1.json").read_text())
    two = json.loads((tmp_path / "losses-2.json").read_text())
    assert len(one) == 3 * (4 + 1)
    assert two == pytest.approx(one, abs=1e-4)
    assert one[-1] < one[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, table_of_faces) -> Run:
    """What two processes train when nothing stops them."""
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("FERCORE_ARTIFACTS", "FERCORE_CACHE"):
            patch.setenv(name, str(home))
        patch.setenv("FERCORE_DATA", str(table_of_faces))
        torchrun(2, *TRAIN, *QUICK, *SHORT, "--run-id", "whole")
    return read_run(home / "runs" / "whole")


def test_a_run_trained_by_two_processes_is_a_run_like_any_other(whole):
    assert verify_run(whole) == []
    assert read_json(whole.folder / "run.json")["hardware"]["processes"] == 2
    assert len(whole.history()) == whole.recipe.epochs == 2


def test_a_process_with_other_images_says_so(faces):
    """The group of a process whose leader has other images, and of one whose follower has."""
    other, same = data.synthetic((1, 1, 1)).fingerprint, faces.fingerprint
    for leaders, any_of_them in ((other, lambda flag, device: flag), (same, lambda *_: True)):
        group = SimpleNamespace(from_leader=lambda _, value=leaders: value, any=any_of_them)
        with pytest.raises(DataError, match="read different images"):
            _check_same(faces, group)  # type: ignore[arg-type]  # as much of one as is asked


def test_a_stop_is_one_of_all_processes_and_resuming_ends_with_the_same_weights(whole):
    command: tuple[str, ...] = (*TRAIN, *QUICK, *SHORT, "--run-id", "stopped")
    for stop in (
        lambda process: process.send_signal(signal.SIGINT),  # Ctrl-C
        lambda process: os.kill(follower(process), signal.SIGTERM),  # one of them alone
    ):
        with begun(*command) as (process, log):
            wait_for(lambda: stepping("stopped") or process.poll() is not None)
            stop(process)
            wait_for(lambda: process.poll() is not None)
            job = jobs.find_job("stopped")
            assert (job.state, "is saved" in job.message) == ("cancelled", True), log.read_text()
            assert "closed by peer" not in log.read_text()
        command = (*TRAIN, "--resume", "stopped")
    torchrun(2, *command)
    stopped = find_run("stopped")
    losses = ["train_loss", "val_loss"]
    assert stopped.history()[losses].equals(whole.history()[losses])
    weights = [(run.folder / "weights.safetensors").read_bytes() for run in (whole, stopped)]
    assert weights[0] == weights[1]


def test_what_is_done_is_kept_by_all_processes(whole):
    """A training of two that was stopped after an epoch becomes a run without another step."""
    prepare(Request("kept", "cnn", replace(whole.recipe, epochs=3), seed=0, threads=1))
    asked = read_request("kept")
    watcher = Watcher(on_epoch=lambda history: jobs.cancel("kept"))
    with pytest.raises(Interrupted):
        run_experiment(asked, watcher=watcher, alongside=True)
    torchrun(2, *TRAIN, "--resume", "kept", "--keep-best", "--alongside")
    assert len(find_run("kept").history()) == 1


def stepping(run_id: str) -> bool:
    """Whether it makes steps, more than it had made when it was last stopped."""
    return local_folder(run_id).exists() and jobs.find_job(run_id).message == "training"


def test_a_leader_that_waits_for_its_turn_keeps_its_followers():
    with (
        turn(),
        begun("tests/impatient_group.py", "train", *QUICK, "--run-id", "waits") as (
            process,
            log,
        ),
    ):
        heard = set()  # the seconds in which the leader said that it waits

        def waits() -> bool:
            if local_folder("waits").exists():
                job = jobs.find_job("waits")
                heard.update([job.updated] if "waiting for" in job.message else [])
            assert process.poll() is None, log.read_text()
            return len(heard) > 5  # more than twice the group's patience

        wait_for(waits)
        assert len(workers(process)) == 2
        jobs.cancel("waits")
        wait_for(lambda: process.poll() is not None)
        assert jobs.find_job("waits").state == "cancelled"


def test_followers_go_where_the_leader_has_nothing_to_train():
    torchrun(2, *TRAIN, *QUICK, "--estimate")


def test_what_ends_one_process_ends_all_with_its_sentence(monkeypatch):
    def told(group: ProcessGroup, outcomes) -> ProcessGroup:
        monkeypatch.setattr(ProcessGroup, "_outcomes", lambda *_: outcomes)
        return group

    for interrupted, error in ((False, TrainingError), (True, Interrupted)):
        group = told(ProcessGroup(), [("", False), ("There are no images.", interrupted)])
        with pytest.raises(error, match=r"There are no images\."), group.together():
            pass
    with pytest.raises(DataError, match="mine"), ProcessGroup().together():
        raise DataError("mine")
