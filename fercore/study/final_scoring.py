"""PrivateTest in one pass: scored when every declared training of a study is finished, not before.

What is scored already is not scored again, so a pass that was broken off goes on where it was.
"""

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data import FaceSet
from fercore.errors import RunError
from fercore.jobs.request import Request
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.runs.commit import git_commit
from fercore.runs.listing import read_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS, prediction_frame
from fercore.study.runner import check_cells, variant_of
from fercore.study.store import StudyStore
from fercore.study.thinning import halved, thinned
from fercore.training.records import Interrupted

_NAMED = 3  # trainings that a sentence names


def check_finished(tables: list[tuple[StudyStore, list[Request]]]) -> None:
    """Raise `RunError` where a declared training is missing, or the weights to score one by."""
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
        for request in _unscored(store, requests):
            _trained(store, request.run_id)


def _unscored(store: StudyStore, requests: list[Request]) -> list[Request]:
    scored = store.scored()
    return [request for request in requests if request.run_id not in scored]


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
    waiting = _unscored(store, requests)
    scored: list[str] = []
    try:
        with store.scoring():
            for request in waiting:
                if stop_requested():
                    raise Interrupted("The scoring was stopped.")
                run = _trained(store, request.run_id)
                if run.info["dataset"]["fingerprint"] != faces.fingerprint:
                    raise RunError(f"{run.run_id} was trained beside other images than these.")
                store.begin_scoring(run.run_id, commit=commit)
                probs = _answers(run, tests)
                kept = halved(probs) if variant_of(request) in whole else thinned(probs)
                store.add_scores(run.run_id, images, kept)
                scored.append(run.run_id)
                on_progress(len(scored), len(waiting))
    finally:
        if not _told(store):
            store.write_table()
    return scored


def _told(store: StudyStore) -> bool:
    """Whether the table has every training's score; a pass that was killed wrote none."""
    table = store.table()
    return "private_accuracy" in table and bool(table["private_accuracy"].notna().all())


def _answers(run: Run, tests: FaceSet) -> NDArray[np.float32]:
    from fercore.models.inference import for_inference, predict_probs
    from fercore.models.precision import REFERENCE

    return predict_probs(for_inference(run.load_model()), tests.images, precision=REFERENCE)


def _images(faces: FaceSet) -> pd.DataFrame:
    """What a study keeps of the images of PrivateTest."""
    count = int((faces.usage != "Training").sum())
    frame = prediction_frame(faces, np.zeros((count, len(CLASSES)), np.float32))
    chosen = frame[frame["usage"] == "PrivateTest"].drop(columns=PROBABILITY_COLUMNS)
    return chosen.reset_index(drop=True)


def _trained(store: StudyStore, run_id: str) -> Run:
    """The run whose results the study has. Raises `RunError` where its weights are not here."""
    folder = store.run_folder(run_id)
    weights, wanted = folder / "weights.safetensors", store.info(run_id)["files"]
    if not weights.is_file():
        raise RunError(f"{run_id}: its weights are not here ({weights}).")
    with weights.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != wanted[weights.name]:
            raise RunError(f"{run_id}: {weights} is not what its training wrote.")
    return read_run(folder)
