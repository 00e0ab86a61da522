"""Augmented batches of the training images, which follow from seed and epoch alone."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from fercore.data.faceset import FaceSet
from fercore.labels import CLASSES
from fercore.training.augment import (
    affine_maps,
    erase,
    random_boxes,
    random_shades,
    relight,
    warp,
)
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import Recipe

AT_A_TIME = 8  # batches made at once: for one, the calls cost more than the work


class Batch(NamedTuple):
    """A process's share of a batch of `size` images.

    With mixup `images` are mixed already: `weight`, half or more, of the faces that the other
    fields tell of, and the rest of those in `other`.
    """

    size: int
    version: int  # of the augmentation, from 0; the same one shows every face under the same map
    images: Tensor  # as the model sees them, float32 (B, 1, side, side), 0..255
    labels: Tensor  # int64 (B,)
    targets: Tensor  # what is learnt: the labels, or probabilities in their place (B, 7)
    chosen: Tensor  # which of the training images they are, int64 (B,)
    faces: Tensor  # those as they are, uint8 (B, 1, 48, 48)
    maps: Tensor  # what the augmentation moves them by, (B, 2, 3), as `affine_maps` gives
    other: "Batch | None" = None
    weight: float = 1.0


class Batches:
    """The batches of every epoch."""

    def __init__(
        self,
        faces: FaceSet,
        recipe: Recipe,
        targets: NDArray[np.float32] | None = None,
        *,
        seed: int,
        device: str,
        group: ProcessGroup,
    ) -> None:
        """`targets`: see `fit`."""
        self.images = torch.tensor(faces.images, device=device)[:, None]  # uint8 (N, 1, 48, 48)
        self.labels = torch.tensor(faces.labels, device=device)
        self.targets = self.labels if targets is None else torch.tensor(targets, device=device)
        self.recipe, self.seed, self.group = recipe, seed, group

    def __len__(self) -> int:
        """Of an epoch."""
        return math.ceil(len(self.labels) / self.recipe.batch_size)

    def of(self, epoch: int, *, done: int = 0) -> Iterator[Batch]:
        """The epoch's batches, counted from 1, without the first `done`."""
        drawn = self._draws(epoch)
        version = self.recipe.version(epoch)
        if version != epoch - 1:
            earlier = self._draws(version + 1)
            drawn = drawn._replace(maps=earlier.maps[earlier.order.argsort()[drawn.order]])
        places = torch.split(torch.arange(len(drawn.order)), self.recipe.batch_size)
        for first in range(done // AT_A_TIME * AT_A_TIME, len(places), AT_A_TIME):
            some = places[first : first + AT_A_TIME]
            made = self._made(epoch, drawn, some)
            if self.recipe.mixup:
                others = self._made(epoch, drawn, [batch.roll(1) for batch in some])
                made = list(map(_mixed, made, others, drawn.weights[first:]))
            yield from made[max(0, done - first) :]

    def _draws(self, epoch: int) -> "_Draws":
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        count, settings = len(self.labels), self.recipe.augmentation
        order = torch.randperm(count, generator=generator)
        maps = affine_maps(count, settings, generator)
        boxes = random_boxes(count, settings, generator)
        shades, weights = random_shades(count, settings, generator), np.empty(0)
        if alpha := self.recipe.mixup:
            drawn = np.random.default_rng((self.seed, epoch)).beta(alpha, alpha, len(self))
            weights = np.maximum(drawn, 1 - drawn)  # the labels are then those of the larger part
        return _Draws(order, maps, boxes, shades, weights.tolist())

    def _made(self, epoch: int, drawn: "_Draws", places: Sequence[Tensor]) -> list[Batch]:
        """This process's shares of batches: of each, the places in the epoch's order."""
        shares = [batch[self.group.share(len(batch))] for batch in places]
        mine, sizes = torch.cat(shares), list(map(len, shares))
        made = self._augmented(drawn, mine, self.recipe.side(epoch))
        split = (torch.split(tensor, sizes) for tensor in made)
        versions = [self.recipe.version(epoch)] * len(places)
        return list(map(Batch, map(len, places), versions, *split))

    def _augmented(self, drawn: "_Draws", mine: Tensor, side: int) -> list[Tensor]:
        """The fields of a batch, from `images` to `maps`."""
        chosen, maps, settings = drawn.order[mine], drawn.maps[mine], self.recipe.augmentation
        faces = self.images[chosen]
        images = warp(faces, maps, side)
        if settings.light or settings.contrast:
            images = relight(images, drawn.shades[mine])
        if settings.erase:
            images = erase(images, drawn.boxes[mine])
        labels, targets = self.labels[chosen], self.targets[chosen]
        return [images, labels, targets, chosen, faces, maps.to(faces.device)]


class _Draws(NamedTuple):
    """An epoch's order of the images, what is drawn for each, in that order, and for each batch."""

    order: Tensor
    maps: Tensor
    boxes: Tensor
    shades: Tensor
    weights: list[float]  # of the first of two faces that are mixed


def _mixed(batch: Batch, other: Batch, weight: float) -> Batch:
    images = weight * batch.images + (1 - weight) * other.images
    return batch._replace(images=images, other=other, weight=weight)


def mixed_targets(targets: Tensor, others: Tensor, weight: float) -> Tensor:
    """Labels (B,) or probabilities (B, 7) of two batches as those of their mixture (B, 7)."""
    return weight * as_probabilities(targets) + (1 - weight) * as_probabilities(others)


def as_probabilities(targets: Tensor) -> Tensor:
    """Labels (B,) as probabilities of 1 (B, 7); probabilities as they are."""
    return one_hot(targets, len(CLASSES)).float() if targets.dim() == 1 else targets
