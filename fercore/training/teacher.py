"""A trained model that answers for a share of the labels (Hinton et al., 2015).

It sees the very faces that the model sees, augmented alike (Beyer et al., 2022), without blanks.
"""

from copy import deepcopy

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from fercore.models.cost import flops_per_image
from fercore.models.network import Network
from fercore.precision import Precision
from fercore.training.batches import Batch


class Teacher:
    """A copy of `model`, frozen, asked for one view of each face."""

    def __init__(self, model: Network, *, share: float, precision: Precision) -> None:
        self.model = deepcopy(model).eval()
        self.model.to(precision.device, memory_format=torch.channels_last)
        self.model.views = 1
        self.side, self.share, self.precision = model.side, share, precision

    @torch.no_grad()
    def targets(self, batch: Batch) -> Tensor:
        """The labels as probabilities (B, 7), the answers mixed in by their share."""
        with self.precision.autocast():
            answers = self.model(batch.full.contiguous(memory_format=torch.channels_last))
        certain = one_hot(batch.labels, answers.shape[1]).float()
        return certain.lerp(answers.float().softmax(1), self.share)


def share_of_work(teacher: Network | None, student: Network) -> float:
    """The teacher's share of a step at full size: one pass, beside the student's there and back."""
    if teacher is None:
        return 0.0
    asked, trained = (flops_per_image(model) / model.views for model in (teacher, student))
    return asked / (asked + 3 * trained)
