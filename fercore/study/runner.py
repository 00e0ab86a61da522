"""Runs a study's trainings one after the other, each resumable, a broken one stopping no other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

from fercore.data import FaceSet
from fercore.data.folds import fresh_splits
from fercore.errors import Busy, NameTaken, RunError
from fercore.jobs.experiment import run_experiment, sentence
from fercore.jobs.request import REQUEST, Request, prepare, pretrained_trunk, read_request
from fercore.runs.artifacts import Run
from fercore.runs.info import INFO
from fercore.runs.listing import read_run
from fercore.study.cells import mostly
from fercore.study.standing import stores_of
from fercore.study.store import StudyStore
from fercore.study.variants import Study, check_parts
from fercore.training.recipes import Recipe
from fercore.training.records import Interrupted, Progress, Watcher

_ANOTHER = "{}: trained with another recipe or on other images than asked for. Move it away."


@dataclass(frozen=True)
class StudyProgress:
    """Where the whole table stands."""

    finished: int  # trainings, of those asked for
    total: int
    running: str  # their names
    share: float  # of all epochs, from 0 to 1
    seconds_left: float | None  # None before anything can be told


@dataclass(frozen=True)
class Outcome:
    """What came of the trainings asked for: names; for broken ones the sentence that says why."""

    finished: list[str]
    elsewhere: list[str]  # running in another process
    broken: dict[str, str]

    def named(self, prefix: str) -> "Outcome":
        """The same with other names, which begin so."""
        return Outcome(
            [prefix + name for name in self.finished],
            [prefix + name for name in self.elsewhere],
            {prefix + name: reason for name, reason in self.broken.items()},
        )

    def with_more(self, other: "Outcome") -> "Outcome":
        """What came of these trainings and others."""
        return Outcome(
            self.finished + other.finished,
            self.elsewhere + other.elsewhere,
            self.broken | other.broken,
        )


class Clock:
    """Progress over the whole table, and the time left from the epochs done since the start."""

    def __init__(
        self, requests: list[Request], done: set[str], on_progress: Callable[[StudyProgress], None]
    ) -> None:
        self._epochs = {request.run_id: request.recipe.epochs for request in requests}
        self._done = {run_id: float(self._epochs[run_id]) for run_id in done & set(self._epochs)}
        self._finished = len(self._done)
        self._started, self._at_start = monotonic(), sum(self._done.values())
        self._on_progress = on_progress

    def at(self, run_id: str, epochs: float) -> None:
        """That training has done so many epochs; what it had done when resumed counts as begun."""
        if run_id not in self._done:
            self._at_start += int(epochs)
        self._done[run_id] = epochs
        self._tell(run_id)

    def steps_of(self, run_id: str) -> Callable[[Progress], None]:
        """What that training tells of its steps goes to `at`."""
        return lambda progress: self.at(run_id, progress.epoch - 1 + progress.share)

    def leave(self, run_id: str) -> None:
        """Another process is at that training; it is not waited for."""
        del self._epochs[run_id]
        self._done.pop(run_id, None)

    def ended(self, run_id: str, *, well: bool = True) -> None:
        """That training is over, here or in a runner that works beside this one."""
        self._done[run_id] = float(self._epochs[run_id])
        self._finished += well
        self._tell("")

    def _tell(self, running: str) -> None:
        total, done = sum(self._epochs.values()), sum(self._done.values())
        since = done - self._at_start
        left = (total - done) * (monotonic() - self._started) / since if since > 0.05 else None
        self._on_progress(
            StudyProgress(self._finished, len(self._epochs), running, done / total, left)
        )


def tables_of(study: Study, recipe: Recipe, faces: FaceSet) -> Iterator[tuple[StudyStore, FaceSet]]:
    """The study's tables, each with the images that it is trained and scored on."""
    parts = fresh_splits(faces, study.folds) if study.folds else [faces]
    yield from zip(stores_of(study, recipe, faces.name), parts, strict=True)


def seen_in_training(study: Study, faces: FaceSet) -> FaceSet:
    """The images that a training is given, with PrivateTest only if that is scored at once."""
    if study.public_only or study.scored_last:
        return faces.where(faces.usage != "PrivateTest")
    return faces


def run_study(
    store: StudyStore,
    requests: list[Request],
    faces: FaceSet,
    *,
    on_progress: Callable[[StudyProgress], None] = lambda progress: None,
    on_wait: Callable[[int], None] = lambda ahead: None,
    stop_requested: Callable[[], bool] = lambda: False,
    alongside: bool = False,
) -> Outcome:
    """Train what is not finished yet; started again, it goes on from the last epoch.

    Each training waits for its turn on this machine, with `alongside` it does not: `on_wait` gets
    the number before it. One that another process is at is left to it. Raises `Interrupted` when
    told to stop, and what `check_cells` raises.
    """
    check_cells(store, requests, faces)
    begun_with = store.finished()
    clock = Clock(requests, begun_with, on_progress)
    elsewhere: list[str] = []
    broken: dict[str, str] = {}
    for request in _unfinished(store, requests, begun_with, clock):
        watcher = Watcher(
            on_step=clock.steps_of(request.run_id), on_wait=on_wait, stop_requested=stop_requested
        )
        try:
            folder = store.run_folder(request.run_id)
            run = train_cell(request, folder, faces, watcher, alongside=alongside)
            store.add(run, variant=variant_of(request))
        except Interrupted:
            raise
        except Busy:
            elsewhere.append(request.run_id)
            clock.leave(request.run_id)
            continue
        except Exception as error:  # whatever broke this one, the others go on
            broken[request.run_id] = sentence(error)
        clock.ended(request.run_id, well=request.run_id not in broken)
    return outcome_of(store, requests, broken, elsewhere)


