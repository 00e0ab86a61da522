"""FER+ votes: what ten taggers each saw in every FER2013 image (Barsoum et al., 2016).

The file is `fer2013new.csv` of github.com/microsoft/FERPlus: a line per line of `fer2013.csv`.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data import SYNTHETIC, find_source
from fercore.errors import DataError
from fercore.labels import FER2013_COUNTS

# The first seven stand for `CLASSES`, in that order.
CATEGORIES = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
    "contempt", "unknown", "NF",
)  # fmt: skip
NOT_A_FACE = CATEGORIES.index("NF")
FILE_NAME = "fer2013new.csv"
HINT = (
    "The FER+ votes are not on this machine. Put `fer2013new.csv` (github.com/microsoft/FERPlus) "
    "beside the dataset, or give its path in `FERCORE_FERPLUS`."
)
Whole = NDArray[np.int64]
_USAGE = np.repeat(list(FER2013_COUNTS), [sum(counts) for counts in FER2013_COUNTS.values()])


@dataclass(frozen=True)
class Votes:
    """counts: int64 (N, 10), votes by FER2013 row and category, in the order of `CATEGORIES`.

    In the methods, `labels` int (M,) are indices into `CLASSES`, `rows` int (M,) FER2013 rows.
    """

    counts: NDArray[np.int64]

    @cached_property
    def fingerprint(self) -> str:
        """A hash over the counts."""
        return hashlib.sha256(np.ascontiguousarray(self.counts).data).hexdigest()[:16]

    def agreement_with(self, labels: Whole, rows: Whole) -> NDArray[np.bool_]:
        """Whether no category got more votes than the label (M,): it is the plurality, or shares
        it. A tie that holds the label agrees with it, whatever else it holds.
        """
        votes = self.counts[rows]
        return np.asarray(votes[np.arange(len(votes)), labels] == votes.max(1))

    def majority_for(self, labels: Whole, rows: Whole) -> NDArray[np.bool_]:
        """Whether the label got more than half of the votes (M,)."""
        votes = self.counts[rows]
        return np.asarray(2 * votes[np.arange(len(votes)), labels] > votes.sum(1))

    def share_of(self, labels: Whole, rows: Whole) -> NDArray[np.float64]:
        """Share of the votes that the label got (M,), from 0 to 1."""
        return np.asarray(self.counts[rows, labels] / np.maximum(self.counts[rows].sum(1), 1))

    def not_a_face(self, rows: Whole) -> NDArray[np.bool_]:
        """Whether 'no face' got more votes than any other category (M,)."""
        others = np.delete(self.counts[rows], NOT_A_FACE, axis=1)
        return np.asarray(self.counts[rows, NOT_A_FACE] > others.max(1))


def votes_path(sources: Iterable[str | Path] | None = None) -> Path | None:
    """Where the votes are: FERCORE_FERPLUS, else beside the first of `sources` that has them.

    Without `sources` it is the dataset that `find_source` finds. None if nowhere.
    """
    if given := os.environ.get("FERCORE_FERPLUS"):
        return Path(given)
    for source in map(Path, [find_source() or SYNTHETIC] if sources is None else sources):
        folder = source if source.is_dir() else source.parent
        if str(source) != SYNTHETIC and (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def load_votes(path: str | Path | None = None) -> Votes | None:
    """The votes in `path`, else where `votes_path` finds them; None where there are none.

    Raises `DataError` where the file cannot be read, or is not FER+'s table of FER2013.
    """
    path = Path(path) if path else votes_path()
    return None if path is None else Votes(_read(path))


def votes_for(
    rows: NDArray[np.int64], usage: NDArray[np.str_], sources: Iterable[str | Path] | None = None
) -> Votes | None:
    """The votes, where these images' rows (M,) are those of `fer2013.csv`, else None.

    A folder tree holds the same images in another order: there its `usage` (M,) differ by row.
    `sources` are as in `votes_path`.
    """
    path = votes_path(sources) if of_fer2013(rows, usage) else None
    return None if path is None else load_votes(path)


def of_fer2013(rows: NDArray[np.int64], usage: NDArray[np.str_]) -> bool:
    """Whether rows (M,) of those usages (M,) may be `fer2013.csv`'s."""
    rows = np.asarray(rows)
    fit = len(rows) > 0 and rows.max() < len(_USAGE) and (_USAGE[rows] == np.asarray(usage)).all()
    return bool(fit)


def _read(path: Path) -> NDArray[np.int64]:
    try:
        table = pd.read_csv(path, skipinitialspace=True)
    except OSError as error:
        raise DataError(f"{path}: it cannot be read ({error.strerror or error}).") from error
    except ValueError as error:  # pandas' parser errors and undecodable bytes
        raise DataError(f"{path}: this is not a text file with comma-separated values.") from error
    missing = [name for name in ("Usage", *CATEGORIES) if name not in table.columns]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(map(repr, missing))}. Give FER+'s {FILE_NAME}."
        )
    if len(table) != len(_USAGE):
        raise DataError(
            f"{path}: {len(table)} rows, where FER2013 has {len(_USAGE)}. Download it again."
        )
    if (table["Usage"].to_numpy() != _USAGE).any():
        raise DataError(f"{path}: its rows are not in FER2013's order. Download it again.")
    counts = table[list(CATEGORIES)]
    if any(kind.kind not in "iu" for kind in counts.dtypes) or counts.to_numpy().min() < 0:
        raise DataError(f"{path}: a vote is not a whole number from 0 up. Download it again.")
    return counts.to_numpy(np.int64)
