"""`fercore train`: a training with its progress, stopped by Ctrl-C and resumed by name."""

import os
import sys
from dataclasses import asdict, replace
from typing import Annotated, Literal

import typer
from rich.console import Console

from fercore.cli.data import load_with_progress
from fercore.cli.output import AsJson, ClassesOption, DataOption, LeaveOutOption, print_json
from fercore.cli.progress import TrainingBar, WaitLine
from fercore.cli.runs import print_metrics
from fercore.cli.signals import stop_on_signal
from fercore.data.class_names import class_names
from fercore.data.validation import check_parts
from fercore.errors import TrainingError
from fercore.jobs.experiment import run_experiment, sentence
from fercore.jobs.learning import follow, teacher_of
from fercore.jobs.request import Request, failure, prepare, read_request, settled
from fercore.runs.artifacts import local_folder
from fercore.training.recipes import RECIPES, find_recipe
from fercore.training.records import Interrupted, Watcher
from fercore.wording import duration

_OF_ANY = {"resume", "keep_best", "alongside", "as_json"}  # options that go with --resume


def train(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="cnn, cnn_lstm, …")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(RECIPES)}; by default paper, or finetune with --from"),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=9999, help="seed of weights, order and augmentation")
    ] = 0,
    data: DataOption = None,
    classes: ClassesOption = "",
    leave_out: LeaveOutOption = None,
    validation: Annotated[
        float | None,
        typer.Option(help="share of Training to choose the epoch by, where no images are for it"),
    ] = None,
    run_id: Annotated[str | None, typer.Option(help="name of the new run")] = None,
    start_from: Annotated[
        str | None, typer.Option("--from", help="begin with this run's model and weights")
    ] = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="lay the review verdicts over Training")
    ] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="in place of the recipe's")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="in place of the recipe's")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(min=0, help="in place of the recipe's")
    ] = None,
    resume: Annotated[str | None, typer.Option(help="name of a run to go on with")] = None,
    keep_best: Annotated[
        bool, typer.Option("--keep-best", help="with --resume: the epochs that are done will do")
    ] = False,
    precision: Annotated[Literal["auto", "fp32", "bf16"], typer.Option()] = "auto",
    threads: Annotated[
        int | None, typer.Option(min=1, max=256, help="processor threads, all by default")
    ] = None,
    alongside: Annotated[bool, typer.Option(help="even while another training runs")] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="only measure how long it would take")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on Training, choose its epoch on PublicTest, score PrivateTest once.

    While another training runs on this machine it waits for its turn. Under torchrun, several
    processes share every batch.
    """
    if os.environ.get("RANK", "0") != "0":
        _follow()
        return
    if "RANK" in os.environ:  # the leader of a group
        from fercore.training.parallel import leading

        context.with_resource(leading())
    if keep_best and not resume:
        raise typer.BadParameter("--keep-best goes with --resume.")
    if resume:
        if other := _given(context) - _OF_ANY:
            raise typer.BadParameter(
                f"{', '.join(sorted(other))}: not with --resume, which goes on as it was begun."
            )
        request = read_request(resume)
    elif model or start_from:
        changes = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
        chosen = find_recipe(recipe or ("finetune" if start_from else "paper"))
        chosen = replace(chosen, **{name: new for name, new in changes.items() if new is not None})
        request = Request(
            run_id or "",
            model or "",
            chosen,
            seed,
            data,
            precision,
            threads,
            start_from=start_from,
            verdicts=verdicts,
            class_names=str(class_names(classes, leave_out or ())),
            validation=validation,
        )
        request = settled(request)  # before the data are read for nothing
        if estimate:
            if run_id or alongside:
                raise typer.BadParameter(
                    "--run-id and --alongside: nothing is trained to estimate."
                )
            _print_estimate(request, as_json)
            return
        load_with_progress(request.data, request.class_names)
        failed = run_id and failure(local_folder(run_id))
        request = read_request(prepare(request).name)
        if failed:
            print(f"It replaces the training '{run_id}', which failed: {failed}", file=sys.stderr)
    else:
        raise typer.BadParameter("Name a model (cnn, cnn_lstm, …), or a run with --resume.")
    _train(request, alongside=alongside, keep_best=keep_best, as_json=as_json)


def _follow() -> None:
    """Train along with the leader, which shows, prints and writes."""
    stop = stop_on_signal()
    try:
        follow(Watcher(stop_requested=lambda: bool(stop)))
    except Interrupted:
        sys.exit(130)
    except (MemoryError, OSError, RuntimeError) as error:
        raise TrainingError(sentence(error)) from error


def _train(request: Request, *, alongside: bool, keep_best: bool, as_json: bool) -> None:
    """Train as requested, showing how far it is, and print what it reached."""
    stop = stop_on_signal()
    try:
        with _Display(Console(stderr=True), request) as display:
            run = run_experiment(
                request,
                watcher=display.watcher(lambda: bool(stop)),
                alongside=alongside,
                keep_best=keep_best,
            )
    except (MemoryError, OSError, RuntimeError) as error:
        raise TrainingError(sentence(error)) from error
    except Interrupted as interruption:
        print(f"{interruption} Go on with: fercore train --resume {request.run_id}")
        sys.exit(130)

    metrics = run.metrics()
    if as_json:
        print_json(run.info | {"metrics": metrics})
        return
    print_metrics(metrics)
    print(f"Run {run.run_id}: {run.folder}")


def _given(context: typer.Context) -> set[str]:
    """The options that were written out, by the names of `train`'s arguments."""
    names = (parameter.name for parameter in context.command.params)
    return {name for name in names if context.get_parameter_source(name).name == "COMMANDLINE"}


def _print_estimate(request: Request, as_json: bool) -> None:
    from fercore.training import estimate

    load_with_progress(request.data, request.class_names)
    faces = request.faces()
    check_parts(faces)
    training, validation = (len(faces.part(usage)) for usage in ("Training", "PublicTest"))
    recipe = request.recipe
    seconds, rate = estimate.estimate(
        request.model,
        recipe,
        training,
        validation,
        teacher=teacher_of(request),
        precision=request.precision,
        threads=request.threads,
    )
    if as_json:
        print_json({"seconds": seconds, "images_per_second": rate, "images": training})
        return
    print(
        f"About {duration(seconds)}: {recipe.epochs} epochs of {training} images at "
        f"{rate:.0f} images/s"
    )


class _Display:
    """A progress bar on a terminal; a line per epoch anywhere."""

    def __init__(self, console: Console, request: Request) -> None:
        self._console, self._bar = console, TrainingBar(console)
        title = f"{request.model}, recipe {request.recipe.name}, seed {request.seed}"
        console.print(f"Training {title} as {request.run_id}")

    def __enter__(self) -> "_Display":
        self._bar.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._bar.__exit__(*error)

    def watcher(self, stop_requested) -> Watcher:
        return Watcher(
            on_step=lambda at: self._bar.show("", asdict(at)),
            on_epoch=self._epoch,
            on_wait=WaitLine(self._console),
            stop_requested=stop_requested,
        )

    def _epoch(self, history) -> None:
        last = history[-1]
        validated = last.val_loss is not None
        validation = f"validation {last.val_loss:.3f} {last.val_accuracy:.1%}" if validated else ""
        self._console.print(
            f"epoch {last.epoch:3}  training {last.train_loss:.3f} {last.train_accuracy:.1%}  "
            f"{validation:22}  {last.seconds:.0f} s  {last.images_per_second:.0f} images/s"
        )
