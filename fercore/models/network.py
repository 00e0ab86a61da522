"""The one network that all models are made of: a trunk, a head, a classifier.

Savitri et al. (2026) publish no layers. This is the common reading of 'a CNN for FER2013', a
VGG-style stack of convolutions and a dense layer with dropout; and of 'a CNN-LSTM', the same stack
with an LSTM reading its feature map. The models differ in the head alone.
"""

from typing import Any

from torch import Tensor, nn

from fercore.labels import CLASSES
from fercore.models.heads import HEADS
from fercore.models.layers import VGGTrunk


class Network(nn.Module):
    """Grey faces (B, 1, 48, 48), values 0..255, to logits (B, 7).

    `dropout` acts before the classifier, `map_dropout` on the feature map before the head. The
    other arguments are the head's.
    """

    def __init__(
        self,
        head: str,
        hidden: int,
        *,
        width: int = 24,
        dropout: float = 0.2,
        map_dropout: float = 0.0,
        **head_arguments: Any,
    ) -> None:
        super().__init__()
        self.trunk = VGGTrunk(width)
        self.map_dropout = nn.Dropout(map_dropout)
        self.head = HEADS[head](self.trunk.channels, self.trunk.side, hidden, **head_arguments)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(self.head.features, len(CLASSES))

    def forward(self, pixels: Tensor) -> Tensor:
        feature_map = self.map_dropout(self.trunk(pixels))  # (B, C, 6, 6)
        return self.classify(self.dropout(self.head(feature_map)))
