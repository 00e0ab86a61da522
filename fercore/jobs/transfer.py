"""Beginning with another run's weights, and what it changed: on the new faces and on the old.

Beside its own predictions such a run keeps two tables of the same form: `before.parquet`, what the
run it started from says on the new faces, and `origin-before.parquet` and `origin-after.parquet`,
what both say on the test images of the run it started from, where these are others; `after` is of
those that are on this machine.
"""

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data import FaceSet
from fercore.errors import FerError, RunError
from fercore.files import write_parquet
from fercore.jobs.request import START
from fercore.runs.artifacts import Run
from fercore.runs.listing import find_run
from fercore.runs.origin import faces_of
from fercore.scoring.evaluation import compare
from fercore.scoring.predictions import (
    PARTS,
    PROBABILITY_COLUMNS,
    prediction_frame,
    read_frame,
    select_part,
)

if TYPE_CHECKING:
    from fercore.models.network import Network

BEFORE = "before.parquet"
ORIGIN_BEFORE, ORIGIN_AFTER = "origin-before.parquet", "origin-after.parquet"


def write_tables(
    base_id: str, folder: Path, model: "Network", faces: FaceSet
) -> dict[str, str | None]:
    """Score the weights that `model` started from on `faces`, and `model` where they came from.

    Returns the start's `run_id` and `dataset`, for the run's record.
    """
    from fercore.models.inference import predict_probs
    from fercore.models.precision import REFERENCE
    from fercore.models.weights import read_weights

    start = deepcopy(model)
    start.load_state_dict(read_weights(folder / START))
    scored = faces.where(faces.usage != "Training")
    probs = predict_probs(start, scored.images, precision=REFERENCE)
    write_parquet(folder / BEFORE, prediction_frame(faces, probs))
    try:
        base = find_run(base_id)
    except RunError:  # deleted since; its weights were kept in the folder, its predictions not
        return {"run_id": base_id, "dataset": None}
    same = base.info["dataset"]["fingerprint"] == faces.fingerprint  # then `before` says it all
    here = None if same else _test_images(base)
    if here:
        found, images = here
        write_parquet(folder / ORIGIN_BEFORE, base.prediction_frame)
        table = base.prediction_frame.loc[found].copy()
        table[PROBABILITY_COLUMNS] = predict_probs(model, images, precision=REFERENCE)
        write_parquet(folder / ORIGIN_AFTER, table)
    return {"run_id": base_id, "dataset": base.dataset}


def before_and_after(run: Run) -> pd.DataFrame:
    """What the start's weights and the run's own get right, on the same images.

    One row per dataset and part: dataset, part, n, of (how many images there are, of which n were
    here), before, after, difference (accuracies from 0 to 1, the difference with its paired 95 %
    bootstrap interval) and p_value (exact McNemar). Empty for a run that began with
    fresh weights. Raises `RunError` for a damaged table.
    """
    rows: list[dict[str, object]] = []
    if (run.folder / BEFORE).exists():
        before = run.read(BEFORE, read_frame)
        rows += _rows(run.dataset, before, run.prediction_frame)
    start = run.info.get("start_from")
    if start and (run.folder / ORIGIN_AFTER).exists():
        old, new = (run.read(name, read_frame) for name in (ORIGIN_BEFORE, ORIGIN_AFTER))
        rows += _rows(start["dataset"], old, new)
    return pd.DataFrame(rows)


def _rows(
    dataset: str | None, before: pd.DataFrame, after: pd.DataFrame
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for part in ("private", "public"):
        old, new = select_part(before, part), select_part(after, part)
        if not len(new):
            continue
        every, old = len(old), old.where(np.isin(old.rows, new.rows))
        result = compare(new, old)  # A is after, B before
        rows.append(
            {
                "dataset": dataset,
                "part": PARTS[part],
                "n": result.n,
                "of": every,
                "before": result.accuracy_b,
                "after": result.accuracy_a,
                "difference": result.difference,
                "difference_low": result.interval.low,
                "difference_high": result.interval.high,
                "p_value": result.p_value,
            }
        )
    return rows


def _test_images(base: Run) -> tuple[NDArray[np.bool_], NDArray[np.uint8]] | None:
    """Which lines of the base's predictions have their image here, and these; None without any."""
    try:
        faces = faces_of(base)
    except FerError:
        return None
    place = faces.positions(base.prediction_frame["pixels"].to_numpy())
    return place >= 0, np.asarray(faces.images[place[place >= 0]])
