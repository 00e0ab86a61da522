"""The training loop: fit on Training, choose the epoch on PublicTest.

PrivateTest is not an argument of anything here, so nothing can be chosen on it.
"""

import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam

from fercore.data.faceset import FaceSet
from fercore.errors import DataError, TrainingError
from fercore.inference import predict_logits
from fercore.precision import Precision
from fercore.recipes import Recipe
from fercore.training.augment import affine_maps, warp
from fercore.training.checkpoint import load_checkpoint, save_checkpoint
from fercore.training.parallel import Group


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
    """One line of history.jsonl."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float


class Interrupted(TrainingError):
    """The user asked to stop. The last epoch's checkpoint is in place."""


@dataclass(frozen=True)
class Watcher:
    """What the caller wants to hear, and how it says stop."""

    on_step: Callable[[Progress], None] = lambda progress: None
    on_epoch: Callable[[list[EpochRecord]], None] = lambda history: None
    stop_requested: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Fit:
    history: list[EpochRecord]
    best_epoch: int


def fit(
    model: nn.Module,
    training: FaceSet,
    validation: FaceSet,
    recipe: Recipe,
    *,
    seed: int,
    precision: Precision,
    identity: dict[str, Any],
    checkpoint: Path,
    watcher: Watcher = Watcher(),
    group: Group | None = None,
) -> Fit:
    """Train `model` in place; it ends with the weights of the best PublicTest epoch.

    Under torchrun every process of the `group` calls it with the same arguments, and the leader
    alone reads and writes the checkpoint and hears from the watcher.

    Where `checkpoint` exists the training goes on from it, else from the model's weights, and
    `identity` must be the one it was saved with. Raises `Interrupted` when the watcher says stop,
    `TrainingError` when the loss is no longer finite, `DataError` when a part has no images.
    """
    if not len(training) or not len(validation):
        part = "training" if not len(training) else "validation"
        raise DataError(
            f"{training.source}: there are no {part} images. Training needs a 'train' and a 'val' "
            "folder (FER2013's Training and PublicTest)."
        )
    group = group or Group()
    watcher = watcher if group.leads else Watcher()
    trainer = _Trainer(model, training, validation, recipe, seed, precision, watcher, group)
    begun = group.leads and checkpoint.exists()
    state = group.from_leader(load_checkpoint(checkpoint, identity) if begun else None)
    if state:
        trainer.restore(state)
    while not trainer.finished():
        trainer.run_epoch()
        if group.leads:
            save_checkpoint(checkpoint, trainer.state() | {"identity": identity})
        watcher.on_epoch(trainer.history)
    model.load_state_dict(trainer.best_weights)
    return Fit(trainer.history, trainer.best_epoch)


