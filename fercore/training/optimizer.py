"""What moves the weights: AdamW (Loshchilov & Hutter, 2019), and its rate over the epochs."""

import math

from torch import nn
from torch.optim import AdamW

from fercore.training.recipes import Recipe


def optimizer(model: nn.Module, recipe: Recipe) -> AdamW:
    """AdamW; matrices and kernels decay, biases and norms do not."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=recipe.learning_rate, fused=True)


def learning_rate(recipe: Recipe, epochs_done: float) -> float:
    """A straight line up to the recipe's rate, then a line or half a cosine down to zero.

    Where it is 'flat', it stays.
    """
    share, warm_up = epochs_done / recipe.epochs, recipe.warm_up
    if share < warm_up:
        return recipe.learning_rate * share / warm_up
    if recipe.fall == "flat":
        return recipe.learning_rate
    fallen = (share - warm_up) / (1 - warm_up)
    if recipe.fall == "cosine":
        fallen = (1 - math.cos(math.pi * fallen)) / 2
    return recipe.learning_rate * (1 - fallen)
