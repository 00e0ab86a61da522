"""A trained model that answers for a share of the labels (Hinton et al., 2015).

It sees the very faces that the model sees, augmented alike (Beyer et al., 2022), without blanks.
What it answered in the recipe's first `teacher_epochs` it is not asked again in the later ones.
"""

from copy import deepcopy

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from fercore.labels import CLASSES
from fercore.models.cost import flops_per_image
from fercore.models.network import Network
from fercore.models.precision import Precision
from fercore.training.augment import warp
from fercore.training.batches import Batch
from fercore.training.recipes import Recipe


class Teacher:
    """A copy of `model`, frozen, asked for one view of each of `count` training faces an epoch."""

    def __init__(self, model: Network, recipe: Recipe, count: int, precision: Precision) -> None:
        self.model = deepcopy(model).eval()
        # torch's stub of `to` lacks memory_format.
        self.model.to(  # type: ignore[call-overload]
            precision.device, memory_format=torch.channels_last
        )
        self.model.views = 1
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
        own = batch.targets
        own = one_hot(own, answers.shape[1]).float() if own.dim() == 1 else own
        return own.lerp(answers, self.share)

    def _remembered(self, batch: Batch) -> Tensor:
        """The answers to the batch's version of its faces; those not asked for yet, now."""
        answers = self.answers[batch.version, batch.chosen]
        new = answers.isnan().any(1)
        if new.any():
            answers[new] = self._ask(batch.faces[new], batch.maps[new])
            self.answers[batch.version, batch.chosen] = answers
        return answers

    def _ask(self, faces: Tensor, maps: Tensor) -> Tensor:
        images = warp(faces, maps, self.model.side)
        with self.precision.autocast():
            logits: Tensor = self.model(images.contiguous(memory_format=torch.channels_last))
        return logits.float().softmax(1)


def share_of_work(teacher: Network | None, student: Network) -> float:
    """The teacher's share of a step at full size: one pass, beside the student's there and back."""
    if teacher is None:
        return 0.0
    asked, trained = (flops_per_image(model) / model.views for model in (teacher, student))
    return asked / (asked + 3 * trained)
