"""The training loop: fit on Training, choose the epoch on PublicTest.

PrivateTest is not an argument of anything here, so nothing can be chosen on it.
"""

import math
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot
from torch.optim import AdamW

from fercore.data.faceset import FaceSet
from fercore.errors import DataError, TrainingError
from fercore.inference import predict_logits
from fercore.precision import Precision
from fercore.recipes import Recipe
from fercore.training.augment import affine_maps, erase, random_boxes, warp
from fercore.training.checkpoint import Checkpoints
from fercore.training.parallel import Group
from fercore.training.records import EpochRecord, Interrupted, Progress, Watcher

AT_A_TIME = 8  # batches augmented at once: for one, the calls cost more than the work
_NOT_FINITE = "The {}. Lower the recipe's learning rate; the last good checkpoint is kept."


@dataclass(frozen=True)
class Fit:
    history: list[EpochRecord]
    best_epoch: int


class _Batch(NamedTuple):
    """A process's share of a batch of `count` images."""

    count: int
    images: Tensor  # as the model sees them, float32 (B, 1, side, side)
    full: Tensor  # as the teacher sees them
    labels: Tensor


@dataclass(frozen=True)
class _Partial:
    """An epoch that has been begun: sums over its first steps."""

    step: int = 0
    loss_sum: float = 0.0
    correct: int = 0
    seen: int = 0
    seconds: float = 0.0

    def plus(self, loss: float, correct: int, count: int, seconds: float) -> "_Partial":
        return _Partial(
            self.step + 1,
            self.loss_sum + loss * count,
            self.correct + correct,
            self.seen + count,
            seconds,
        )


def fit(
    model: nn.Module,
    training: FaceSet,
    validation: FaceSet,
    recipe: Recipe,
    *,
    seed: int,
    precision: Precision,
    checkpoints: Checkpoints,
    watcher: Watcher = Watcher(),
    teacher: nn.Module | None = None,
    group: Group | None = None,
    keep_best: bool = False,
) -> Fit:
    """Train `model` in place; it ends with the weights of the best PublicTest epoch.

    A `teacher` answers for the recipe's share of the labels.

    Under torchrun every process of the `group` calls it with the same arguments, and the leader
    alone reads and writes the checkpoint and hears from the watcher.

    Where there is a checkpoint the training goes on from it, else from the model's weights. One is
    saved every epoch, whenever it is due, and when the watcher says stop. With `keep_best` the
    epochs that are done are enough. Raises `Interrupted` when the watcher says stop,
    `TrainingError` when the loss or the weights are no longer finite, `DataError` when a part has
    no images.
    """
    if not len(training) or not len(validation):
        part = "training" if not len(training) else "validation"
        raise DataError(
            f"{training.source}: there are no {part} images. Training needs a 'train' and a 'val' "
            "folder (FER2013's Training and PublicTest)."
        )
    group = group or Group()
    watcher = watcher if group.leads else Watcher()
    trainer = _Trainer(
        model, training, validation, recipe, seed, precision, checkpoints, watcher, group, teacher
    )
    if state := group.from_leader(checkpoints.load() if group.leads else None):
        trainer.restore(state)
    while not trainer.finished() and not keep_best:
        trainer.run_epoch()
        watcher.on_epoch(trainer.history)
    if not trainer.history:
        raise TrainingError("No epoch has been finished, so there are no weights to keep.")
    model.load_state_dict(trainer.best_weights)
    return Fit(trainer.history, trainer.best_epoch)


