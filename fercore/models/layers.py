"""Layers that the models share."""

import numpy as np
import torch
from torch import Tensor, nn


class Normalise(nn.Module):
    """Grey values 0..255 to zero mean and unit variance over the training set.

    The two numbers are saved with the weights, so no caller can normalise otherwise.
    """

    def __init__(self, mean: float = 129.5, std: float = 65.0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 1, 48, 48), any dtype
        return (pixels.float() - self.mean) / self.std


def fit_normalisation(model: nn.Module, images: np.ndarray) -> None:
    """Give the model the mean and standard deviation of uint8 training images (N, 48, 48)."""
    for module in model.modules():
        if isinstance(module, Normalise):
            module.mean.fill_(float(images.mean()))
            module.std.fill_(max(float(images.std()), 1.0))


def conv_stage(inputs: int, outputs: int) -> list[nn.Module]:
    """Two 3×3 convolutions of VGG (Simonyan & Zisserman, 2015), with batch normalisation."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [
            nn.Conv2d(channels, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
    return layers


class VGGTrunk(nn.Sequential):
    """Grey faces (B, 1, 48, 48) to a feature map (B, 8·width, 6, 6).

    Four stages of two convolutions, the width doubling, with max-pooling after the first three.
    """

    def __init__(self, width: int) -> None:
        layers: list[nn.Module] = [Normalise()]
        widths = [1, width, 2 * width, 4 * width, 8 * width]
        for stage in range(4):
            layers += conv_stage(widths[stage], widths[stage + 1])
            if stage < 3:
                layers.append(nn.MaxPool2d(2))
        super().__init__(*layers)
        self.channels = widths[-1]
