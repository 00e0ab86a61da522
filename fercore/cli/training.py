"""A training in this terminal: its progress, how it is stopped, and what it reached."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Self

import typer
from rich.console import Console

from fercore.cli.output import print_json, print_metrics
from fercore.cli.progress import TrainingBar, WaitLine
from fercore.cli.signals import ending_when_stopped, stop_on_signal
from fercore.errors import FerError, TrainingError
from fercore.jobs.experiment import run_experiment, sentence
from fercore.jobs.request import Request, has_checkpoint
from fercore.models.elsewhere import check_trunk
from fercore.runs.folders import local_folder
from fercore.training.records import EpochRecord, Watcher
from fercore.wording import count


def train_here(request: Request, *, alongside: bool, keep_best: bool, as_json: bool) -> None:
    """Train as requested, from the start or the last checkpoint, and print what it reached."""
    stop = stop_on_signal()
    stopped = ending_when_stopped(f"Go on with: fercore train --resume {request.run_id}")
    with failures_told(), stopped, _Display(Console(stderr=True), request) as display:
        run = run_experiment(
            request,
            watcher=display.watcher(lambda: bool(stop)),
            alongside=alongside,
            keep_best=keep_best,
        )
    metrics = run.metrics()
    if as_json:
        print_json({**run.info, "metrics": metrics})
        return
    print_metrics(metrics)
    print(f"Run {run.run_id}: {run.folder}")


@contextmanager
def failures_told() -> Iterator[None]:
    """What ends a training in here is raised as a `TrainingError`, in words for its user."""
    try:
        yield
    except FerError:
        raise
    except Exception as error:
        raise TrainingError(sentence(error)) from error


def keep_weights(file: Path, trunk: str) -> None:
    """Keep the weights in a file for every training of a trunk from elsewhere."""
    if ":" not in trunk:
        raise typer.BadParameter("--weights is for a pretrained trunk from elsewhere.")
    check_trunk(trunk)
    from fercore.models.pretrained import keep

    keep(trunk, file)


def _opening(request: Request) -> str:
    """What begins, or goes on."""
    title = f"{request.model}, recipe {request.recipe.name}, seed {request.seed}"
    if has_checkpoint(local_folder(request.run_id)):
        return f"Going on with {request.run_id} from its last checkpoint: {title}"
    return f"Training {title} as {request.run_id}"


class _Display:
    """A progress bar on a terminal; a line per epoch anywhere."""

    def __init__(self, console: Console, request: Request) -> None:
        self._console, self._bar = console, TrainingBar(console)
        console.print(_opening(request))

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.__exit__(*error)

    def watcher(self, stop_requested: Callable[[], bool]) -> Watcher:
        return Watcher(
            on_step=lambda at: self._bar.show("", asdict(at)),
            on_epoch=self._epoch,
            on_wait=WaitLine(self._console),
            stop_requested=stop_requested,
        )

    def _epoch(self, history: list[EpochRecord]) -> None:
        last = history[-1]
        validation = ""
        if last.val_loss is not None and last.val_accuracy is not None:
            validation = f"validation {last.val_loss:.3f} {last.val_accuracy:.1%}"
        self._console.print(
            f"epoch {last.epoch:3}  training {last.train_loss:.3f} {last.train_accuracy:.1%}  "
            f"{validation:22}  {last.seconds:.0f} s  "
            f"{count(round(last.images_per_second))} images/s"
        )