class _Trainer:
    def __init__(
        self,
        model,
        training,
        validation,
        recipe,
        seed,
        precision,
        checkpoints,
        watcher,
        group,
        teacher,
    ) -> None:
        self.model = model.to(precision.device, memory_format=torch.channels_last)
        self.group, self.replica = group, group.replicate(self.model)
        self.teacher = teacher and _answering(teacher, precision.device)
        self.images, self.labels = _tensors(training, precision.device)
        self.validation = validation
        self.recipe, self.seed, self.precision = recipe, seed, precision
        self.checkpoints, self.watcher = checkpoints, watcher
        self.optimizer = optimizer(self.model, recipe)
        self.history: list[EpochRecord] = []
        self.best_weights = deepcopy(model.state_dict())
        self.partial = _Partial()
        self.random: dict[str, Tensor] = {}  # dropout's state after the partial epoch's steps
        self.costs = [recipe.cost(epoch) for epoch in range(1, recipe.epochs + 1)]

    @property
    def best_epoch(self) -> int:
        """The epoch with the highest PublicTest accuracy, the first of equals.

        The last one before any is validated, 0 before any is done.
        """
        validated = [record for record in self.history if record.val_accuracy is not None]
        if not validated:
            return len(self.history)
        return max(validated, key=lambda record: record.val_accuracy).epoch

    def finished(self) -> bool:
        return len(self.history) >= self.recipe.epochs

    def learning_rate(self, epochs_done: float) -> float:
        """A straight line up to the recipe's rate, then a line or half a cosine down to zero."""
        share, warm_up = epochs_done / self.recipe.epochs, self.recipe.warm_up
        if share < warm_up:
            return self.recipe.learning_rate * share / warm_up
        fallen = (share - warm_up) / (1 - warm_up)
        if self.recipe.fall == "cosine":
            fallen = (1 - math.cos(math.pi * fallen)) / 2
        return self.recipe.learning_rate * (1 - fallen)

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
            learning_rate=self.learning_rate(epoch - 0.5),
            seconds=done.seconds + time.perf_counter() - started,
            images_per_second=done.seen / done.seconds,
        )
        self.history.append(record)
        if self.best_epoch == epoch:
            self.best_weights = deepcopy(self.model.state_dict())
        self.partial, self.random = _Partial(), {}
        self._checkpoint()

    def _train(self, epoch: int) -> None:
        """One pass over the shuffled training images, or what is left of it."""
        steps = math.ceil(len(self.labels) / self.recipe.batch_size)
        started = time.perf_counter() - self.partial.seconds
        self.model.train()
        for batch in self._batches(epoch):
            if self.group.any(self.watcher.stop_requested(), self.precision.device):
                self._checkpoint()
                raise Interrupted("The training was stopped; what it has done is saved.")
            for group in self.optimizer.param_groups:
                share = (self.partial.step + 1) / steps
                group["lr"] = self.learning_rate(epoch - 1 + share)
            loss, hits = self._step(batch)
            seconds = time.perf_counter() - started
            self.partial = self.partial.plus(loss, hits, batch.count, seconds)
            self.watcher.on_step(self._progress(epoch, steps))
            if self.checkpoints.due:
                self._checkpoint()

    def _batches(self, epoch: int) -> Iterator[_Batch]:
        """What is left of an epoch's batches. Order and augmentation follow from seed and epoch."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        torch.manual_seed(self.seed * 100_003 + epoch)  # dropout
        order = torch.randperm(len(self.labels), generator=generator)
        maps = affine_maps(len(order), self.recipe.augmentation, generator)
        boxes = random_boxes(len(order), self.recipe.augmentation, generator)
        if self.partial.step:
            self._restore_random()
        batches = torch.arange(len(order)).split(self.recipe.batch_size)
        done, side = self.partial.step, self.recipe.side(epoch)
        for first in range(done // AT_A_TIME * AT_A_TIME, len(batches), AT_A_TIME):
            some = batches[first : first + AT_A_TIME]
            shares = [batch[self.group.share(len(batch))] for batch in some]
            mine, sizes = torch.cat(shares), list(map(len, shares))
            made = self._augmented(order[mine], maps[mine], boxes[mine], side)
            split = (tensor.split(sizes) for tensor in made)
            yield from list(map(_Batch, map(len, some), *split))[max(0, done - first) :]

    def _augmented(self, chosen: Tensor, maps: Tensor, boxes: Tensor, side: int) -> list[Tensor]:
        """The chosen faces as the model and as the teacher see them, and their labels."""
        faces = self.images[chosen]
        images = full = warp(faces, maps, side)
        if self.teacher and self.teacher.side != side:
            full = warp(faces, maps, self.teacher.side)
        if self.recipe.augmentation.erase:
            images = erase(images, boxes)
        return [images, full, self.labels[chosen]]

    def _progress(self, epoch: int, steps: int) -> Progress:
        at, epochs = self.partial, self.recipe.epochs
        rate = at.seen / at.seconds
        later = sum(self.costs[epoch:]) / self.costs[epoch - 1]
        left = ((1 + later) * len(self.labels) - at.seen) / rate
        loss, accuracy = at.loss_sum / at.seen, at.correct / at.seen
        return Progress(epoch, epochs, at.step, steps, loss, accuracy, rate, left)

    def _step(self, batch: _Batch) -> tuple[float, int]:
        """One step on this process's share of the batch; the whole batch's mean loss and hits."""
        self.group.divide(batch.count)
        targets = self._taught(batch) if self.teacher else batch.labels
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
        self.optimizer.zero_grad(set_to_none=True)
        (loss * self.group.size).backward()  # the replicas' gradients are averaged
        self.optimizer.step()
        return value, round(correct)

    @torch.no_grad()
    def _taught(self, batch: _Batch) -> Tensor:
        """The labels (B, 7), the teacher's answers to the augmented faces mixed in."""
        with self.precision.autocast():
            answers = self.teacher(batch.full.contiguous(memory_format=torch.channels_last))
        certain = one_hot(batch.labels, answers.shape[1]).float()
        return certain.lerp(answers.float().softmax(1), self.recipe.teacher_share)

    def _validate(self) -> tuple[float, float]:
        mine = self.group.divide(len(self.validation))
        images = self.validation.images[mine]
        logits = self.group.gather(predict_logits(self.model, images, precision=self.precision))
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
            }
        )

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.best_weights = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.history = [EpochRecord(**record) for record in state["history"]]
        self.partial, self.random = _Partial(**state["partial"]), state["random"]

    def _random(self) -> dict[str, Tensor]:
        states = {"cpu": torch.get_rng_state()}
        if self.precision.device == "cuda":
            states["cuda"] = torch.cuda.get_rng_state()
        return states

    def _restore_random(self) -> None:
        torch.set_rng_state(self.random["cpu"])
        if "cuda" in self.random:
            torch.cuda.set_rng_state(self.random["cuda"])


def optimizer(model: nn.Module, recipe: Recipe) -> AdamW:
    """AdamW; matrices and kernels decay, biases and norms do not."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=recipe.learning_rate, fused=True)


def _answering(teacher: nn.Module, device: str) -> nn.Module:
    """The teacher, frozen, answering to each face as it is, without test-time augmentation."""
    teacher = deepcopy(teacher).eval().to(device, memory_format=torch.channels_last)
    teacher.views = 1
    return teacher


def _tensors(faces: FaceSet, device: str) -> tuple[Tensor, Tensor]:
    images = torch.tensor(faces.images, device=device).unsqueeze(1)  # (N, 1, 48, 48) uint8
    return images, torch.tensor(faces.labels, device=device)
