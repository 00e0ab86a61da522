"""Trainings as processes: really started, really cancelled, really killed."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fercore import jobs
from fercore.artifacts import find_run, local_folder
from fercore.errors import RunError, TrainingError
from fercore.experiment import Request, prepare, read_request, run_experiment
from fercore.recipes import find_recipe

PATIENCE = 120  # seconds a condition may take on a busy machine
SMALL = replace(find_recipe("quick"), epochs=2, batch_size=32, model_arguments={"width": 4})
ENDLESS = replace(SMALL, epochs=500)


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    log = "\n".join(path.read_text() for path in local_folder("x").parent.glob("*/log.txt"))
    pytest.fail(f"waited for {PATIENCE} s in vain; the logs say:\n{log}")


@pytest.fixture(autouse=True)
def no_job_left_behind():
    yield
    for job in jobs.list_jobs():
        if job.alive:
            jobs.cancel(job.run_id)
    wait_for(lambda: not any(job.alive for job in jobs.list_jobs()))


def request(name: str, recipe=ENDLESS, model: str = "cnn") -> Request:
    return Request(name, model, recipe, seed=0, data="synthetic", threads=1)


def begun(name: str, epochs: int = 1):
    """The job, once it has finished that many epochs."""

    def look():
        job = jobs.find_job(name)
        assert job.state != "failed", job.message
        return job if job.progress.get("epoch", 0) > epochs else None

    return wait_for(look)


def test_a_training_becomes_a_run():
    jobs.start(request("new", SMALL))
    assert jobs.find_job("new").state == "starting"
    run = wait_for(lambda: (local_folder("new") / "run.json").exists() and find_run("new"))
    wait_for(lambda: len(list(run.folder.iterdir())) == 5)
    assert jobs.list_jobs() == []
    assert run.info["best_epoch"] in (1, 2)
    assert run.dataset == "synthetic"


def test_cancelled_then_resumed_goes_on():
    jobs.start(request("long"))
    begun("long")
    jobs.cancel("long")
    wait_for(lambda: jobs.find_job("long").state == "cancelled")
    history = (local_folder("long") / "history.jsonl").read_text().splitlines()
    jobs.resume("long")
    begun("long", epochs=len(history))
    later = (local_folder("long") / "history.jsonl").read_text().splitlines()
    assert later[: len(history)] == history


def test_a_killed_training_is_lost_and_can_go_on():
    jobs.start(request("killed"))
    begun("killed")
    for process in Path("/proc").glob("[0-9]*"):
        if b"--resume\0killed" in command_line(process):
            os.kill(int(process.name), signal.SIGKILL)
    wait_for(lambda: jobs.find_job("killed").state == "lost")
    jobs.resume("killed")
    begun("killed")
    with pytest.raises(RunError, match="running"):
        jobs.discard("killed")
    with pytest.raises(RunError, match="running already"):
        jobs.resume("killed")
    jobs.cancel("killed")
    wait_for(lambda: jobs.find_job("killed").state == "cancelled")
    jobs.discard("killed")
    assert not local_folder("killed").exists()


def command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_one_training_at_a_time():
    jobs.start(request("one"))
    begun("one")
    second = request("two", SMALL)
    prepare(second)
    with pytest.raises(TrainingError, match="Another training is running"):
        run_experiment(second)
    assert jobs.find_job("two").state == "failed"
    assert jobs.find_job("one").state == "running"


def test_a_failed_training_says_why(tmp_path):
    (tmp_path / "empty.csv").touch()
    jobs.start(replace(request("bad", SMALL), data=str(tmp_path / "empty.csv")))
    job = wait_for(lambda: (job := jobs.find_job("bad")).state == "failed" and job)
    assert "the file is empty" in job.message


def test_a_cancelled_training_can_be_resumed_from_anywhere():
    jobs.start(request("stopped", SMALL))
    jobs.cancel("stopped")
    wait_for(lambda: jobs.find_job("stopped").state == "cancelled")
    again = read_request("stopped")
    assert run_experiment(again).run_id == "stopped"
    with pytest.raises(RunError, match="under way"):
        jobs.cancel("stopped")


def test_a_request_that_cannot_be_read_hides_no_other():
    prepare(request("good"))
    prepare(request("bad"))
    (local_folder("bad") / "request.json").write_text("{")
    assert [job.run_id for job in jobs.list_jobs()] == ["good"]


def test_a_name_is_used_once(two_runs, tmp_path):
    (tmp_path / "artifacts" / "shipped" / "ours").mkdir(parents=True)
    with pytest.raises(RunError, match="a run 'ours' already"):
        prepare(request("ours"))
    with pytest.raises(RunError, match="a run 'first' already"):
        prepare(request("first"))


def test_the_same_seed_gives_the_same_run():
    runs = []
    for name in ("once", "again"):
        prepare(request(name, SMALL))
        runs.append(run_experiment(request(name, SMALL)))
    once, again = ((run.folder / "weights.safetensors").read_bytes() for run in runs)
    assert once == again
    assert runs[0].metrics() == runs[1].metrics()
