"""FER+ votes: what ten taggers each saw in every FER2013 image (Barsoum et al., 2016).

They are numbers under the MIT license, and lie in `ferplus/` with their notice: a line for each
line of `fer2013.csv`.
"""

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.labels import CLASSES, FER2013_COUNTS

# The first seven stand for `CLASSES`, in that order.
CATEGORIES = (
    "anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral",
    "contempt", "unknown", "NF",
)  # fmt: skip
NOT_A_FACE = CATEGORIES.index("NF")
TABLE = Path(__file__).parent / "ferplus" / "votes.parquet"
OTHER_ROWS = (
    "FER+'s votes are known by the rows of the original fer2013.csv, and this copy of FER2013 has "
    "others: give that file."
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

    def labels_of(self, rows: Whole, *, agreed: bool = False) -> Whole:
        """The class with most of an image's votes (M,), its plurality; -1 where there is none.

        There is none where two categories have most votes, or one beyond the seven. agreed: only
        where more than half of the votes are for it.
        """
        counts = self.counts[rows]
        most = counts.max(1)
        alone = (counts == most[:, None]).sum(1) == 1
        if agreed:
            alone &= 2 * most > counts.sum(1)
        label = counts.argmax(1)
        return np.where(alone & (label < len(CLASSES)), label, -1)

    def shares(self, rows: Whole) -> NDArray[np.float64]:
        """How the votes for the seven classes are spread (M, 7); NaN where there is none."""
        counts = self.counts[rows][:, : len(CLASSES)].astype(float)
        total = counts.sum(1, keepdims=True)
        return np.asarray(np.where(total > 0, counts / np.maximum(total, 1), np.nan))

    def not_a_face(self, rows: Whole) -> NDArray[np.bool_]:
        """Whether 'no face' got more votes than any other category (M,)."""
        others = np.delete(self.counts[rows], NOT_A_FACE, axis=1)
        return np.asarray(self.counts[rows, NOT_A_FACE] > others.max(1))


@cache
def load_votes() -> Votes:
    """The votes on every image of FER2013, in the order of `fer2013.csv`."""
    return Votes(pd.read_parquet(TABLE)[list(CATEGORIES)].to_numpy(np.int64))


def votes_for(dataset: str, rows: Whole, usage: NDArray[np.str_]) -> Votes | None:
    """The votes, where a dataset of that name has the rows (M,) of `fer2013.csv`, else None.

    A folder tree holds the same images in another order: there its `usage` (M,) differ by row.
    """
    return load_votes() if dataset == "FER2013" and of_fer2013(rows, usage) else None


def of_fer2013(rows: Whole, usage: NDArray[np.str_]) -> bool:
    """Whether rows (M,) of those usages (M,) may be `fer2013.csv`'s."""
    rows = np.asarray(rows)
    fit = len(rows) > 0 and rows.max() < len(_USAGE) and (_USAGE[rows] == np.asarray(usage)).all()
    return bool(fit)
