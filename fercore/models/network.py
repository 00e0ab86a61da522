"""The one network that all models are made of: a trunk, a head, a classifier.

Savitri et al. (2026) publish no layers. This is the common reading of 'a CNN for FER2013', a
VGG-style stack of convolutions and a dense layer with dropout; and of 'a CNN-LSTM', the same stack
with an LSTM reading its feature map. All models but `cnn_small` differ in the head alone.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from fercore.labels import CLASSES, SIZE
from fercore.models import WIDTH
from fercore.models.heads import HEADS
from fercore.models.layers import draw_as_keras
from fercore.models.trunks import make_trunk

MOVE = 2  # pixels, of the views that are moved


class Network(nn.Module):
    """Grey faces (B, 1, 48, 48), values 0..255, to logits (B, 7).

    Faces larger than `side` pixels are made that small first, and smaller ones that large; in a
    training these are small on purpose.

    `dropout` acts before the classifier, `map_dropout` on the feature map before the head. `views`
    is test-time augmentation, the mean logits of several views: 2, the face and its mirror image;
    10, these and both moved by `MOVE` pixels towards each corner. Without `norm` the trunk has no
    batch normalisation, and all weights are drawn as Keras does. `stem` is how 'vgg' and 'resnet'
    begin: 'halving' or 'fine'; `stride` how deep a trunk 'timm:NAME' goes, in pixels to a place of
    its map. The other arguments are the head's.
    """

    def __init__(
        self,
        head: str,
        hidden: int,
        *,
        trunk: str = "vgg",
        width: int = WIDTH,
        stem: str | None = None,
        stride: int | None = None,
        side: int = SIZE,
        views: int = 1,
        dropout: float = 0.2,
        map_dropout: float = 0.0,
        norm: bool = True,
        **head_arguments: Any,
    ) -> None:
        super().__init__()
        if views not in (1, 2, 10):
            raise TypeError(f"views may be 1, 2 or 10, not {views}")
        own = {"stem": stem, "stride": stride}  # a trunk that has none is asked for none
        own = {name: value for name, value in own.items() if value is not None}
        self.trunk = make_trunk(trunk, width, norm=norm, **own)
        self.side, self.views = side, views
        self.map_side = self.trunk.map_side(side)
        self.map_dropout = nn.Dropout(map_dropout)
        self.head = HEADS[head](self.trunk.channels, self.map_side, hidden, **head_arguments)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(self.head.features, len(CLASSES))
        if not norm:
            draw_as_keras(self)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.answer(self.head(self.map_dropout(self.feature_map(pixels))))

    def feature_map(self, pixels: Tensor) -> Tensor:
        """The trunk's map (views·B, C, side, side); outside training, of every view."""
        given = pixels.shape[-1]
        if given > self.side or (given < self.side and not self.training):
            pixels = interpolate(pixels.float(), (self.side, self.side), mode="bilinear")
        seen: Tensor = self.trunk(pixels if self.training else torch.cat(self._views(pixels)))
        return seen

    def answer(self, features: Tensor) -> Tensor:
        """Logits (B, 7) from what the head makes of the map (views·B, F)."""
        logits: Tensor = self.classify(self.dropout(self.mean_view(features)))
        return logits

    def mean_view(self, features: Tensor) -> Tensor:
        """(views·B, F) to (B, F): the mean of features is that of logits, as the classifier is
        linear.
        """
        views = 1 if self.training else self.views
        return features.reshape(views, -1, features.shape[-1]).mean(0)

    def _views(self, pixels: Tensor) -> list[Tensor]:
        seen = [pixels]
        if self.views == 10:
            side, ends = pixels.shape[-1], (0, 2 * MOVE)
            wide = pad(pixels.float(), (MOVE,) * 4, mode="replicate")
            seen += [wide[:, :, y : y + side, x : x + side] for y in ends for x in ends]
        return seen if self.views == 1 else seen + [view.flip(3) for view in seen]
