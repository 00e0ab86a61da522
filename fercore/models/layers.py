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


def convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    """A convolution with batch normalisation and ReLU."""
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class VGGTrunk(nn.Sequential):
    """Grey faces (B, 1, 48, 48) to a feature map (B, 4·width, 6, 6).

    Three stages of two convolutions, the width doubling and the side halving, after VGG (Simonyan
    & Zisserman, 2015). The first convolution has stride 2: at the full 48×48 the time would go
    into pixels, not into features.
    """

    stride = 8  # pixels to a place of the map

    def __init__(self, width: int) -> None:
        super().__init__(
            Normalise(),
            *convolution(1, width, kernel=5, stride=2),
            *convolution(width, width),
            nn.MaxPool2d(2),
            *convolution(width, 2 * width),
            *convolution(2 * width, 2 * width),
            nn.MaxPool2d(2),
            *convolution(2 * width, 4 * width),
            *convolution(4 * width, 4 * width),
        )
        self.channels = 4 * width
