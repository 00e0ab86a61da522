"""Layers that the models share."""

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Normalise(nn.Module):
    """Grey values 0..255 to zero mean and unit variance over the training set.

    The two numbers are saved with the weights, so no caller can normalise otherwise.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: float = 129.5, std: float = 65.0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 1, 48, 48), any dtype
        return (pixels.float() - self.mean) / self.std


def fit_normalisation(model: nn.Module, images: NDArray[np.uint8]) -> None:
    """Give the model the mean and standard deviation of uint8 training images (N, 48, 48)."""
    std, mean = torch.std_mean(torch.tensor(images).float(), correction=0)
    for module in model.modules():
        if isinstance(module, Normalise):
            module.mean.copy_(mean)
            module.std.copy_(std.clamp_min(1.0))


def fold_norms(model: nn.Module) -> None:
    """Multiply every batch normalisation into the convolution before it, for evaluation alone."""
    for module in model.modules():
        if isinstance(module, nn.Sequential):
            for at, (layer, following) in enumerate(pairwise(module)):
                if not isinstance(layer, nn.Conv2d) or not isinstance(following, nn.BatchNorm2d):
                    continue
                if type(following) is nn.BatchNorm2d:  # timm's own do more than normalise
                    module[at] = fuse_conv_bn_eval(layer, following)
                    module[at + 1] = nn.Identity()


def convolution(
    inputs: int,
    outputs: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    norm: bool = True,
    pad: bool = True,
) -> list[nn.Module]:
    """A convolution and ReLU, with batch normalisation between them or without.

    pad: whether zeros around the image keep its side; else it shrinks by `kernel` - 1 pixels.
    """
    padding = kernel // 2 if pad else 0
    return [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=padding, bias=not norm),
        *([nn.BatchNorm2d(outputs)] if norm else []),
        nn.ReLU(inplace=True),
    ]


@torch.no_grad()
def draw_as_keras(model: nn.Module) -> None:
    """Draw fresh weights as Keras does, which public networks without batch normalisation rest on.

    Kernels uniformly by Glorot & Bengio (2010), an LSTM's recurrent ones orthogonal (Saxe et al.,
    2014), biases zero, but those of an LSTM's forget gate one (Jozefowicz et al., 2015).
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.LSTM):
            for name, value in module.named_parameters():
                if "bias" in name:
                    value.zero_()
                    if "ih" in name:
                        value[module.hidden_size : 2 * module.hidden_size] = 1.0
                else:
                    draw = nn.init.orthogonal_ if "hh" in name else nn.init.xavier_uniform_
                    draw(value)
