"""From 48×48 faces to logits and probabilities, with torch."""

import numpy as np
import torch
from torch import Tensor, nn

from fercore.precision import Precision

BATCH = 256


@torch.inference_mode()
def predict_logits(model: nn.Module, images: np.ndarray, *, precision: Precision) -> Tensor:
    """Logits float32 (N, 7), on the CPU, of uint8 faces (N, 48, 48). Sets the model to eval."""
    model.eval()
    logits = []
    for start in range(0, len(images), BATCH):
        batch = torch.tensor(images[start : start + BATCH], device=precision.device)[:, None]
        with precision.autocast():
            logits.append(model(batch).float().cpu())
    return torch.cat(logits) if logits else torch.empty(0, 7)


def predict_probs(model: nn.Module, images: np.ndarray, *, precision: Precision) -> np.ndarray:
    """Probabilities float32 (N, 7), rows summing to 1, of uint8 faces (N, 48, 48)."""
    return predict_logits(model, images, precision=precision).softmax(1).numpy()
