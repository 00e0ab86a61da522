"""`cnn`: a plain convolutional network of the kind the paper describes.

Savitri et al. (2026) publish no layers. This is the common reading of 'a CNN for FER2013': a
VGG-style stack of 3×3 convolutions, then a fully connected layer with dropout. Global average
pooling takes the place of flattening, so that the head has about as many parameters as the LSTM
of `cnn_lstm` and the two differ in how they read the feature map, not in size.
"""

from torch import Tensor, nn

from fercore.labels import CLASSES
from fercore.models.layers import VGGTrunk


class CNN(nn.Module):
    def __init__(self, width: int = 16, hidden: int = 960, dropout: float = 0.5) -> None:
        super().__init__()
        self.trunk = VGGTrunk(width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.hidden = nn.Sequential(nn.Linear(self.trunk.channels, hidden), nn.ReLU(inplace=True))
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, len(CLASSES)))

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 1, 48, 48) grey values 0..255
        features = self.pool(self.trunk(pixels)).flatten(1)  # (B, C)
        return self.head(self.hidden(features))  # (B, 7) logits
