"""`fercore train`: a new training, or with --resume one that was broken off."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fercore.cli.data import load_with_progress
from fercore.cli.options import (
    AlongsideOption,
    AsJson,
    ClassesOption,
    DataOption,
    LeaveOutOption,
    PrecisionOption,
    ThreadsOption,
    given,
    refuse,
)
from fercore.cli.output import print_json
from fercore.cli.signals import INTERRUPTED, stop_on_signal
from fercore.cli.training import failures_told, keep_weights, train_here
from fercore.data.class_names import class_names
from fercore.data.validation import check_parts, with_share
from fercore.groups.teaching import taught
from fercore.jobs.learning import follow, teachers_of
from fercore.jobs.request import Request, failure, prepare, read_request, settled
from fercore.runs.folders import local_folder
from fercore.training.recipes import RECIPES, Recipe, find_recipe
from fercore.training.records import Interrupted, Watcher
from fercore.training.settings import with_settings
from fercore.wording import count, duration

_OF_ANY = {"resume", "keep_best", "alongside", "as_json"}  # options that go with --resume
_INSTEAD = "in place of the recipe's"

RecipeOption = Annotated[
    str | None,
    typer.Option(help=f"{', '.join(RECIPES)}; by default paper, or finetune with --from"),
]
SeedOption = Annotated[
    int, typer.Option(min=0, max=9999, help="seed of weights, order and augmentation")
]
ValidationOption = Annotated[
    float | None,
    typer.Option(help="share of Training to choose the epoch by, where no images are for it"),
]
FromOption = Annotated[
    str | None, typer.Option("--from", help="begin with this run's model and weights")
]
VerdictsOption = Annotated[
    bool, typer.Option("--verdicts", help="lay the review verdicts over Training")
]
TrainLabelsOption = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help="lay FER+'s over Training: ferplus (plurality), agreed (more than half) or votes "
        "(their shares); by default the dataset's",
    ),
]
ResumeOption = Annotated[
    str | None, typer.Option(help="name of a training that was broken off, to go on with")
]
KeepBestOption = Annotated[
    bool, typer.Option("--keep-best", help="with --resume: the epochs that are done will do")
]
TrunkOption = Annotated[
    str | None, typer.Option(help="timm:NAME, a trunk from elsewhere; recipe transfer by default")
]
PretrainedOption = Annotated[
    bool, typer.Option("--pretrained", help="with --trunk: begin with the weights it has there")
]
WeightsOption = Annotated[
    Path | None,
    typer.Option(help="with --pretrained: their file, kept for later; else from timm's hub"),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="another setting of the recipe, NAME=VALUE: mixup=0.2, augmentation.light=0.1, "
        "model.width=128, …",
    ),
]
TeacherOption = Annotated[
    list[str] | None,
    typer.Option(help="a run, ensemble or group (cnn@best) that answers for a share of the labels"),
]
TeacherShareOption = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="of the labels; by default the recipe's, or 0.8"),
]
EstimateOption = Annotated[
    bool, typer.Option("--estimate", help="only measure how long it would take")
]


def train(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="cnn, cnn_lstm, …")] = None,
    recipe: RecipeOption = None,
    seed: SeedOption = 0,
    data: DataOption = None,
    classes: ClassesOption = "",
    leave_out: LeaveOutOption = None,
    validation: ValidationOption = None,
    run_id: Annotated[str | None, typer.Option(help="name of the new run")] = None,
    start_from: FromOption = None,
    verdicts: VerdictsOption = False,
    labels: TrainLabelsOption = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=_INSTEAD)] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help=_INSTEAD)] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0, help=_INSTEAD)] = None,
    trunk: TrunkOption = None,
    pretrained: PretrainedOption = False,
    weights: WeightsOption = None,
    settings: SetOption = None,
    teacher: TeacherOption = None,
    teacher_share: TeacherShareOption = None,
    resume: ResumeOption = None,
    keep_best: KeepBestOption = False,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    alongside: AlongsideOption = False,
    estimate: EstimateOption = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on Training, choose its epoch on PublicTest, score PrivateTest once.

    While another training runs on this machine it waits for its turn. With --resume it goes on with
    a training that was begun, instead of beginning one. Under torchrun, several processes share
    every batch.
    """
    if os.environ.get("RANK", "0") != "0":
        _follow()
        return
    _lead(context)
    if resume:
        refuse(given(context) - _OF_ANY, "not with --resume, which goes on as it was begun.")
        begun = read_request(resume)
        train_here(begun, alongside=alongside, keep_best=keep_best, as_json=as_json)
        return
    own = _as_settings(epochs, batch_size, learning_rate, trunk, pretrained) + (settings or [])
    usual = "finetune" if start_from else "transfer" if trunk else "paper"
    chosen = _taught(with_settings(find_recipe(recipe or usual), own), teacher, teacher_share)
    wanted = Request(
        run_id or "", model or "", chosen, seed, data, precision, threads, start_from=start_from,
        verdicts=verdicts, class_names=str(class_names(classes, leave_out or ())),
        validation=validation, labels=labels,
    )  # fmt: skip
    _check_new(wanted, keep_best)
    if weights:
        keep_weights(weights, chosen.trunk if chosen.pretrained else "")
    wanted = settled(wanted)  # before the data are read for nothing
    if estimate:
        refuse(given(context) & {"run_id", "alongside"}, "nothing is trained to estimate.")
        print_estimate(wanted, as_json)
    else:
        train_here(_begun(wanted), alongside=alongside, keep_best=keep_best, as_json=as_json)


