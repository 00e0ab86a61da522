"""Trainings as processes: really started, really cancelled, really killed."""

import json
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from fercore import jobs
from fercore.data.synthetic import synthetic
from fercore.errors import ConfigError, RunError
from fercore.groups.group import group_of
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, prepare, read_request
from fercore.jobs.status import LOCK
from fercore.runs.folders import local_folder
from fercore.runs.listing import find_run
from fercore.runs.words import cut_short
from fercore.runs.writing import verify_run
from fercore.training import estimate as training_estimate
from fercore.training.recipes import find_recipe
from fercore.training.records import EpochRecord, Interrupted, Watcher
from tests.test_cli import fails, run
from tests.test_data_sources import csv_text

PATIENCE = 240  # seconds a condition may take on a busy machine
SMALL = replace(find_recipe("quick"), epochs=2, batch_size=32, model_arguments={"width": 4})
ENDLESS = replace(SMALL, epochs=5000)
FEW = "few.csv"


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


@pytest.fixture(autouse=True)
def few_faces(tmp_path, faces):
    """In a file, which each process reads sooner than it draws the whole synthetic set."""
    (tmp_path / FEW).write_text(csv_text(faces))


def request(name: str, recipe=ENDLESS, model: str = "cnn") -> Request:
    few = local_folder(name).parents[2] / FEW
    return Request(name, model, recipe, seed=0, data=str(few), threads=1)


def log_of(name: str) -> str:
    return (local_folder(name) / "log.txt").read_text(encoding="utf-8")


def begun(name: str, epochs: int = 1):
    """The job, once it has finished that many epochs."""

    def look():
        job = jobs.find_job(name)
        assert job.state != "failed", job.message
        return job if job.progress.get("epoch", 0) > epochs else None

    return wait_for(look)


def test_a_training_becomes_a_run():
    jobs.start(request("new", SMALL))
    assert jobs.find_job("new").state == "queued"
    made = wait_for(lambda: (local_folder("new") / "run.json").exists() and find_run("new"))
    wait_for(lambda: len(list(made.folder.iterdir())) == 6)  # the run's files, and its log
    assert jobs.list_jobs() == []
    assert made.info["best_epoch"] in (1, 2)
    assert made.dataset == "few"


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
    kill("killed")
    wait_for(lambda: jobs.find_job("killed").state == "lost")
    jobs.resume("killed")
    begun("killed")
    for action in (jobs.discard, jobs.resume):
        with pytest.raises(RunError, match="Cancel it first"):
            action("killed")
    jobs.cancel("killed")
    wait_for(lambda: jobs.find_job("killed").state == "cancelled")
    jobs.discard("killed")
    assert not local_folder("killed").exists()


def kill(run_id: str) -> None:
    os.kill(jobs.find_job(run_id).process["pid"], signal.SIGKILL)


@contextmanager
def halted(run_id: str):
    """A training stands still while others are looked at: it cannot end, and leaves its core."""
    process = jobs.find_job(run_id).process["pid"]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def state_of(run_id: str) -> str:
    return jobs.find_job(run_id).state


def waiting(run_id: str) -> bool:
    job = jobs.find_job(run_id)
    return job.state == "queued" and "waiting for" in job.message


def test_one_trains_and_the_others_wait_in_the_order_they_came():
    names = ("one", "two", "three")
    jobs.start(request("one"))
    begun("one")
    with halted("one"):
        for name in names[1:]:
            jobs.start(request(name))
            wait_for(lambda name=name: waiting(name))
    assert [state_of(name) for name in names] == ["running", "queued", "queued"]
    assert "2 other trainings" in wait_for(lambda: jobs.find_job("three").message)

    jobs.cancel("one")
    wait_for(lambda: state_of("two") == "running")
    assert waiting("three")
    kill("two")  # leaves nothing behind that could block the next
    wait_for(lambda: state_of("three") == "running")
    assert [state_of(name) for name in names] == ["cancelled", "lost", "running"]


