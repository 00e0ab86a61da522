"""Augmented batches of the training images, which follow from seed and epoch alone."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from fercore.data.faceset import FaceSet
from fercore.recipes import Recipe
from fercore.training.augment import affine_maps, erase, random_boxes, warp
from fercore.training.parallel import Group

AT_A_TIME = 8  # batches made at once: for one, the calls cost more than the work


class Batch(NamedTuple):
    """A process's share of a batch of `count` images."""

    count: int
    images: Tensor  # as the model sees them, float32 (B, 1, side, side), 0..255
    full: Tensor  # as the teacher sees them
    labels: Tensor  # int64 (B,)


class Batches:
    """The batches of every epoch. A teacher sees the same faces `teacher_side` pixels large."""

    def __init__(
        self,
        faces: FaceSet,
        recipe: Recipe,
        *,
        seed: int,
        device: str,
        group: Group,
        teacher_side: int | None = None,
    ) -> None:
        self.images = torch.tensor(faces.images, device=device)[:, None]  # uint8 (N, 1, 48, 48)
        self.labels = torch.tensor(faces.labels, device=device)
        self.recipe, self.seed, self.group = recipe, seed, group
        self.teacher_side = teacher_side

    def __len__(self) -> int:
        """Of an epoch."""
        return math.ceil(len(self.labels) / self.recipe.batch_size)

    def of(self, epoch: int, *, done: int = 0) -> Iterator[Batch]:
        """The epoch's batches, counted from 1, without the first `done`."""
        generator = torch.Generator().manual_seed(self.seed * 100_003 + epoch)
        count, settings = len(self.labels), self.recipe.augmentation
        order = torch.randperm(count, generator=generator)
        maps = affine_maps(count, settings, generator)
        boxes = random_boxes(count, settings, generator)
        places = torch.arange(count).split(self.recipe.batch_size)
        for first in range(done // AT_A_TIME * AT_A_TIME, len(places), AT_A_TIME):
            some = places[first : first + AT_A_TIME]
            shares = [batch[self.group.share(len(batch))] for batch in some]
            mine, sizes = torch.cat(shares), list(map(len, shares))
            made = self._augmented(order[mine], maps[mine], boxes[mine], self.recipe.side(epoch))
            split = (tensor.split(sizes) for tensor in made)
            yield from list(map(Batch, map(len, some), *split))[max(0, done - first) :]

    def _augmented(self, chosen: Tensor, maps: Tensor, boxes: Tensor, side: int) -> list[Tensor]:
        """The chosen faces as the model and as the teacher see them, and their labels."""
        faces = self.images[chosen]
        images = full = warp(faces, maps, side)
        if self.teacher_side not in (None, side):
            full = warp(faces, maps, self.teacher_side)
        if self.recipe.augmentation.erase:
            images = erase(images, boxes)
        return [images, full, self.labels[chosen]]
