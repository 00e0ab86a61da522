"""`cnn_lstm`: the trunk of `cnn`, its feature map read as a sequence by an LSTM.

Savitri et al. (2026) publish no layers. This is the variant most public code uses: the 6×6 map's
positions in raster order are 36 steps, and the last hidden state is classified.
"""

from torch import Tensor, nn

from fercore.labels import CLASSES
from fercore.models.layers import VGGTrunk


class CNNLSTM(nn.Module):
    def __init__(self, width: int = 16, hidden: int = 128, dropout: float = 0.5) -> None:
        super().__init__()
        self.trunk = VGGTrunk(width)
        self.lstm = nn.LSTM(self.trunk.channels, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden, len(CLASSES)))

    def forward(self, pixels: Tensor) -> Tensor:  # (B, 1, 48, 48) grey values 0..255
        features = self.trunk(pixels)  # (B, C, 6, 6)
        steps = features.flatten(2).transpose(1, 2)  # (B, 36, C), row by row
        states, _ = self.lstm(steps)  # (B, 36, hidden)
        return self.head(states[:, -1])  # (B, 7) logits
