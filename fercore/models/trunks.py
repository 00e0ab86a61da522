"""Trunks: what turns a grey face (B, 1, 48, 48) into a feature map (B, channels, 6, 6).

Each normalises the pixels itself, and has `channels`, four times its `width`, and `map_side`, the
side of the map of an image of so many pixels. 'vgg' and 'resnet' begin with a stride of 2: at the
full 48×48 the time would go into pixels, not into features; or with a finer stem. 'valid' and
'deep' are what public notebooks have.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from fercore.models.elsewhere import STRIDE, check_trunk
from fercore.models.layers import Normalise, convolution

if TYPE_CHECKING:
    from fercore.models.timm_trunk import TimmTrunk

_FINE = (16, 32)  # channels of the fine stem's convolutions


class Trunk(nn.Sequential):
    """(B, 1, side, side) to (B, channels, map side, map side): the pixels are normalised, then go
    through `layers`.
    """

    def __init__(self, width: int, *layers: nn.Module) -> None:
        super().__init__(Normalise(), *layers)
        self.channels = 4 * width

    def map_side(self, side: int) -> int:
        return side // 8


def _stem(kind: str, width: int, *, norm: bool) -> tuple[int, list[nn.Module]]:
    """What halves the image, and how many channels it gives: a 5×5 convolution of stride 2 to
    `width`; or 'fine', two 3×3 ones at full resolution, to a few channels, and a pooling.
    """
    if kind not in ("halving", "fine"):
        raise TypeError(f"a stem may be 'halving' or 'fine', not '{kind}'")
    if kind == "halving":
        return width, convolution(1, width, kernel=5, stride=2, norm=norm)
    first, second = _FINE
    layers = [*convolution(1, first, norm=norm), *convolution(first, second, norm=norm)]
    return second, [*layers, nn.MaxPool2d(2)]


class VGGTrunk(Trunk):
    """Three stages of two convolutions, the width doubling and the side halving, after VGG
    (Simonyan & Zisserman, 2015).
    """

    def __init__(self, width: int, *, norm: bool, stem: str = "halving") -> None:
        layer = partial(convolution, norm=norm)
        channels, begin = _stem(stem, width, norm=norm)
        super().__init__(
            width,
            *begin,
            *layer(channels, width),
            nn.MaxPool2d(2),
            *layer(width, 2 * width),
            *layer(2 * width, 2 * width),
            nn.MaxPool2d(2),
            *layer(2 * width, 4 * width),
            *layer(4 * width, 4 * width),
        )


class ResNetTrunk(Trunk):
    """Twice a convolution that doubles the width and a residual block, after ResNet-9 (Page,
    'How to train your ResNet', 2018).
    """

    def __init__(self, width: int, *, norm: bool, stem: str = "halving") -> None:
        if not norm:
            raise TypeError("the residual trunk rests on its batch normalisation")
        channels, begin = _stem(stem, width, norm=norm)
        super().__init__(
            width,
            *begin,
            *convolution(channels, 2 * width),
            nn.MaxPool2d(2),
            Residual(2 * width),
            *convolution(2 * width, 4 * width),
            nn.MaxPool2d(2),
            Residual(4 * width),
        )


class ValidTrunk(Trunk):
    """Three 3×3 convolutions without padding, each with pooling, at full resolution: what
    `0yewasey-08/Facial-Emotion-Recognition-using-CNN-LSTM` has, at a width of 64, without norms.
    """

    def __init__(self, width: int, *, norm: bool) -> None:
        layer = partial(convolution, norm=norm, pad=False)
        super().__init__(
            width,
            *layer(1, width),
            nn.MaxPool2d(2),
            *layer(width, 2 * width),
            nn.MaxPool2d(2),
            *layer(2 * width, 4 * width),
            nn.MaxPool2d(2),
        )

    def map_side(self, side: int) -> int:
        for _ in range(3):
            side = (side - 2) // 2
        return side


class DeepTrunk(Trunk):
    """Two 5×5 and four 3×3 convolutions, pooling after every second, at full resolution: what
    `abhishek2chikun/Facial_Emotion_Detection_CNN-LSTM` has, at a width of 64.
    """

    def __init__(self, width: int, *, norm: bool) -> None:
        layer = partial(convolution, norm=norm)
        super().__init__(
            width,
            *layer(1, width, kernel=5),
            *layer(width, width, kernel=5),
            nn.MaxPool2d(2),
            *layer(width, 2 * width),
            *layer(2 * width, 2 * width),
            nn.MaxPool2d(2),
            *layer(2 * width, 4 * width),
            *layer(4 * width, 4 * width),
            nn.MaxPool2d(2),
        )


class Residual(nn.Sequential):
    """Two convolutions whose result is added to what they were given (He et al., 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__(*convolution(channels, channels), *convolution(channels, channels))

    def forward(self, x: Tensor) -> Tensor:  # (B, channels, H, W)
        change = x
        for layer in self:
            change = layer(change)
        return x + change


def make_trunk(trunk: str, width: int, *, norm: bool, **arguments: Any) -> "Trunk | TimmTrunk":
    """One of `TRUNKS`, or a 'timm:NAME'. `arguments` are its own: a stem, or timm's stride."""
    if ":" not in trunk:
        return TRUNKS[trunk](width, norm=norm, **arguments)
    check_trunk(trunk)
    from fercore.models.timm_trunk import TimmTrunk

    if not norm:
        raise TypeError("a trunk from elsewhere has the normalisation that it has")
    return TimmTrunk(trunk.partition(":")[2], **{"stride": STRIDE} | arguments)


TRUNKS: dict[str, Callable[..., Trunk]] = {
    "vgg": VGGTrunk,
    "resnet": ResNetTrunk,
    "valid": ValidTrunk,
    "deep": DeepTrunk,
}
