"""The training loop: fit on Training, choose the epoch on PublicTest.

PrivateTest is not an argument of anything here, so nothing can be chosen on it.

Under torchrun every process of the group does the same with the same arguments; the leader alone
reads and writes the checkpoint, and hears from the watcher. Each is asked whether to stop, and all
stop at the same step.
"""

import math
import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from fercore.data.faceset import FaceSet
from fercore.errors import DataError, TrainingError
from fercore.models.inference import predict_logits
from fercore.models.network import Network
from fercore.models.precision import Precision
from fercore.training.averaging import averaged
from fercore.training.batches import Batch, Batches, mixed_targets
from fercore.training.checkpoint import Checkpoints
from fercore.training.optimizer import learning_rate, optimizer, set_rate
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import Recipe
from fercore.training.records import EpochRecord, Fit, Interrupted, Partial, Progress, Watcher
from fercore.training.teacher import Teacher, share_of_work

_NOT_FINITE = "The {}. Start again with a lower learning rate, or keep the epochs before."


def fit(
    model: Network,
    training: FaceSet,
    validation: FaceSet,
    recipe: Recipe,
    *,
    seed: int,
    precision: Precision,
    checkpoints: Checkpoints,
    watcher: Watcher = Watcher(),
    targets: NDArray[np.float32] | None = None,
    teachers: Sequence[Network] = (),
    group: ProcessGroup | None = None,
    keep_best: bool = False,
) -> Fit:
    """Train `model` in place; it ends with the weights of the best PublicTest epoch.

    targets: probabilities (N, 7) that stand in the place of the training labels; accuracy is still
    of those. The `teachers` answer for the recipe's share of labels or targets.

    Where there is a checkpoint the training goes on from it, else from the model's weights. One is
    saved every epoch, whenever it is due, and when the watcher says stop. With `keep_best` the
    epochs that are done are enough. Raises `Interrupted` when the watcher says stop,
    `TrainingError` when the loss or the weights are no longer finite, `DataError` when a part has
    no images.
    """
    _check_images(training, validation)
    group = group or ProcessGroup()
    teacher = Teacher(teachers, recipe, len(training), precision) if teachers else None
    batches = Batches(training, recipe, targets, seed=seed, device=precision.device, group=group)
    trainer = _Trainer(
        model, batches, validation, recipe, seed, precision, checkpoints, watcher, group, teacher
    )
    trainer.go_on()
    while not trainer.finished() and not keep_best:
        trainer.run_epoch()
    return trainer.with_best_weights()


def _check_images(training: FaceSet, validation: FaceSet) -> None:
    for part, faces in (("training", training), ("validation", validation)):
        if not len(faces):
            raise DataError(
                f"{faces.source}: there are no {part} images. Training needs a 'train' and a 'val' "
                "folder (FER2013's Training and PublicTest)."
            )