def _lead(context: typer.Context) -> None:
    """Under torchrun, the followers wait for this process until the command is over."""
    if "RANK" in os.environ:
        from fercore.training.parallel import leading

        context.with_resource(leading())


def _follow() -> None:
    """Train along with the leader, which shows, prints and writes."""
    stop = stop_on_signal()
    try:
        with failures_told():
            follow(Watcher(stop_requested=lambda: bool(stop)))
    except Interrupted:
        sys.exit(INTERRUPTED)


def _check_new(request: Request, keep_best: bool) -> None:
    if keep_best:
        raise typer.BadParameter("--keep-best goes with --resume.")
    if not (request.model or request.start_from):
        raise typer.BadParameter("Name a model (cnn, cnn_lstm, …), or a run with --resume.")


def _as_settings(
    epochs: int | None,
    batch_size: int | None,
    learning_rate: float | None,
    trunk: str | None,
    pretrained: bool,
) -> list[str]:
    """The options that have names of their own, as `--set` has them."""
    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "model.trunk": trunk,
        "pretrained": "true" if pretrained else None,
        # a third of the rate is for weights that are to be kept
        "trunk_rate": 1 if trunk and not pretrained else None,
    }
    return [f"{name}={value}" for name, value in given.items() if value is not None]


def _taught(recipe: Recipe, teachers: list[str] | None, share: float | None) -> Recipe:
    """The recipe with the teachers that were named, or its own with another share."""
    if not teachers and share is None:
        return recipe
    return taught(recipe, teachers or recipe.teachers, share)


def _begun(wanted: Request) -> Request:
    """The request of a new training, with its name, once its folder is made."""
    load_with_progress(wanted.data, wanted.class_names)
    failed = wanted.run_id and failure(local_folder(wanted.run_id))
    request = read_request(prepare(wanted).name)
    if failed:
        name = wanted.run_id
        print(f"It replaces the training '{name}', which failed: {failed}", file=sys.stderr)
    return request


def print_estimate(request: Request, as_json: bool) -> None:
    """Measure a few steps of a settled request, and print how long the whole would take."""
    from fercore.training import estimate

    load_with_progress(request.data, request.class_names)
    recipe = request.recipe
    faces = request.faces()
    check_parts(faces)
    faces = with_share(faces, recipe.training_share, request.seed)
    training, validation = (len(faces.part(usage)) for usage in ("Training", "PublicTest"))
    with failures_told():
        seconds, rate = estimate.estimate(
            request.model,
            recipe,
            training,
            validation,
            teachers=teachers_of(request),
            precision=request.precision,
            threads=request.threads,
        )
    if as_json:
        print_json({"seconds": seconds, "images_per_second": rate, "images": training})
        return
    print(
        f"About {duration(seconds)}: {recipe.epochs} epochs of {count(training)} images at "
        f"{count(round(rate))} images/s"
    )
