"""What one training adds to a study: its `run.json`, and its answers on the study's images."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.files import read_json
from fercore.models import MODELS
from fercore.runs.info import RUN, TRAINED
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from fercore.shapes import misfit, moment, one_of, optional, text

_CELL = {
    "variant": text, "model": one_of(*MODELS), "scored?": [{"at": moment}],
    "answered?": {"at": moment},
    "git_commit?": optional(text),
}  # fmt: skip


@lru_cache(maxsize=2000)
def read_info(path: Path, _stamp: str) -> dict[str, Any]:
    """A cell's `run.json`, shared by all who ask: it is not to be changed.

    Raises `ValueError` where it is odd, `OSError` where it is not there.
    """
    info: dict[str, Any] = read_json(path)
    if problem := misfit(info, RUN | TRAINED | _CELL):
        raise ValueError(problem)
    if info["run_id"] != path.parent.name:
        raise ValueError("it is another training's")
    return info


def now_by(commit: str | None) -> dict[str, str | None]:
    """What `run.json` says of a moment at which PrivateTest was asked about, and of the code."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "git_commit": commit}


def probs_on(images: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """A run's probabilities on the images, found by their pixels; NaN where it gave none.

    answers: its table of predictions.
    """
    keys = ["usage", "pixels"]
    theirs = answers.drop_duplicates(keys).set_index(keys)[PROBABILITY_COLUMNS]
    return theirs.reindex(pd.MultiIndex.from_frame(images[keys])).reset_index(drop=True)


def mostly(found: NDArray[np.bool_]) -> bool:
    """Whether two copies of FER2013 that share these images may be taken together.

    The original and what was rebuilt of it differ in one in a hundred; an edition with other pixels
    shares an empty image or two.
    """
    return bool(found.mean() > 0.5)
