"""From 48×48 faces to logits and probabilities, with torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercore.models.layers import fold_norms
from fercore.models.network import Network
from fercore.models.precision import Precision

BATCH = 256  # views of faces at a time: ten of each where a model sees ten


def for_inference(model: Network) -> Network:
    """The model changed in place: from now on it only answers, faster, the same up to rounding."""
    fold_norms(model.eval())
    # torch's stub does not know this argument.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


@torch.inference_mode()
def predict_logits(model: Network, images: NDArray[np.uint8], *, precision: Precision) -> Tensor:
    """Logits float32 (N, 7), on the CPU, of uint8 faces (N, 48, 48). Sets the model to eval."""
    model.eval()
    logits = []
    count = max(1, BATCH // model.views)
    for start in range(0, len(images), count):
        batch = torch.tensor(images[start : start + count], device=precision.device)[:, None]
        with precision.autocast():
            logits.append(model(batch).float().cpu())
    return torch.cat(logits) if logits else torch.empty(0, 7)


def predict_probs(
    model: Network, images: NDArray[np.uint8], *, precision: Precision
) -> NDArray[np.float32]:
    """Probabilities float32 (N, 7), rows summing to 1, of uint8 faces (N, 48, 48)."""
    probs: NDArray[np.float32] = (
        predict_logits(model, images, precision=precision).softmax(1).numpy()
    )
    return probs
