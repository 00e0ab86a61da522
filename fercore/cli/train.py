"""`fercore train`: a training with its progress, stopped by Ctrl-C and resumed by name."""

import os
import sys
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fercore.cli.output import AsJson, DataOption, print_json
from fercore.cli.runs import print_metrics
from fercore.cli.signals import stop_on_signal
from fercore.durations import duration
from fercore.experiment import Request, follow, new_run_id, prepare, read_request, run_experiment
from fercore.recipes import find_recipe


def train(
    model: Annotated[str | None, typer.Argument(help="cnn, cnn_lstm, …")] = None,
    recipe: Annotated[str, typer.Option(help="how to train: paper, quick")] = "paper",
    seed: Annotated[
        int, typer.Option(min=0, max=9999, help="seed of weights, order and augmentation")
    ] = 0,
    data: DataOption = None,
    run_id: Annotated[str | None, typer.Option(help="name of the new run")] = None,
    resume: Annotated[str | None, typer.Option(help="name of a run to go on with")] = None,
    precision: Annotated[Literal["auto", "fp32", "bf16"], typer.Option()] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, max=256, help="processor threads, all by default")
    ] = None,
    alongside: Annotated[bool, typer.Option(help="even while another training runs")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on Training, choose its epoch on PublicTest, score PrivateTest once.

    Under torchrun, several processes share every batch.
    """
    if os.environ.get("RANK", "0") != "0":
        follow()
        return
    if resume:
        request = read_request(resume)
    elif model:
        chosen = find_recipe(recipe)
        name = run_id or new_run_id(model, chosen, seed)
        request = Request(name, model, chosen, seed, data, precision, threads)
        prepare(request)
    else:
        raise typer.BadParameter("Name a model (cnn, cnn_lstm, …), or a run with --resume.")

    console = Console(stderr=True)
    stop = stop_on_signal()
    from fercore.training.fit import Interrupted

    try:
        with _Display(console, request) as display:
            run = run_experiment(
                request,
                on_step=display.step,
                on_epoch=display.epoch,
                stop_requested=lambda: bool(stop),
                alongside=alongside,
            )
    except Interrupted as interruption:
        print(f"{interruption} Go on with: fercore train --resume {request.run_id}")
        sys.exit(130)

    metrics = run.metrics()
    if as_json:
        print_json(run.info | {"metrics": metrics})
        return
    print_metrics(metrics)
    print(f"Run {run.run_id}: {run.folder}")


class _Display:
    """A progress bar on a terminal; a line per epoch anywhere."""

    def __init__(self, console: Console, request: Request) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.3f}  accuracy {task.fields[accuracy]:.1%}"),
            TextColumn("{task.fields[rate]:.0f} images/s  {task.fields[left]} left at most"),
            console=console,
            disable=not console.is_terminal,
        )
        title = f"{request.model}, recipe {request.recipe.name}, seed {request.seed}"
        console.print(f"Training {title} as {request.run_id}")
        self._task = self._bar.add_task("", epoch="", loss=0.0, accuracy=0.0, rate=0.0, left="")

    def __enter__(self) -> "_Display":
        self._bar.start()
        return self

    def __exit__(self, *_) -> None:
        self._bar.stop()

    def step(self, at) -> None:
        self._bar.update(
            self._task,
            total=at.epochs * at.steps,
            completed=(at.epoch - 1) * at.steps + at.step,
            epoch=f"{at.epoch}/{at.epochs}",
            loss=at.loss,
            accuracy=at.accuracy,
            rate=at.images_per_second,
            left=duration(at.seconds_left),
        )

    def epoch(self, history) -> None:
        last = history[-1]
        self._console.print(
            f"epoch {last.epoch:3}  training {last.train_loss:.3f} {last.train_accuracy:.1%}  "
            f"validation {last.val_loss:.3f} {last.val_accuracy:.1%}  {last.seconds:.0f} s  "
            f"{last.images_per_second:.0f} images/s"
        )
