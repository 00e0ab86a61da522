"""Augmented batches of the training images, which follow from seed and epoch alone."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercore.data.faceset import FaceSet
from fercore.training.augment import affine_maps, erase, random_boxes, warp
from fercore.training.parallel import Group
from fercore.training.recipes import Recipe

AT_A_TIME = 8  # batches made at once: for one, the calls cost more than the work


class Batch(NamedTuple):
    """A process's share of a batch of `size` images."""

    size: int
    version: int  # of the augmentation, from 0; the same one shows every face under the same map
    images: Tensor  # as the model sees them, float32 (B, 1, side, side), 0..255
    labels: Tensor  # int64 (B,)
    targets: Tensor  # what is learnt: the labels, or probabilities in their place (B, 7)
    chosen: Tensor  # which of the training images they are, int64 (B,)
    faces: Tensor  # those as they are, uint8 (B, 1, 48, 48)
    maps: Tensor  # what the augmentation moves them by, (B, 2, 3), as `affine_maps` gives


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
        group: Group,
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
        order, maps, boxes = self._draws(epoch)
        version = self.recipe.version(epoch)
        if version != epoch - 1:
            earlier, maps, _ = self._draws(version + 1)
            maps = maps[earlier.argsort()[order]]
        places = torch.split(torch.arange(len(order)), self.recipe.batch_size)
        for first in range(done // AT_A_TIME * AT_A_TIME, len(places), AT_A_TIME):
            some = places[first : first + AT_A_TIME]
            shares = [batch[self.group.share(len(batch))] for batch in some]
            mine, sizes = torch.cat(shares), list(map(len, shares))
            made = self._augmented(order[mine], maps[mine], boxes[mine], self.recipe.side(epoch))
            split = (torch.split(tensor, sizes) for tensor in made)
            versions = [version] * len(some)
            yield from list(map(Batch, map(len, some), versions, *split))[max(0, done - first) :]

    def _draws(self, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
        """An epoch's order of the images, and the map and the rectangle of each, in that order."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        count, settings = len(self.labels), self.recipe.augmentation
        order = torch.randperm(count, generator=generator)
        maps = affine_maps(count, settings, generator)
        return order, maps, random_boxes(count, settings, generator)

    def _augmented(self, chosen: Tensor, maps: Tensor, boxes: Tensor, side: int) -> list[Tensor]:
        """The fields of a batch, from `images` on."""
        faces = self.images[chosen]
        images = warp(faces, maps, side)
        if self.recipe.augmentation.erase:
            images = erase(images, boxes)
        labels, targets = self.labels[chosen], self.targets[chosen]
        return [images, labels, targets, chosen, faces, maps.to(faces.device)]
