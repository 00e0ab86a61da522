"""`fercore study`: a declared table of trainings, resumable at any point."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from fercore.cli.data import load_with_progress
from fercore.cli.options import (
    AlongsideOption,
    AsJson,
    DataOption,
    PrecisionOption,
    ThreadsOption,
    given,
    refuse,
)
from fercore.cli.progress import Bar, WaitLine
from fercore.cli.signals import ending_when_stopped, stop_on_signal
from fercore.cli.study_tables import print_study, results_of
from fercore.cli.training import keep_weights
from fercore.data import FaceSet, find_source
from fercore.errors import ConfigError, DataError
from fercore.jobs.request import Request
from fercore.jobs.turns import turn
from fercore.runs.commit import from_uncommitted_code, git_commit
from fercore.study.cluster import run_on_ray
from fercore.study.final_scoring import check_finished
from fercore.study.final_scoring import keep_answers as ask
from fercore.study.final_scoring import score as score_last
from fercore.study.runner import (
    Outcome,
    StudyProgress,
    check_trunks,
    measure_latency,
    run_study,
    seen_in_training,
    tables_of,
)
from fercore.study.standing import stores_of
from fercore.study.store import StudyStore
from fercore.study.variants import STUDIES, Study, find_study
from fercore.training.recipes import Recipe, find_recipe
from fercore.wording import duration

_INSTEAD = {"show", "score", "keep_answers"}  # of training
_TO_TRAIN = {"seeds", "only", "weights", "precision", "threads", "alongside", "ray", "gpus"}

SeedsOption = Annotated[
    int | None, typer.Option(min=1, max=100, help="of each variant; as declared by default")
]
OnlyOption = Annotated[
    list[str] | None, typer.Option(help="train this variant alone; may be given again")
]
RecipeOption = Annotated[str | None, typer.Option(help="another recipe than the study's")]
WeightsOption = Annotated[
    Path | None,
    typer.Option(help="of the study 'transfer': the trunk's, kept; else from timm's hub"),
]
RayOption = Annotated[
    str | None, typer.Option(help="a Ray cluster's address, or 'local' to start one here")
]
GpusOption = Annotated[float, typer.Option(min=0, help="GPUs for each training on the Ray cluster")]
ScoreOption = Annotated[
    bool, typer.Option("--score", help="score PrivateTest, once every training is finished")
]
AnswersOption = Annotated[
    bool,
    typer.Option("--keep-answers", help="what finished trainings say of PrivateTest, kept unread"),
]


def study(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=", ".join(STUDIES))],
    seeds: SeedsOption = None,
    only: OnlyOption = None,
    recipe: RecipeOption = None,
    weights: WeightsOption = None,
    data: DataOption = None,
    precision: PrecisionOption = "auto",
    threads: ThreadsOption = None,
    alongside: AlongsideOption = False,
    ray: RayOption = None,
    gpus: GpusOption = 0,
    score: ScoreOption = False,
    keep_answers: AnswersOption = False,
    show: Annotated[bool, typer.Option("--show", help="only print what is finished")] = False,
    as_json: AsJson = False,
) -> None:
    """Train every variant with every seed, skipping what is finished, and print the table."""
    _check_options(given(context))
    chosen = find_study(name)
    base = find_recipe(recipe or chosen.recipe)
    requests = chosen.requests(
        seeds, base, only=only, data=data, precision=precision, threads=threads
    )
    if show:
        print_study(chosen, base, _shown(chosen, base, data), {}, as_json)
        return
    if weights:
        keep_weights(weights, requests[0].recipe.trunk)
    faces, outcome = load_with_progress(data), Outcome([], [], {})
    with ending_when_stopped("The same command goes on with the study."), _Display() as display:
        if score:
            _score(chosen, base, faces, display)
        elif keep_answers:
            outcome = _keep_answers(chosen, base, faces, display)
        else:
            outcome = _train_tables(
                chosen, base, faces, requests, display, alongside=alongside, ray=ray, gpus=gpus
            )
    print_study(chosen, base, faces.name, outcome.broken, as_json)
    _tell(outcome)


def _check_options(options: set[str]) -> None:
    if instead := sorted(options & _INSTEAD):
        refuse(set(instead[1:]), f"not with {instead[0]}: one of them at a time.")
        refuse(options & _TO_TRAIN, f"not with {instead[0]}, which trains nothing.")
    if "ray" not in options:
        refuse(options & {"gpus"}, "they are for each training on a Ray cluster (--ray).")


def _train_tables(
    study: Study,
    recipe: Recipe,
    faces: FaceSet,
    requests: list[Request],
    display: "_Display",
    *,
    alongside: bool,
    ray: str | None,
    gpus: float,
) -> Outcome:
    """What is not finished of each of the study's tables, and the latency where it is due."""
    if (study.scored_last or study.candidates) and from_uncommitted_code(git_commit()):
        print("The code has uncommitted changes, and every training will say so.", file=sys.stderr)
    train: Callable[..., Outcome] = (
        partial(run_on_ray, address=ray, gpus=gpus)
        if ray
        else partial(run_study, on_wait=display.wait, alongside=alongside)
    )
    whole = Outcome([], [], {})
    for store, part in tables_of(study, recipe, faces):
        check_trunks(store, requests)
        before, seen = store.finished(), seen_in_training(study, part)
        outcome = train(
            store, requests, seen, on_progress=display.show, stop_requested=display.stop_requested
        )
        new = set(outcome.finished) - before or not store.latency_measured()
        if outcome.finished and new and not outcome.elsewhere and seen is part:
            _time(study, store, recipe, display, alongside)
        whole = whole.with_more(_by_fold(study, store, outcome))
    return whole


