"""PrivateTest in one pass: scored when every declared training of a study is finished, not before.

What is scored already is not scored again, so a pass that was broken off goes on where it was. A
finished training may be asked before and its answers kept unread: then it is scored by them, also
where its weights are no longer.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd

from fercore.data import FaceSet
from fercore.errors import RunError
from fercore.jobs.request import Request
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.runs.commit import git_commit
from fercore.runs.info import WEIGHTS
from fercore.runs.listing import read_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS, prediction_frame
from fercore.study.runner import Outcome, check_cells, variant_of
from fercore.study.store import StudyStore
from fercore.study.thinning import Stored, halved, thinned
from fercore.training.records import Interrupted

_NAMED = 3  # trainings that a sentence names


def check_finished(tables: list[tuple[StudyStore, list[Request]]]) -> None:
    """Raise `RunError` where a declared training is missing, or what to score one by: its answers
    or its weights.
    """
    missing: list[str] = []
    for store, requests in tables:
        finished = store.finished()
        missing += [
            f"{store.name}/{request.run_id}"
            for request in requests
            if request.run_id not in finished
        ]
    if missing:
        total = sum(len(requests) for _, requests in tables)
        more = ", …" if len(missing) > _NAMED else ""
        raise RunError(
            f"{len(missing)} of {total} declared trainings are not finished "
            f"({', '.join(missing[:_NAMED])}{more}). PrivateTest is scored when all of them are."
        )
    for store, requests in tables:
        for request in _without(store.scored() | store.answered(), requests):
            _trained(store, request.run_id)


def _without(done: set[str], requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.run_id not in done]


def keep_answers(
    store: StudyStore,
    requests: list[Request],
    faces: FaceSet,
    *,
    whole: frozenset[str] = frozenset(),
    stop_requested: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Ask the finished trainings about PrivateTest and keep what they answer unread.

    Nothing is held against a label. Who has been asked is not asked again, and one that cannot be
    stops no other. Arguments and further errors as of `score`, but that nothing need be finished.
    """
    check_cells(store, requests, faces)
    tests, commit = faces.part("PrivateTest"), git_commit()
    asked = Outcome([], [], {})
    with store.scoring():
        finished = store.finished()
        for request in _without(store.scored() | store.answered(), requests):
            if stop_requested():
                raise Interrupted("The asking was stopped.")
            if request.run_id not in finished:
                continue
            try:
                _check_images(store, request.run_id, faces)
                answers = _answers(store, request, tests, whole)
            except RunError as error:
                asked.broken[request.run_id] = str(error)
                continue
            store.keep_answers(request.run_id, answers, commit=commit)
            asked.finished.append(request.run_id)
    return asked


def score(
    store: StudyStore,
    requests: list[Request],
    faces: FaceSet,
    *,
    whole: frozenset[str] = frozenset(),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Score PrivateTest with every training that has not been; their names.

    faces: with PrivateTest. whole: the variants whose answers are kept at full length.
    `on_progress` gets how many are scored, of how many. Raises what `check_finished` and
    `check_cells` raise, `Busy` where another process is at it, `Interrupted` when told to stop.
    """
    check_cells(store, requests, faces)
    check_finished([(store, requests)])
    tests, commit = faces.part("PrivateTest"), git_commit()
    images = _images(faces)
    scored: list[str] = []
    try:
        with store.scoring():
            waiting, answered = _without(store.scored(), requests), store.answered()
            for request in waiting:
                if stop_requested():
                    raise Interrupted("The scoring was stopped.")
                name = request.run_id
                _check_images(store, name, faces)
                store.begin_scoring(name, commit=commit)
                new = None if name in answered else _answers(store, request, tests, whole)
                store.add_scores(name, images, new)
                scored.append(name)
                on_progress(len(scored), len(waiting))
    finally:
        if not _told(store):
            store.write_table()
    return scored


def _check_images(store: StudyStore, run_id: str, faces: FaceSet) -> None:
    if store.info(run_id)["dataset"]["fingerprint"] != faces.fingerprint:
        raise RunError(f"{run_id} was trained beside other images than these.")


def _told(store: StudyStore) -> bool:
    """Whether the table has every training's score; a pass that was killed wrote none."""
    table = store.table()
    return "private_accuracy" in table and bool(table["private_accuracy"].notna().all())


def _answers(store: StudyStore, request: Request, tests: FaceSet, whole: frozenset[str]) -> Stored:
    """What a training says of the images, as it is kept. Raises `RunError` without its weights."""
    from fercore.models.inference import for_inference, predict_probs
    from fercore.models.precision import REFERENCE

    network = for_inference(_trained(store, request.run_id).load_model())
    probs = predict_probs(network, tests.images, precision=REFERENCE)
    return halved(probs) if variant_of(request) in whole else thinned(probs)


def _images(faces: FaceSet) -> pd.DataFrame:
    """What a study keeps of the images of PrivateTest."""
    count = int((faces.usage != "Training").sum())
    frame = prediction_frame(faces, np.zeros((count, len(CLASSES)), np.float32))
    chosen = frame[frame["usage"] == "PrivateTest"].drop(columns=PROBABILITY_COLUMNS)
    return chosen.reset_index(drop=True)


def _trained(store: StudyStore, run_id: str) -> Run:
    """The run whose results the study has. Raises `RunError` where its weights are not here."""
    folder = store.run_folder(run_id)
    weights, wanted = folder / WEIGHTS, store.info(run_id)["files"]
    if not weights.is_file():
        raise RunError(
            f"{run_id}: its weights are not here ({weights}). Bring them, or delete "
            f"{store.folder / 'cells' / run_id} and run the study again: it is trained anew."
        )
    with weights.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != wanted[weights.name]:
            raise RunError(f"{run_id}: {weights} is not what its training wrote.")
    return read_run(folder)
