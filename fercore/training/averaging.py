"""A mean of the weights over the last epochs, in which the newest weigh most.

After Polyak & Juditsky (1992); exponential, as the teacher of Tarvainen & Valpola (2017). The
running statistics of batch normalisation are averaged with the weights that they belong to.
"""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import PARAM_LIST, AveragedModel

from fercore.training.recipes import Recipe


def averaged(model: nn.Module, recipe: Recipe) -> AveragedModel:
    """The mean, still empty: the first weights that it is given are taken as they are."""

    def lerp(mean: PARAM_LIST, current: PARAM_LIST, _count: Tensor | int) -> None:
        if mean[0].is_floating_point():
            torch._foreach_lerp_(mean, current, 1 - recipe.average_decay)
        else:  # counts and orders, which have no mean
            torch._foreach_copy_(mean, current)

    return AveragedModel(model, multi_avg_fn=lerp, use_buffers=True)