def test_one_that_waits_can_be_cancelled_and_killed():
    jobs.start(request("one"))
    begun("one")
    with halted("one"):
        for name in ("two", "three"):
            jobs.start(request(name))
            wait_for(lambda name=name: waiting(name))
        jobs.cancel("two")
        wait_for(lambda: state_of("two") == "cancelled")
        kill("three")
        wait_for(lambda: state_of("three") == "lost")
    assert state_of("one") == "running"


def test_a_cancelled_training_is_kept_as_a_run_if_asked():
    jobs.start(request("long"))
    begun("long")
    with pytest.raises(RunError, match="Cancel it first"):
        jobs.keep_best("long")
    jobs.cancel("long")
    wait_for(lambda: state_of("long") == "cancelled")
    epochs = jobs.find_job("long").epochs_done
    assert "jobs resume long" in fails("train", "cnn", "--run-id", "long", "--data", "synthetic")
    jobs.keep_best("long")
    made = wait_for(lambda: (local_folder("long") / "run.json").exists() and find_run("long"))
    assert len(made.history()) == epochs
    assert made.info["best_epoch"] == 1 + made.history()["val_accuracy"].argmax()
    assert verify_run(made) == []
    assert cut_short(made) == f"{epochs} of 5000 epochs"
    assert f"cut short at {epochs} of 5000 epochs" in group_of(made).title
    assert f"Cut short at {epochs} of 5000 epochs" in run("runs", "show", "long")
    assert json.loads(run("runs", "list", "--json"))[0]["cut_short"] == cut_short(made)


def test_a_kept_run_that_publictest_was_not_asked_about_says_so(faces):
    recipe = replace(SMALL, epochs=4, validated=0.25)
    prepare(request("early", recipe))
    watcher = Watcher(on_epoch=lambda history: jobs.cancel("early"))
    with pytest.raises(Interrupted):
        run_experiment(read_request("early"), faces=faces, watcher=watcher)
    made = run_experiment(read_request("early"), faces=faces, keep_best=True)
    assert made.info["selected_on"] is None
    told = run("runs", "show", "early")
    assert "Epoch 1 of 1, the last one: PublicTest was asked about none" in told


def test_a_run_names_every_code_that_trained_it(faces, monkeypatch):
    def train(commit: str, epochs: int) -> None:
        def on_epoch(history: list[EpochRecord]) -> None:
            if len(history) == epochs:
                jobs.cancel("several")

        monkeypatch.setattr("fercore.jobs.experiment.git_commit", lambda: commit)
        run_experiment(read_request("several"), faces=faces, watcher=Watcher(on_epoch=on_epoch))

    prepare(request("several", replace(SMALL, epochs=3)))
    for epochs, commit in enumerate(("aaaa", "bbbb-dirty"), start=1):
        with pytest.raises(Interrupted):
            train(commit, epochs)
    train("cccc", 4)
    made = find_run("several")
    assert made.info["git_commit"] == "aaaa then bbbb-dirty then cccc"
    assert made.uncommitted
    assert not (made.folder / "commits.json").exists()


def test_without_a_finished_epoch_there_is_nothing_to_keep():
    prepare(request("none"))
    with pytest.raises(RunError, match="has not finished an epoch"):
        jobs.keep_best("none")


def test_a_failed_training_says_why(tmp_path, faces):
    table = tmp_path / "mine.csv"
    table.write_text(csv_text(faces))
    prepare(replace(request("bad", SMALL), data=str(table)))
    table.write_text("")
    jobs.resume("bad")
    job = wait_for(lambda: (job := jobs.find_job("bad")).state == "failed" and job)
    assert "the file is empty" in job.message


def test_a_model_of_one_size_is_refused_with_a_recipe_of_several():
    with pytest.raises(ConfigError, match="reads maps of one size"):
        jobs.start(Request("small-first", "cnn_flatten", find_recipe("fast")))
    assert jobs.list_jobs() == []


