"""What the seeds of a group say of the same images. Without torch."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fercore.errors import RunError
from fercore.scoring.predictions import Predictions


@dataclass(frozen=True)
class GroupPredictions:
    """A table of predictions for each seed, all on the same images with the same labels.

    rows, pixels, labels: int64 (N,), as in `Predictions`. probs: float32 (S, N, 7). names: of the
    S runs. left_out: a sentence for each run of the group that is not among them.
    """

    rows: NDArray[np.int64]
    pixels: NDArray[np.int64]
    labels: NDArray[np.int64]
    probs: NDArray[np.float32]
    names: tuple[str, ...] = ("",)
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.labels)

    @property
    def seeds(self) -> int:
        """How many seeds there are, one at least."""
        return len(self.probs)

    @property
    def single(self) -> Predictions | None:
        """The one table, where there is one seed."""
        return self.tables[0] if self.seeds == 1 else None

    @cached_property
    def tables(self) -> tuple[Predictions, ...]:
        """Each seed's own table."""
        return tuple(Predictions(self.rows, self.pixels, self.labels, own) for own in self.probs)

    @cached_property
    def labels_only(self) -> bool:
        """Whether a seed says labels alone: how sure the group is is then not known."""
        return any(table.labels_only for table in self.tables)

    @property
    def mean(self) -> Predictions:
        """The table of the mean probabilities over seeds: what their ensemble says."""
        probs: NDArray[np.float32] = self.probs.mean(0)
        return Predictions(self.rows, self.pixels, self.labels, probs)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class (S, N)."""
        return np.asarray(self.probs.argmax(2))

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """The probability of the predicted class (S, N)."""
        return np.asarray(self.probs.max(2))

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether it is the label (S, N)."""
        return np.asarray(self.predicted == self.labels)

    @cached_property
    def wrong_share(self) -> NDArray[np.float64]:
        """Of the seeds, the share that are wrong (N,), from 0 to 1."""
        return np.asarray(1 - self.correct.mean(0))

    def where(self, keep: NDArray[np.bool_]) -> "GroupPredictions":
        """The images for which `keep`, bool (N,), holds."""
        return GroupPredictions(
            self.rows[keep], self.pixels[keep], self.labels[keep], self.probs[:, keep],
            self.names, self.left_out,
        )  # fmt: skip

    def same_images(self, other: "GroupPredictions") -> bool:
        """Whether the other group is about the same images with the same labels, in order."""
        return self.tables[0].same_images(other.tables[0])


def grouped(
    tables: Sequence[Predictions], names: Sequence[str] = (), left_out: Sequence[str] = ()
) -> GroupPredictions:
    """Tables of several seeds as one, without those on other images than most of them.

    Raises `RunError` where there is none.
    """
    names = list(names) or [f"table {number}" for number in range(len(tables))]
    if not tables:
        raise RunError(left_out[0] if left_out else "There is no table of predictions.")
    kinds = [_images(table) for table in tables]
    (most, _), *_ = Counter(kinds).most_common(1)
    odd = [name for name, kind in zip(names, kinds, strict=True) if kind != most]
    chosen = [table for table, kind in zip(tables, kinds, strict=True) if kind == most]
    first = chosen[0]
    return GroupPredictions(
        first.rows, first.pixels, first.labels, np.stack([table.probs for table in chosen]),
        tuple(name for name in names if name not in odd),
        (*left_out, *(f"{name} was scored on other images than the others." for name in odd)),
    )  # fmt: skip


def _images(table: Predictions) -> tuple[bytes, ...]:
    return table.rows.tobytes(), table.pixels.tobytes(), table.labels.tobytes()