class _Trainer:
    def __init__(
        self, model, training, validation, recipe, seed, precision, watcher, group
    ) -> None:
        self.model = model.to(precision.device, memory_format=torch.channels_last)
        self.group, self.replica = group, group.replicate(self.model)
        self.images, self.labels = _tensors(training, precision.device)
        self.validation = validation
        self.recipe, self.seed, self.precision, self.watcher = recipe, seed, precision, watcher
        self.optimizer = Adam(
            self.model.parameters(),
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.history: list[EpochRecord] = []
        self.best_weights = deepcopy(model.state_dict())

    @property
    def best_epoch(self) -> int:
        """The epoch with the highest PublicTest accuracy, the first of equals; 0 before any."""
        return (
            max(self.history, key=lambda record: record.val_accuracy).epoch if self.history else 0
        )

    def finished(self) -> bool:
        return len(self.history) >= self.recipe.epochs

    def learning_rate(self, epochs_done: float) -> float:
        """A straight line up to the recipe's rate, then half a cosine down to zero."""
        share, warm_up = epochs_done / self.recipe.epochs, self.recipe.warm_up
        if share < warm_up:
            return self.recipe.learning_rate * share / warm_up
        falling = (share - warm_up) / (1 - warm_up)
        return self.recipe.learning_rate * (1 + math.cos(math.pi * falling)) / 2

    def run_epoch(self) -> None:
        epoch = len(self.history) + 1
        started = time.perf_counter()
        loss, accuracy = self._train(epoch, started)
        trained = time.perf_counter()
        val_loss, val_accuracy = self._validate()
        record = EpochRecord(
            epoch=epoch,
            train_loss=loss,
            train_accuracy=accuracy,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=self.learning_rate(epoch - 0.5),
            seconds=time.perf_counter() - started,
            images_per_second=len(self.labels) / (trained - started),
        )
        self.history.append(record)
        if self.best_epoch == epoch:
            self.best_weights = deepcopy(self.model.state_dict())

    def _train(self, epoch: int, started: float) -> tuple[float, float]:
        """One pass over the shuffled training images; mean loss and accuracy under augmentation."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        torch.manual_seed(self.seed * 100_003 + epoch)  # dropout
        batches = torch.randperm(len(self.labels), generator=generator).split(
            self.recipe.batch_size
        )
        self.model.train()
        loss_sum, correct, seen = 0.0, 0, 0
        for step, batch in enumerate(batches, start=1):
            if self.group.any(self.watcher.stop_requested(), self.precision.device):
                raise Interrupted("The training was stopped; its last epoch is saved.")
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate(epoch - 1 + step / len(batches))
            maps = affine_maps(len(batch), self.recipe.augmentation, generator)
            mine = self.group.divide(len(batch))
            loss, hits = self._step(
                warp(self.images[batch[mine]], maps[mine]), self.labels[batch[mine]]
            )
            loss_sum += loss * len(batch)
            correct += hits
            seen += len(batch)
            rate = seen / (time.perf_counter() - started)
            left = ((self.recipe.epochs - epoch + 1) * len(self.labels) - seen) / rate
            self.watcher.on_step(
                Progress(
                    epoch,
                    self.recipe.epochs,
                    step,
                    len(batches),
                    loss_sum / seen,
                    correct / seen,
                    rate,
                    left,
                )
            )
        return loss_sum / seen, correct / seen

    def _step(self, images: Tensor, labels: Tensor) -> tuple[float, int]:
        """One step on this process's share of the batch; the whole batch's mean loss and hits."""
        with self.precision.autocast():
            logits = self.replica(images.contiguous(memory_format=torch.channels_last))
            total = cross_entropy(
                logits, labels, label_smoothing=self.recipe.label_smoothing, reduction="sum"
            )
        loss = total / self.group.batch
        hits = (logits.argmax(1) == labels).sum()
        sums = self.group.total(torch.stack([loss.detach(), hits.to(loss.dtype)]))
        value, correct = sums.tolist()
        if not math.isfinite(value):
            raise TrainingError(
                "The loss is no longer a finite number. Lower the recipe's learning rate; "
                "the last epoch's checkpoint is kept."
            )
        self.optimizer.zero_grad(set_to_none=True)
        (loss * self.group.size).backward()  # the replicas' gradients are averaged
        self.optimizer.step()
        return value, round(correct)

    def _validate(self) -> tuple[float, float]:
        mine = self.group.divide(len(self.validation))
        images = self.validation.images[mine]
        logits = self.group.gather(predict_logits(self.model, images, precision=self.precision))
        labels = torch.from_numpy(self.validation.labels)
        loss = cross_entropy(logits, labels).item()
        return loss, (logits.argmax(1) == labels).double().mean().item()

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "best": self.best_weights,
            "optimizer": self.optimizer.state_dict(),
            "history": [asdict(record) for record in self.history],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.best_weights = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [EpochRecord(**record) for record in state["history"]]


def _tensors(faces: FaceSet, device: str) -> tuple[Tensor, Tensor]:
    images = torch.tensor(faces.images, device=device).unsqueeze(1)  # (N, 1, 48, 48) uint8
    return images, torch.tensor(faces.labels, device=device)