def _score(study: Study, recipe: Recipe, faces: FaceSet, display: "_Display") -> None:
    """PrivateTest, with everything that the study declares or with nothing."""
    _check_scored_last(study)
    requests = study.requests(None, recipe)
    check_finished([(store, requests) for store in stores_of(study, recipe, faces.name)])
    for store, part in tables_of(study, recipe, faces):
        scored = score_last(
            store,
            requests,
            part,
            whole=study.whole,
            on_progress=lambda done, total: print(f"scored {done} of {total}", file=sys.stderr),
            stop_requested=display.stop_requested,
        )
        if scored or not store.latency_measured():
            measure_latency(study, store, study.scale(recipe))


def _keep_answers(study: Study, recipe: Recipe, faces: FaceSet, display: "_Display") -> Outcome:
    """Those of every finished training, so that its weights are not needed to score it."""
    _check_scored_last(study)
    requests, whole = study.requests(None, recipe), Outcome([], [], {})
    for store, part in tables_of(study, recipe, faces):
        if store.finished():
            asked = ask(
                store, requests, part, whole=study.whole, stop_requested=display.stop_requested
            )
            print(f"{store.name}: kept unread, {len(asked.finished)} new.", file=sys.stderr)
            whole = whole.with_more(_by_fold(study, store, asked))
    return whole


def _by_fold(study: Study, store: StudyStore, outcome: Outcome) -> Outcome:
    """With the fold in its names, which are the same in each."""
    return outcome.named(f"{store.name}/") if study.folds else outcome


def _check_scored_last(study: Study) -> None:
    if study.public_only:
        raise ConfigError(
            f"Study '{study.name}' is chosen on PublicTest, so it is never scored on PrivateTest."
        )
    if not study.scored_last:
        raise ConfigError(f"Study '{study.name}' is not one that is scored when all is trained.")


def _time(
    study: Study, store: StudyStore, recipe: Recipe, display: "_Display", alongside: bool
) -> None:
    """Measure every model's latency, when nothing else trains on this machine."""
    waiting = turn(on_wait=display.wait, stop_requested=display.stop_requested)
    with nullcontext() if alongside else waiting:
        measure_latency(study, store, study.scale(recipe))


def _tell(outcome: Outcome) -> None:
    """What was not trained, and why."""
    for run_id in outcome.elsewhere:
        print(f"{run_id}: running in another process.", file=sys.stderr)
    for run_id, reason in outcome.broken.items():
        print(f"{run_id}: {reason}", file=sys.stderr)
    if outcome.broken:
        sys.exit(1)


def _shown(study: Study, recipe: Recipe, data: str | None) -> str:
    """The name of the dataset that is named or chosen. The images are not needed to show it.

    Where the chosen one is not here, or has no results, it is FER2013.
    """
    on_fer2013 = "FER2013"
    if data:
        return load_with_progress(data).name
    try:
        if find_source() is None:
            return on_fer2013
        name = load_with_progress(None).name
    except DataError as error:
        print(f"{error} Shown is the study on FER2013.", file=sys.stderr)
        return on_fer2013
    if results_of(study, recipe, name) or not results_of(study, recipe, on_fer2013):
        return name
    print(f"Of {name} there are no results. Shown is the study on FER2013.", file=sys.stderr)
    return on_fer2013


class _Display(Bar):
    """A progress bar on a terminal; elsewhere a line whenever a training ends."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.fields[count]}"),
            BarColumn(),
            TextColumn("{task.fields[running]}  {task.fields[left]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0, count="", running="", left="")
        self._finished = 0
        self.wait = WaitLine(self._console)
        self._stop = stop_on_signal()

    def stop_requested(self) -> bool:
        return bool(self._stop)

    def show(self, at: StudyProgress) -> None:
        left = f"{duration(at.seconds_left)} left" if at.seconds_left is not None else ""
        count = f"{at.finished} of {at.total} trainings"
        self._bar.update(self._task, completed=at.share, count=count, running=at.running, left=left)
        if at.finished > self._finished and not self._console.is_terminal:
            self._console.print(f"{count}, {left}")
        self._finished = at.finished
