"""Trained models that answer for a share of the labels (Hinton et al., 2015).

They see the very faces that the model sees, augmented alike (Beyer et al., 2022), without blanks.
Several answer as an ensemble does, with the mean of their probabilities (the arithmetic mean of
section 2 there, at a temperature of 1). What they answered in the recipe's first `teacher_epochs`
they are not asked again in the later ones.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor

from fercore.labels import CLASSES
from fercore.models.cost import flops_per_image
from fercore.models.network import Network
from fercore.models.precision import Precision
from fercore.training.augment import warp
from fercore.training.batches import Batch, as_probabilities
from fercore.training.recipes import Recipe


class Teacher:
    """Copies of `models`, frozen, asked for one view of each of `count` training faces an epoch."""

    def __init__(
        self, models: Sequence[Network], recipe: Recipe, count: int, precision: Precision
    ) -> None:
        self.models = [deepcopy(model).eval() for model in models]
        for model in self.models:
            # torch's stub of `to` lacks memory_format.
            model.to(  # type: ignore[call-overload]
                precision.device, memory_format=torch.channels_last
            )
            model.views = 1
        self.share, self.precision = recipe.teacher_share, precision
        shape = (recipe.teacher_epochs, count, len(CLASSES))
        self.answers = torch.full(shape, torch.nan, device=precision.device)  # nan: not asked yet

    @torch.no_grad()
    def targets(self, batch: Batch) -> Tensor:
        """The batch's targets as probabilities (B, 7), the answers mixed in by their share."""
        if len(self.answers):
            answers = self._remembered(batch)
        else:
            answers = self._ask(batch.faces, batch.maps)
        return as_probabilities(batch.targets).lerp(answers, self.share)

    def _remembered(self, batch: Batch) -> Tensor:
        """The answers to the batch's version of its faces; those not asked for yet, now."""
        answers = self.answers[batch.version, batch.chosen]
        new = answers.isnan().any(1)
        if new.any():
            answers[new] = self._ask(batch.faces[new], batch.maps[new])
            self.answers[batch.version, batch.chosen] = answers
        return answers

    def _ask(self, faces: Tensor, maps: Tensor) -> Tensor:
        """The mean of the models' probabilities (B, 7)."""
        return torch.stack([self._asked(model, faces, maps) for model in self.models]).mean(0)

    def _asked(self, model: Network, faces: Tensor, maps: Tensor) -> Tensor:
        images = warp(faces, maps, model.side)
        with self.precision.autocast():
            logits: Tensor = model(images.contiguous(memory_format=torch.channels_last))
        return logits.float().softmax(1)


def share_of_work(teachers: Sequence[Network], student: Network) -> float:
    """The teachers' share of a step at full size: a pass each, and the student's there and back."""
    if not teachers:
        return 0.0
    asked = sum(flops_per_image(model) / model.views for model in teachers)
    return asked / (asked + 3 * flops_per_image(student) / student.views)