@dataclass
class _Trainer:
    """A training between two steps: what it learns with, and what it has come to."""

    model: Network
    batches: Batches
    validation: FaceSet
    recipe: Recipe
    seed: int
    precision: Precision
    checkpoints: Checkpoints
    watcher: Watcher
    group: ProcessGroup
    teacher: Teacher | None

    def __post_init__(self) -> None:
        if not self.group.leads:
            self.watcher = Watcher(stop_requested=self.watcher.stop_requested)
        # torch's stub of `to` lacks memory_format.
        self.model.to(  # type: ignore[call-overload]
            self.precision.device, memory_format=torch.channels_last
        )
        self.model.trunk.requires_grad_(not self.recipe.frozen)
        self.replica = self.group.replicate(self.model)
        self.optimizer = optimizer(self.model, self.recipe)
        self.mean = averaged(self.model, self.recipe) if self.recipe.averaged else None
        self.history: list[EpochRecord] = []
        self.best_weights = deepcopy(self.model.state_dict())
        self.partial = Partial()
        self.random: dict[str, Tensor] = {}  # dropout's state after the partial epoch's steps
        taught = share_of_work(self.teacher.models if self.teacher else (), self.model)
        epochs = range(1, self.recipe.epochs + 1)
        self.costs = [self.recipe.cost(epoch, teacher=taught) for epoch in epochs]

    def go_on(self) -> None:
        """From the checkpoint, where there is one."""
        if state := self.group.from_leader(self.checkpoints.load() if self.group.leads else None):
            self._restore(state)

    def with_best_weights(self) -> Fit:
        """The end: the model has the best epoch's weights, and can learn again."""
        if not self.history:
            raise TrainingError("No epoch has been finished, so there are no weights to keep.")
        self.model.load_state_dict(self.best_weights)
        self.model.requires_grad_(True)
        return Fit(self.history)

    def finished(self) -> bool:
        return len(self.history) >= self.recipe.epochs

    def run_epoch(self) -> None:
        epoch = len(self.history) + 1
        self._train(epoch)
        started = time.perf_counter()
        validates = self.recipe.validates(epoch)
        val_loss, val_accuracy = self._validate() if validates else (None, None)
        done = self.partial
        record = EpochRecord(
            epoch=epoch,
            train_loss=done.loss_sum / done.seen,
            train_accuracy=done.correct / done.seen,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=learning_rate(self.recipe, epoch - 0.5),
            seconds=done.seconds + time.perf_counter() - started,
            images_per_second=done.seen / done.seconds,
        )
        self.history.append(record)
        if Fit(self.history).best_epoch == epoch:
            self.best_weights = deepcopy(self._shown().state_dict())
        self.partial, self.random = Partial(), {}
        self._checkpoint()
        self.watcher.on_epoch(self.history)

    def _train(self, epoch: int) -> None:
        """One pass over the shuffled training images, or what is left of it."""
        steps = len(self.batches)
        started = time.perf_counter() - self.partial.seconds
        self.model.train()
        self.model.trunk.train(not self.recipe.frozen)
        averages = self.recipe.averages(epoch)
        torch.manual_seed(self.seed * 100_003 + epoch)  # dropout
        if self.partial.step:
            self._restore_random()
        for batch in self.batches.of(epoch, done=self.partial.step):
            if self.group.any(self.watcher.stop_requested(), self.precision.device):
                self._checkpoint()
                raise Interrupted("The training was stopped; what it has done is saved.")
            done = epoch - 1 + (self.partial.step + 1) / steps
            set_rate(self.optimizer, learning_rate(self.recipe, done))
            loss, hits = self._step(batch)
            if self.mean and averages:
                self.mean.update_parameters(self.model)
            seconds = time.perf_counter() - started
            self.partial = self.partial.plus(loss, hits, batch.size, seconds)
            self.watcher.on_step(self._progress(epoch, steps))
            if self.checkpoints.due:
                self._checkpoint()

    def _progress(self, epoch: int, steps: int) -> Progress:
        at, epochs = self.partial, self.recipe.epochs
        rate = at.seen / at.seconds
        later = sum(self.costs[epoch:]) / self.costs[epoch - 1]
        left = ((1 + later) * len(self.batches.labels) - at.seen) / rate
        loss, accuracy = at.loss_sum / at.seen, at.correct / at.seen
        return Progress(epoch, epochs, at.step, steps, loss, accuracy, rate, left)

    def _step(self, batch: Batch) -> tuple[float, int]:
        """One step on this process's share of the batch; the whole batch's mean loss and hits."""
        self.group.divide(batch.size)
        targets = self._targets(batch)
        with self.precision.autocast():
            logits = self.replica(batch.images.contiguous(memory_format=torch.channels_last))
            total = cross_entropy(
                logits, targets, label_smoothing=self.recipe.label_smoothing, reduction="sum"
            )
        loss = total / self.group.batch
        hits = (logits.argmax(1) == batch.labels).sum()
        sums = self.group.total(torch.stack([loss.detach(), hits.to(loss.dtype)]))
        value, correct = sums.tolist()
        if not math.isfinite(value):
            raise TrainingError(_NOT_FINITE.format("loss is no longer a finite number"))
        self.model.zero_grad(set_to_none=True)
        torch.autograd.backward(loss * self.group.size)  # the replicas' gradients are averaged
        self.optimizer.step()
        return value, round(correct)

    def _targets(self, batch: Batch) -> Tensor:
        """What is learnt of the batch's images: labels (B,), or probabilities (B, 7)."""
        targets = self.teacher.targets(batch) if self.teacher else batch.targets
        if batch.other is None:
            return targets
        return mixed_targets(targets, self._targets(batch.other), batch.weight)

    def _shown(self) -> Network:
        """What is validated and kept: the mean of the weights, once there is one."""
        if self.mean and self.mean.n_averaged > 0:
            mean: Any = self.mean.module
            assert isinstance(mean, Network)
            return mean
        return self.model

    def _validate(self) -> tuple[float, float]:
        mine = self.group.divide(len(self.validation))
        images = self.validation.images[mine]
        logits = self.group.gather(predict_logits(self._shown(), images, precision=self.precision))
        labels = torch.from_numpy(self.validation.labels)
        loss = cross_entropy(logits, labels).item()
        return loss, (logits.argmax(1) == labels).double().mean().item()

    def _checkpoint(self) -> None:
        weights = self.model.state_dict()
        if not all(value.isfinite().all() for value in weights.values()):
            raise TrainingError(_NOT_FINITE.format("weights are no longer finite numbers"))
        if not self.group.leads:
            return
        self.checkpoints.save(
            {
                "model": weights,
                "best": self.best_weights,
                "optimizer": self.optimizer.state_dict(),
                "history": [asdict(record) for record in self.history],
                "partial": asdict(self.partial),
                "random": self._random() if self.partial.step else {},
                "answers": self.teacher and self.teacher.answers,
                "mean": self.mean and self.mean.state_dict(),
            }
        )

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.best_weights = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [EpochRecord(**record) for record in state["history"]]
        self.partial, self.random = Partial(**state["partial"]), state["random"]
        if self.teacher:
            self.teacher.answers.copy_(state["answers"])
        if self.mean:
            self.mean.load_state_dict(state["mean"])

    def _random(self) -> dict[str, Tensor]:
        states = {"cpu": torch.get_rng_state()}
        if self.precision.device == "cuda":
            states["cuda"] = torch.cuda.get_rng_state()
        return states

    def _restore_random(self) -> None:
        torch.set_rng_state(self.random["cpu"])
        if "cuda" in self.random:
            torch.cuda.set_rng_state(self.random["cuda"])
