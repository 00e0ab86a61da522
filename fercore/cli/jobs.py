"""`fercore jobs`: trainings that run, wait or were broken off, in this terminal or elsewhere."""

import json
import sys
import time
from typing import Annotated

import typer
from rich.console import Console

from fercore import jobs
from fercore.cli.options import AsJson, Yes
from fercore.cli.output import print_json, print_metrics, print_table
from fercore.cli.progress import TrainingBar
from fercore.cli.signals import stop_on_signal
from fercore.cli.train import print_estimate
from fercore.cli.training import train_here
from fercore.errors import RunError
from fercore.jobs.processes import Job
from fercore.jobs.request import LOG, Request, read_request, settled
from fercore.runs.folders import complete, local_folder
from fercore.runs.listing import find_run

app = typer.Typer(no_args_is_help=True, help="Trainings under way: list, watch, cancel, resume.")
JobName = Annotated[str, typer.Argument(help="a training's name, as `fercore jobs list` prints it")]
_POLL_SECONDS = 0.5
_LOG_LINES = 10


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the trainings that run, wait for their turn, or were broken off."""
    found, problems = jobs.list_jobs(), jobs.unreadable_jobs()
    if as_json:
        print_json([_summary(job) for job in found])
    elif found:
        rows = [[job.run_id, job.state, _where(job), job.message] for job in found]
        print_table(["training", "state", "epoch", ""], rows)
    elif not problems:
        print("No training is under way.")
    for problem in problems.values():
        typer.secho(problem, fg="red", err=True)


@app.command()
def show(run_id: JobName, as_json: AsJson = False) -> None:
    """Show a training: what was asked for, where it stands, the end of its log."""
    job = jobs.find_job(run_id)
    if as_json:
        print_json(_summary(job))
        return
    request, process = job.request, job.process
    print(f"{job.run_id}: {job.state}. {job.message}")
    print(f"{request.model}, recipe {request.recipe.name}, seed {request.seed}, on {_data(job)}")
    print(f"Epoch {_where(job)}, last heard of {job.updated}")
    print(f"Process {process.get('pid')}, begun {process.get('started')}")
    log = local_folder(run_id) / LOG
    if log.is_file():
        written = log.read_text(encoding="utf-8", errors="replace")
        print("\n".join(written.splitlines()[-_LOG_LINES:]))


@app.command()
def watch(run_id: JobName) -> None:
    """Follow a training's progress until it ends. Ctrl-C stops the watching, not the training."""
    stop = stop_on_signal()
    with TrainingBar(Console(stderr=True)) as bar:
        while not (stop or (job := _unless_finished(run_id)) is None):
            if not job.alive:
                print(f"{run_id}: {job.state}. {job.message}")
                sys.exit(1)
            bar.show(job.message, job.progress)
            time.sleep(_POLL_SECONDS)
    if not stop:
        print_metrics(find_run(run_id).metrics())


def _unless_finished(run_id: str) -> Job | None:
    try:
        return jobs.find_job(run_id)
    except RunError:
        if complete(local_folder(run_id)):
            return None
        raise


@app.command()
def cancel(run_id: JobName) -> None:
    """Ask a training to stop. What it has done stays, and it can be resumed."""
    jobs.cancel(run_id)
    print(f"{run_id} stops at its next step. Go on with: fercore jobs resume {run_id}")


@app.command()
def resume(run_id: JobName) -> None:
    """Go on in the background with a training that was cancelled, failed or lost."""
    jobs.resume(run_id)
    print(f"{run_id} goes on. Follow it with: fercore jobs watch {run_id}")


@app.command()
def keep(run_id: JobName) -> None:
    """Make a run of a broken-off training, with its best weights so far."""
    jobs.keep_best(run_id)
    print(f"{run_id} is being scored. Follow it with: fercore jobs watch {run_id}")


@app.command()
def discard(
    run_id: JobName,
    yes: Yes = False,
) -> None:
    """Delete a training that is not running, with its checkpoint."""
    if not yes:
        typer.confirm(f"Delete the training {run_id} and what it has done?", abort=True)
    jobs.discard(run_id)
    print(f"Deleted {run_id}.")


@app.command(hidden=True)
def run(run_id: JobName, keep_best: Annotated[bool, typer.Option("--keep-best")] = False) -> None:
    """What the process of a training in the background does: begin it, or go on with it."""
    train_here(read_request(run_id), alongside=False, keep_best=keep_best, as_json=False)


@app.command(hidden=True)
def estimate(as_json: AsJson = False) -> None:
    """Measure how long the training would take whose request is read from standard input."""
    print_estimate(settled(Request.from_json(json.load(sys.stdin))), as_json)


def _where(job: Job) -> str:
    return f"{job.epochs_done} of {job.request.recipe.epochs}"


def _data(job: Job) -> str:
    return job.request.data or "FER2013"


def _summary(job: Job) -> dict[str, object]:
    return {
        "run_id": job.run_id,
        "state": job.state,
        "message": job.message,
        "epochs_done": job.epochs_done,
        "progress": job.progress,
        "updated": job.updated,
        "process": job.process,
        "request": job.request.to_json(),
    }
