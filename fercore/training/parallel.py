"""Data-parallel training under `torchrun`: several processes, each with a share of every batch.

The result is that of one process with the same global batch: batch normalisation and dropout see
the whole batch (torch's SyncBatchNorm does too, but not on a CPU), the loss is its mean over all
of its images, and the gradients are summed by DistributedDataParallel.
"""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.functional import dropout
from torch.nn.parallel import DistributedDataParallel

from fercore.errors import FerError, TrainingError
from fercore.training.records import Interrupted

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

_WORD = "fercore"  # the key in torchrun's store under which the leader says what it does
_BEGINS, _IS_OVER = "begins", "is over"
_BEAT = timedelta(seconds=0.5)  # between two looks of a follower that waits


def wait_for_leader(stop_requested: Callable[[], bool]) -> bool:
    """Whether the leader begins a training; a follower waits for it however long it takes.

    The leader waits for its turn meanwhile, or has nothing to train. Raises `Interrupted`.
    """
    store = _store()
    while not stop_requested():
        try:
            store.wait([_WORD], _BEAT)
        except dist.DistStoreError:  # not yet
            continue
        return store.get(_WORD).decode() == _BEGINS
    raise Interrupted("The training was stopped before it began.")


@contextmanager
def leading() -> Iterator[None]:
    """What the leader does from its start to its end; followers that still wait then go."""
    try:
        yield
    finally:
        if int(os.environ.get("WORLD_SIZE", 1)) > 1 and not dist.is_initialized():
            _store().set(_WORD, _IS_OVER)


def _store() -> "Store":
    store: Store
    store, _, _ = next(rendezvous("env://"))
    return store


class ProcessGroup:
    """The processes that train together; this one `alone`, and outside torchrun in any case.

    The methods must be called by all of them, in the same order.
    """

    def __init__(self, *, alone: bool = False) -> None:
        self.size = 1 if alone else int(os.environ.get("WORLD_SIZE", 1))
        self.rank = 0 if alone else int(os.environ.get("RANK", 0))
        self.batch, self.mine = 0, slice(0, 0)
        if self.size > 1 and not dist.is_initialized():
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            store = _store()
            if self.leads:
                store.set(_WORD, _BEGINS)
            backend = "nccl" if torch.cuda.is_available() else "gloo"
            dist.init_process_group(backend, store=store, rank=self.rank, world_size=self.size)
            # Else its threads end after Python does, by which a process aborts now and then.
            atexit.register(dist.destroy_process_group)

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's share of a batch of `count`."""
        first, end = (count * rank // self.size for rank in (self.rank, self.rank + 1))
        return slice(first, end)

    def divide(self, count: int) -> slice:
        """The same; and from now on that batch is the current one."""
        self.batch, self.mine = count, self.share(count)
        return self.mine

    def total(self, value: Tensor) -> Tensor:
        """The sum over all processes; gradients flow through it."""
        if self.size == 1:
            return value
        summed: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]  # torch gives none
        return summed

    def any(self, flag: bool, device: str) -> bool:
        """Whether it holds in one of them at least."""
        return (
            flag if self.size == 1 else bool(self.total(torch.tensor(float(flag), device=device)))
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """What each does for itself, to the end of the slowest; where one fails, all do.

        Raises in the others `Interrupted` or `TrainingError` with its sentence.
        """
        try:
            yield
        except (FerError, OSError, MemoryError) as error:
            self._outcomes(str(error), isinstance(error, Interrupted))
            raise
        for sentence, interrupted in self._outcomes("", False):
            if sentence:
                raise Interrupted(sentence) if interrupted else TrainingError(sentence)

    def _outcomes(self, sentence: str, interrupted: bool) -> list[tuple[str, bool]]:
        outcomes = [(sentence, interrupted)] * self.size
        if self.size > 1:
            dist.all_gather_object(outcomes, (sentence, interrupted))
        return outcomes

    def from_leader(self, value: Any) -> Any:
        """The leader's value, in all of them."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def gather(self, rows: Tensor) -> Tensor:
        """All processes' rows, in the order of their shares."""
        if self.size == 1:
            return rows
        parts: list[Any] = [None] * self.size
        dist.all_gather_object(parts, rows)
        return torch.cat(parts)

    def replicate(self, model: nn.Module) -> nn.Module:
        """The model as this process trains it; its weights are those of `model`."""
        if self.size == 1:
            return model
        if any(
            isinstance(m, nn.BatchNorm2d) and type(m) is not nn.BatchNorm2d for m in model.modules()
        ):
            raise TrainingError(
                "Several processes cannot share the batches of a trunk from elsewhere. Train it in "
                "one."
            )
        _see_whole_batch(model, self)
        return DistributedDataParallel(model)


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, value: Tensor) -> Tensor:
        value = value.detach().clone()
        dist.all_reduce(value)
        return value

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient


def _see_whole_batch(model: nn.Module, group: ProcessGroup) -> None:
    """Replace every normalisation and dropout in `model` by one that acts on the global batch."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                whole = _WholeBatchNorm(child.num_features, child.eps, child.momentum)
                whole.load_state_dict(child.state_dict())
                whole.group = group
                setattr(module, name, whole.to(child.weight.device))
            elif isinstance(child, nn.Dropout):
                setattr(module, name, _WholeDropout(child.p, group))


class _WholeBatchNorm(nn.BatchNorm2d):
    """Batch normalisation by the mean and variance of the global batch."""

    group: ProcessGroup
    # Our norms have them all; torch's class allows for none.
    momentum: float
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def forward(self, x: Tensor) -> Tensor:  # (share of B, C, H, W)
        if not self.training:
            return super().forward(x)
        values = x.float()
        count = self.group.batch * x.shape[2] * x.shape[3]
        mean = self.group.total(values.sum((0, 2, 3))) / count  # (C,)
        centred = values - mean[:, None, None]
        variance = self.group.total(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            self.num_batches_tracked += 1
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class _WholeDropout(nn.Module):
    """Dropout whose mask is drawn for the global batch, the same in every process."""

    def __init__(self, p: float, group: ProcessGroup) -> None:
        super().__init__()
        self.p, self.group = p, group

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        layout = torch.channels_last if x.dim() == 4 else torch.contiguous_format
        whole = torch.ones(self.group.batch, *x.shape[1:], dtype=x.dtype, device=x.device)
        return x * dropout(whole.contiguous(memory_format=layout), self.p)[self.group.mine]
