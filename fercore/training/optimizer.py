"""What moves the weights: AdamW (Loshchilov & Hutter, 2019), or Muon (Jordan et al., 2024) for the
matrices and kernels of hidden layers; and their rate over the epochs.
"""

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import AdamW, Muon

from fercore.models.network import Network
from fercore.training.recipes import Recipe

SHARE = "share"  # of the learning rate, in a group of parameters
_MOMENTUM = 0.9  # Muon's
_AS_ADAMW = "match_rms_adamw"  # steps as large as AdamW's, so one rate serves both (Liu et al.)

Groups = list[dict[str, Any]]


def optimizer(model: Network, recipe: Recipe) -> "AdamW | MuonAndAdamW":
    """What the recipe says; matrices and kernels decay, biases and norms do not. A trunk that
    learns at a rate of its own is in groups of its own, each with its 'share' of the rate.
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
    if recipe.optimizer == "muon":
        return MuonAndAdamW(_kernels(model)[1:-1], groups, recipe.learning_rate)
    return AdamW(groups, lr=recipe.learning_rate, fused=True)


class MuonAndAdamW:
    """Muon for the `hidden` matrices and kernels, AdamW for what else is in `groups`.

    Muon knows matrices: of a kernel it moves a view, (outputs, all else). Raises `RuntimeError`
    where a kernel does not lie in memory as `torch.channels_last` has it.
    """

    def __init__(self, hidden: Sequence[Parameter], groups: Groups, rate: float) -> None:
        self._matrices = {p: Parameter(_outputs_first(p.detach()).view(len(p), -1)) for p in hidden}
        of = self._matrices
        of_muon = [g | {"params": [of[p] for p in g["params"] if p in of]} for g in groups]
        rest = [g | {"params": [p for p in g["params"] if p not in of]} for g in groups]
        muon = [group for group in of_muon if group["params"]]
        self._muon = Muon(muon, lr=rate, momentum=_MOMENTUM, adjust_lr_fn=_AS_ADAMW)
        self._adamw = AdamW(rest, lr=rate, fused=True)

    @property
    def param_groups(self) -> Groups:
        return [*self._muon.param_groups, *self._adamw.param_groups]

    def step(self) -> None:
        for kernel, matrix in self._matrices.items():
            grad = kernel.grad
            matrix.grad = None if grad is None else _outputs_first(grad).reshape(matrix.shape)
        self._muon.step()  # type: ignore[no-untyped-call]
        self._adamw.step()

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self._muon.state_dict(), "adamw": self._adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._muon.load_state_dict(state["muon"])
        self._adamw.load_state_dict(state["adamw"])


def _kernels(model: Network) -> list[Parameter]:
    return [p for p in model.parameters() if p.ndim > 1]


def _outputs_first(values: Tensor) -> Tensor:
    """(outputs, inputs, …) to (outputs, …, inputs): how a kernel lies in memory."""
    return values.movedim(1, -1) if values.ndim > 2 else values


def set_rate(optimizer: AdamW | MuonAndAdamW, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(SHARE, 1.0)  # older checkpoints know no shares


def learning_rate(recipe: Recipe, epochs_done: float) -> float:
    """A straight line up to the recipe's rate, then a line or half a cosine down to zero.

    Where it is 'flat', it stays.
    """
    share, warm_up = epochs_done / recipe.epochs, recipe.warm_up
    if share < warm_up or warm_up == 1:  # with no fall, the last step stands at its top
        return recipe.learning_rate * share / warm_up
    if recipe.fall == "flat":
        return recipe.learning_rate
    fallen = (share - warm_up) / (1 - warm_up)
    if recipe.fall == "cosine":
        fallen = (1 - math.cos(math.pi * fallen)) / 2
    return recipe.learning_rate * (1 - fallen)
