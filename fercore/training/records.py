"""What a training tells those who watch it, and how they tell it to stop. Needs no torch."""

from collections.abc import Callable
from dataclasses import dataclass

from fercore.errors import TrainingError

CHECKPOINT_SECONDS = 60.0  # between two checkpoints at most, but for validation


@dataclass(frozen=True)
class Progress:
    """Where a training stands. Losses and accuracies are of the epoch so far."""

    epoch: int  # from 1
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    images_per_second: float
    seconds_left: float

    @property
    def share(self) -> float:
        """Of the epoch, from 0 to 1."""
        return self.step / self.steps


@dataclass(frozen=True)
class EpochRecord:
    """One line of history.jsonl. None where the recipe does not validate the epoch."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class Fit:
    """What a training has come to."""

    history: list[EpochRecord]

    @property
    def best_epoch(self) -> int:
        """The epoch with the highest PublicTest accuracy, the first of equals.

        The last one where PublicTest was asked about none, 0 before any is done.
        """
        accuracies = self._validated
        return max(accuracies, key=accuracies.__getitem__, default=len(self.history))

    @property
    def chosen(self) -> bool:
        """Whether PublicTest chose the best epoch."""
        return bool(self._validated)

    @property
    def _validated(self) -> dict[int, float]:
        """PublicTest accuracy by epoch."""
        return {
            record.epoch: record.val_accuracy
            for record in self.history
            if record.val_accuracy is not None
        }


@dataclass(frozen=True)
class Partial:
    """An epoch that has been begun: sums over its first steps."""

    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    seconds: float = 0.0

    def plus(self, loss: float, correct: int, count: int, seconds: float) -> "Partial":
        return Partial(
            self.step + 1,
            self.loss_sum + loss * count,
            self.correct + correct,
            self.seen + count,
            seconds,
        )


class Interrupted(TrainingError):
    """The user asked to stop. Nothing that was trained is lost."""


@dataclass(frozen=True)
class Watcher:
    """What the caller wants to hear, and how it says stop."""

    on_step: Callable[[Progress], None] = lambda progress: None
    on_epoch: Callable[[list[EpochRecord]], None] = lambda history: None
    on_wait: Callable[[int], None] = lambda ahead: None  # trainings before this one's turn
    stop_requested: Callable[[], bool] = lambda: False
