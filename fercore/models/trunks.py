"""Trunks: what turns a grey face (B, 1, 48, 48) into a feature map (B, channels, 6, 6).

Each normalises the pixels itself, has `channels`, four times its `width`, and `stride`, the pixels
to a place of the map. The first convolution has stride 2: at the full 48×48 the time would go into
pixels, not into features.
"""

from torch import Tensor, nn

from fercore.models.layers import Normalise, convolution


class VGGTrunk(nn.Sequential):
    """Three stages of two convolutions, the width doubling and the side halving, after VGG
    (Simonyan & Zisserman, 2015).
    """

    stride = 8

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


class ResNetTrunk(nn.Sequential):
    """Twice a convolution that doubles the width and a residual block, after ResNet-9 (Page,
    'How to train your ResNet', 2018).
    """

    stride = 8

    def __init__(self, width: int) -> None:
        super().__init__(
            Normalise(),
            *convolution(1, width, kernel=5, stride=2),
            *convolution(width, 2 * width),
            nn.MaxPool2d(2),
            Residual(2 * width),
            *convolution(2 * width, 4 * width),
            nn.MaxPool2d(2),
            Residual(4 * width),
        )
        self.channels = 4 * width


class Residual(nn.Sequential):
    """Two convolutions whose result is added to what they were given (He et al., 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__(*convolution(channels, channels), *convolution(channels, channels))

    def forward(self, x: Tensor) -> Tensor:  # (B, channels, H, W)
        return x + super().forward(x)


TRUNKS = {"vgg": VGGTrunk, "resnet": ResNetTrunk}
