"""The one network that all models are made of: a trunk, a head, a classifier.

Savitri et al. (2026) publish no layers. This is the common reading of 'a CNN for FER2013', a
VGG-style stack of convolutions and a dense layer with dropout; and of 'a CNN-LSTM', the same stack
with an LSTM reading its feature map. The models differ in the head alone.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from fercore.data.faceset import SIZE
from fercore.labels import CLASSES
from fercore.models.heads import HEADS
from fercore.models.layers import VGGTrunk


class Network(nn.Module):
    """Grey faces (B, 1, 48, 48), values 0..255, to logits (B, 7).

    Faces larger than `side` pixels are made that small first.

    `dropout` acts before the classifier, `map_dropout` on the feature map before the head. `views`
    is test-time augmentation: with 2, the classifier is given the mean of what the face and its
    mirror image give, which averages their logits. The other arguments are the head's.
    """

    def __init__(
        self,
        head: str,
        hidden: int,
        *,
        width: int = 24,
        side: int = SIZE,
        views: int = 1,
        dropout: float = 0.2,
        map_dropout: float = 0.0,
        **head_arguments: Any,
    ) -> None:
        super().__init__()
        self.trunk = VGGTrunk(width)
        self.side, self.views = side, views
        self.map_side = side // self.trunk.stride
        self.map_dropout = nn.Dropout(map_dropout)
        self.head = HEADS[head](self.trunk.channels, self.map_side, hidden, **head_arguments)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(self.head.features, len(CLASSES))

    def forward(self, pixels: Tensor) -> Tensor:
        if pixels.shape[-1] > self.side:
            pixels = interpolate(pixels.float(), (self.side, self.side), mode="bilinear")
        mirrored = self.views == 2 and not self.training
        seen = torch.cat([pixels, pixels.flip(3)]) if mirrored else pixels
        features = self.head(self.map_dropout(self.trunk(seen)))  # from (B, C, 6, 6) to (B, F)
        if mirrored:
            features = (features[: len(pixels)] + features[len(pixels) :]) / 2
        return self.classify(self.dropout(features))
