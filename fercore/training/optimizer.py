"""What moves the weights: AdamW (Loshchilov & Hutter, 2019), and its rate over the epochs."""

import math

from torch.optim import AdamW

from fercore.models.network import Network
from fercore.training.recipes import Recipe

SHARE = "share"  # of the learning rate, in a group of parameters


def optimizer(model: Network, recipe: Recipe) -> AdamW:
    """AdamW; matrices and kernels decay, biases and norms do not. A trunk that learns at a rate of
    its own is in groups of its own, each with its 'share' of the rate.
    """
    parts = [(list(model.parameters()), 1.0)]
    if recipe.trunk_rate != 1:
        trunk = list(model.trunk.parameters())
        own = set(trunk)
        parts = [([p for p in model.parameters() if p not in own], 1.0)]
        parts += [] if recipe.frozen else [(trunk, recipe.trunk_rate)]
    groups = [
        {"params": [p for p in of if (p.ndim > 1) == matrices], "weight_decay": decay, SHARE: share}
        for of, share in parts
        for matrices, decay in ((True, recipe.weight_decay), (False, 0.0))
    ]
    return AdamW(groups, lr=recipe.learning_rate, fused=True)


def set_rate(optimizer: AdamW, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(SHARE, 1.0)  # older checkpoints know no shares


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
