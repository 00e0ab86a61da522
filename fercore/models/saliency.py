"""Where a model looks: Grad-CAM on the feature map, and what each step of an LSTM contributes.

The model is asked in pieces and left as it is, without a hook: other threads may ask it meanwhile.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from fercore.labels import SIZE
from fercore.models.heads import Recurrent
from fercore.models.network import Network
from fercore.models.reading import READINGS


def grad_cam(model: Network, face: NDArray[np.uint8], target: int) -> NDArray[np.float32]:
    """What speaks for class `target` in a face, by Grad-CAM (Selvaraju et al., 2017).

    face: uint8 (48, 48). Returns float32 (48, 48) from 0 (nothing) to 1 (the most): the trunk's
    channels weighted by their mean gradient, negative evidence left out, enlarged bilinearly.
    """
    feature_map = _feature_map(model, face)
    gradient = _gradient(lambda given: model.answer(model.head(given))[0, target], feature_map)
    feature_map, gradient = feature_map[:1], model.views * gradient[:1]
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
    head = model.head
    if not isinstance(head, Recurrent):
        return None
    steps = head.steps(_feature_map(model, face))
    gradient = _gradient(lambda given: model.answer(head.read(given))[0, target], steps)
    contributions: NDArray[np.float32] = (steps[0] * gradient[0]).sum(1).numpy()
    return model.views * contributions


def steps_on_map(model: Network, contributions: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Step contributions (T,) laid back on the places they were read from, (side, side).

    None where a step is no place: a scrambled or a pooled map.
    """
    if not isinstance(model.head, Recurrent) or model.head.reading not in READINGS:
        return None
    order = model.head.places(model.map_side)  # (T, P)
    places = np.zeros(order.size, np.float32)
    places[order] = contributions[:, None] / order.shape[1]
    return places.reshape(model.map_side, -1)


def _feature_map(model: Network, face: NDArray[np.uint8]) -> Tensor:
    """The trunk's map of every view; the first is the face as it is. Sets the model to eval."""
    pixels = torch.from_numpy(np.array(face))[None, None]
    with torch.no_grad():
        return model.eval().feature_map(pixels)


def _gradient(logit: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """The derivative of `logit` by its argument; views share the logit, each with its part."""
    with torch.enable_grad():
        given = at.detach().requires_grad_()
        return torch.autograd.grad(logit(given), given)[0]