def test_a_cancelled_training_can_be_resumed_from_anywhere():
    jobs.start(request("stopped", SMALL))
    jobs.cancel("stopped")
    wait_for(lambda: jobs.find_job("stopped").state == "cancelled")
    again = read_request("stopped")
    assert run_experiment(again).run_id == "stopped"
    with pytest.raises(RunError, match="is finished"):
        jobs.cancel("stopped")


def test_low_priority_and_the_threads_asked_for_reach_the_process():
    jobs.start(replace(request("polite"), low_priority=True))
    begun("polite")
    pid = jobs.find_job("polite").process["pid"]
    assert os.getpriority(os.PRIO_PROCESS, pid) == 10
    assert jobs.find_job("polite").request.threads == 1


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


def test_the_same_seed_gives_the_same_run(faces):
    runs = []
    for name in ("once", "again"):
        prepare(request(name, SMALL))
        runs.append(run_experiment(request(name, SMALL), faces=faces))
    once, again = ((run.folder / "weights.safetensors").read_bytes() for run in runs)
    assert once == again
    assert runs[0].metrics() == runs[1].metrics()


def test_the_commands_list_show_cancel_watch_keep_and_discard():
    assert "No training is under way." in run("jobs", "list")
    assert "no training 'nothing'" in fails("jobs", "show", "nothing")
    jobs.start(request("told"))
    begun("told")
    assert "running" in run("jobs", "list")
    assert json.loads(run("jobs", "list", "--json"))[0]["run_id"] == "told"
    assert "cnn, recipe quick, seed 0, on" in run("jobs", "show", "told")
    assert "Training cnn, recipe quick, seed 0 as told" in log_of("told")
    run("jobs", "cancel", "told")
    wait_for(lambda: state_of("told") == "cancelled")
    assert "what it has done is saved" in fails("jobs", "watch", "told")
    assert "is not running: it is cancelled" in fails("jobs", "cancel", "told")
    run("jobs", "resume", "told")
    begun("told")
    assert "Going on with told from its last checkpoint" in log_of("told")
    jobs.cancel("told")
    wait_for(lambda: state_of("told") == "cancelled")
    run("jobs", "keep", "told")
    assert "PrivateTest" in run("jobs", "watch", "told")

    prepare(request("unwanted"))
    run("jobs", "discard", "unwanted", "--yes")
    assert not local_folder("unwanted").exists()


def test_an_estimate_follows_the_epochs(monkeypatch):
    monkeypatch.setattr(training_estimate, "images_per_second", lambda *_, **__: 50.0)
    once, twice = (
        training_estimate.estimate("cnn", replace(SMALL, epochs=epochs), 700, 35)[0]
        for epochs in (2, 4)
    )
    assert once == pytest.approx(2 * (700 + 35 / 3) / 50)
    assert twice == pytest.approx(2 * once)


def test_an_estimate_is_of_the_size_of_what_is_taken(tmp_path):
    (tmp_path / FEW).write_text(csv_text(synthetic((100, 5, 5))))
    small = replace(request("timed", SMALL), precision="fp32")
    told = jobs.estimate(small)
    prepare(small)
    done = run_experiment(read_request("timed"))
    assert 0.05 < told.seconds / done.info["seconds"] < 20  # whatever else the machine does


def test_an_estimate_counts_the_images_that_are_learned_from(two_runs):
    asked = ["train", "cnn", "--data", "synthetic", "--recipe", "quick", "--estimate", "--json"]
    whole, tenth = (
        json.loads(run(*asked, "--threads", "1", "--set", f"training_share={share}"))
        for share in (1, 0.1)
    )
    assert (whole["images"], tenth["images"]) == (2100, 210)
    told = fails(*asked, "--threads", "1", "--set", "model.side=2")
    assert "Traceback" not in told
    assert told


def test_a_training_that_was_completed_meanwhile_is_left_as_it_is(faces):
    prepare(request("done", SMALL))
    asked = read_request("done")
    run = run_experiment(asked, faces=faces)
    again = run_experiment(asked, faces=faces)
    assert again.info == run.info
    assert verify_run(again) == []
    assert not (run.folder / LOCK).exists()
