"""Where a model looks: Grad-CAM on the feature map, and what each step of an LSTM contributes."""

from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from fercore.labels import SIZE
from fercore.models.heads import Recurrent
from fercore.models.network import Network
from fercore.models.reading import READINGS

_ONE_AT_A_TIME = Lock()  # the dashboard's sessions share a model, and a hook sees every use of it


def grad_cam(model: Network, face: NDArray[np.uint8], target: int) -> NDArray[np.float32]:
    """What speaks for class `target` in a face, by Grad-CAM (Selvaraju et al., 2017).

    face: uint8 (48, 48). Returns float32 (48, 48) from 0 (nothing) to 1 (the most): the trunk's
    channels weighted by their mean gradient, negative evidence left out, enlarged bilinearly.
    """
    feature_map, gradient = _gradient_at(model.trunk, model, face, target)
    weights = gradient.mean((2, 3), keepdim=True)
    seen = (weights * feature_map).sum(1, keepdim=True).relu()
    seen = interpolate(seen, size=(SIZE, SIZE), mode="bilinear", align_corners=False)[0, 0]
    return (seen / seen.max().clamp_min(1e-12)).numpy()


def step_contributions(
    model: Network, face: NDArray[np.uint8], target: int
) -> NDArray[np.float32] | None:
    """What each step of the LSTM adds to the logit of class `target`, or None without an LSTM.

    Gradient times input (Shrikumar et al., 2017), summed over a step's features: float32 (T,),
    positive where the step speaks for the class.
    """
    if not isinstance(model.head, Recurrent):
        return None
    steps, gradient = _gradient_at(model.head.lstm, model, face, target, inputs=True)
    return (steps * gradient).sum(2)[0].numpy()


def steps_on_map(model: Network, contributions: NDArray[np.float32]) -> NDArray | None:
    """Step contributions (T,) laid back on the places they were read from, (side, side).

    None where a step is no place: a scrambled or a pooled map.
    """
    reading = model.head.reading
    if reading not in READINGS:
        return None
    order = READINGS[reading](model.map_side)  # (T, P)
    places = np.zeros(order.size, np.float32)
    places[order] = contributions[:, None] / order.shape[1]
    return places.reshape(model.map_side, -1)


def _gradient_at(
    layer: torch.nn.Module, model: Network, face: NDArray, target: int, *, inputs: bool = False
) -> tuple[Tensor, Tensor]:
    """A layer's output (or first input) for the face as it is, and the gradient by it of the
    target's logit, were that the only view.
    """
    kept: list[Tensor] = []

    def keep(_module, given, made) -> None:
        value = given[0] if inputs else made
        value.retain_grad()
        kept.append(value)

    with _ONE_AT_A_TIME:
        hook = layer.register_forward_hook(keep)
        try:
            pixels = torch.from_numpy(np.array(face))[None, None]
            with torch.enable_grad():
                model.eval()(pixels)[0, target].backward()
        finally:
            hook.remove()
            model.zero_grad(set_to_none=True)
    return kept[0].detach()[:1], model.views * kept[0].grad[:1]