def check_trunks(store: StudyStore, requests: list[Request]) -> None:
    """Raise `ConfigError` where a training that is due begins with weights that are not to be had:
    before the hours of the others.
    """
    done = store.finished()
    due = [one.recipe for one in requests if one.run_id not in done and one.recipe.pretrained]
    for recipe in {recipe.trunk: recipe for recipe in due}.values():
        pretrained_trunk(recipe)


def outcome_of(
    store: StudyStore,
    requests: list[Request],
    broken: dict[str, str],
    elsewhere: Sequence[str] = (),
) -> Outcome:
    """What came of them by now; of those that were running elsewhere, some may be finished."""
    done = store.finished()
    finished = [request.run_id for request in requests if request.run_id in done]
    return Outcome(finished, [run_id for run_id in elsewhere if run_id not in done], broken)


def _unfinished(
    store: StudyStore, requests: list[Request], begun_with: set[str], clock: Clock
) -> Iterator[Request]:
    """Those that are not finished when their turn comes; another runner may finish some before."""
    for request in requests:
        if request.run_id not in store.finished():
            yield request
        elif request.run_id not in begun_with:
            clock.ended(request.run_id)


def train_cell(
    request: Request,
    folder: Path,
    faces: FaceSet,
    watcher: Watcher = Watcher(),
    *,
    alongside: bool = False,
) -> Run:
    """One training of a study in its run folder: begun, gone on with, or already complete.

    Raises `RunError` where the folder holds another training.
    """
    if (folder / INFO).is_file():
        run = read_run(folder)
        pixels = run.prediction_frame["pixels"].to_numpy()
        _check(request, run.info, faces, folder, lambda: mostly(faces.positions(pixels) >= 0))
        return run
    if not (folder / REQUEST).is_file():
        with suppress(NameTaken):  # by another runner, at the same moment
            prepare(request, folder, faces)
    begun = read_request(request.run_id, folder)
    if (begun.model, begun.recipe) != (request.model, request.recipe):
        raise RunError(_ANOTHER.format(folder))
    return run_experiment(begun, folder=folder, faces=faces, watcher=watcher, alongside=alongside)


def check_cells(store: StudyStore, requests: list[Request], faces: FaceSet) -> None:
    """Raise `RunError` where a finished training is not the one that is asked for, or the images
    are not the study's to see.

    It may have been made on another copy of FER2013, if most test images are in both.
    """
    check_parts(store.name, faces.usage)
    shared = cache(lambda: store.mostly_in(faces))  # asked for a cell, it holds for all
    finished = store.finished()
    for request in requests:
        if request.run_id in finished:
            folder = store.folder / "cells" / request.run_id
            _check(request, store.info(request.run_id), faces, folder, shared)


def _check(
    request: Request,
    info: Mapping[str, Any],
    faces: FaceSet,
    folder: Path,
    shared: Callable[[], bool],
) -> None:
    """`shared` says whether most of its test images are among `faces`."""
    trained, dataset = (info["model"], Recipe.from_json(info["recipe"])), info["dataset"]
    same = dataset["fingerprint"] == faces.fingerprint or (
        dataset["name"] == faces.name == "FER2013" and shared()
    )
    if not same or trained != (request.model, request.recipe):
        raise RunError(_ANOTHER.format(folder))


def variant_of(request: Request) -> str:
    return request.run_id.removesuffix(f"-s{request.seed}")


def measure_latency(study: Study, store: StudyStore, recipe: Recipe) -> None:
    """Time each network that the study builds, for one face on one thread, in turns, and keep it
    for the variants that have it.
    """
    from fercore.models import build
    from fercore.models.cost import latencies

    networks = {
        variant.name: (variant.model, variant.recipe(recipe).model_arguments)
        for variant in study.variants
    }
    firsts = {name: _first_with(network, networks) for name, network in networks.items()}
    models = {
        name: build(model, **arguments)
        for name, (model, arguments) in networks.items()
        if firsts[name] == name
    }
    times = latencies(models)
    store.write_latency({name: times[first] for name, first in firsts.items()})


def _first_with(network: tuple[str, Mapping[str, Any]], networks: Mapping[str, Any]) -> str:
    return next(name for name, other in networks.items() if other == network)
