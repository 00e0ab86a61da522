"""Heads: what turns the trunk's feature map (B, C, 6, 6) into one vector (B, features).

All of them are sized by `hidden`, so that networks that differ in the head alone can be given the
same number of parameters. Each has `features`, the length of the vector it gives.
"""

import torch
from torch import Tensor, nn

from fercore.models.reading import READINGS, SHUFFLE_SEED, Reading, shuffled


class Head(nn.Module):
    """(B, C, side, side) to (B, features)."""

    features: int


class Pooled(Head):
    """Global average pooling (Lin et al., 2014), then a dense layer."""

    def __init__(self, channels: int, side: int, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(inplace=True))
        self.features = hidden

    def forward(self, feature_map: Tensor) -> Tensor:
        features: Tensor = self.dense(feature_map.mean((2, 3)))
        return features


class Flattened(Head):
    """Every value of the map into a dense layer, as VGG does."""

    def __init__(self, channels: int, side: int, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(channels * side * side, hidden), nn.ReLU(inplace=True))
        self.features = hidden

    def forward(self, feature_map: Tensor) -> Tensor:
        features: Tensor = self.dense(feature_map.flatten(1))
        return features


class Recurrent(Head):
    """An LSTM (Hochreiter & Schmidhuber, 1997) over a sequence made of the map.

    reading: an order of `READINGS`; 'pooled', the map's mean as a sequence of length one; or
    'scrambled', the error of porting a channels-last reshape: a channels-first map (C, 36) is
    taken as (36, C), so that every step holds stretches of channels and no position.
    summary: which states are classified: the 'last', their 'mean', an 'attention'-weighted mean
    with one learned query, or all of them, 'flattened' side by side.
    order: the seed of the 'shuffled' reading. upper: the size of a second LSTM that reads the first
    one's states.
    """

    order: Tensor

    def __init__(
        self,
        channels: int,
        side: int,
        hidden: int,
        *,
        reading: str = "raster",
        summary: str = "last",
        bidirectional: bool = False,
        order: int = SHUFFLE_SEED,
        upper: int | None = None,
    ) -> None:
        super().__init__()
        self.reading, self.summary, self.seed = reading, summary, order
        steps, step_size = (1 if reading == "pooled" else side * side), channels
        if reading in READINGS:
            places = torch.from_numpy(self.places(side))  # (T, P)
            self.register_buffer("order", places, persistent=False)
            steps, step_size = len(places), channels * places.shape[1]
        self.lstm = nn.LSTM(step_size, hidden, batch_first=True, bidirectional=bidirectional)
        self.features = hidden * (2 if bidirectional else 1)
        self.upper = nn.LSTM(self.features, upper, batch_first=True) if upper else None
        self.features = upper or self.features
        self.query = nn.Linear(self.features, 1) if summary == "attention" else None
        self.features *= steps if summary == "flattened" else 1

    def forward(self, feature_map: Tensor) -> Tensor:
        return self.read(self.steps(feature_map))

    def read(self, steps: Tensor) -> Tensor:
        """What the LSTM makes of a sequence (B, T, step size): (B, features)."""
        states: Tensor = self.lstm(steps)[0]  # (B, T, size of a state)
        if self.upper:
            states = self.upper(states)[0]
        if self.summary == "last":
            return states[:, -1]
        if self.summary == "mean":
            return states.mean(1)
        if self.query is None:
            return states.flatten(1)
        weights: Tensor = self.query(states).softmax(1)  # (B, T, 1)
        return (weights * states).sum(1)

    def steps(self, feature_map: Tensor) -> Tensor:
        """The sequence (B, T, step size) that the LSTM reads."""
        if self.reading == "pooled":
            return feature_map.mean((2, 3))[:, None]  # (B, 1, C)
        positions = feature_map.flatten(2)  # (B, C, 36)
        if self.reading == "scrambled":
            return positions.reshape(-1, *positions.shape[:0:-1])  # (B, 36, C)
        chosen = positions[:, :, self._order(feature_map.shape[-1])]  # (B, C, T, P)
        return chosen.permute(0, 2, 3, 1).flatten(2)  # (B, T, P·C)

    def _order(self, side: int) -> Tensor:
        if side * side == self.order.numel():
            return self.order
        return torch.from_numpy(self.places(side))  # of a training on smaller images

    def places(self, side: int) -> Reading:
        """Which places of a map of so many rows each step reads (T, P)."""
        return (
            shuffled(side, self.seed)
            if self.reading == "shuffled"
            else READINGS[self.reading](side)
        )


class SelfAttention(Head):
    """One Transformer block (Vaswani et al., 2017) over the positions, then their mean.

    Normalisation comes first (Xiong et al., 2020), and each position has a learned embedding.
    """

    def __init__(self, channels: int, side: int, hidden: int, *, heads: int = 4) -> None:
        super().__init__()
        self.heads, self.features = heads, channels
        self.place = nn.Parameter(0.02 * torch.randn(side * side, channels))
        self.norm = nn.LayerNorm(channels)
        self.projections = nn.Linear(channels, 3 * channels)
        self.mix = nn.Linear(channels, channels)
        self.dense = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, hidden), nn.GELU(),
            nn.Linear(hidden, channels),
        )  # fmt: skip

    def forward(self, feature_map: Tensor) -> Tensor:
        x = feature_map.flatten(2).transpose(1, 2) + self.place  # (B, 36, C)
        attended: Tensor = x + self.attend(self.norm(x))
        mixed: Tensor = attended + self.dense(attended)
        return mixed.mean(1)

    def attend(self, x: Tensor) -> Tensor:
        batch, steps, channels = x.shape
        parts = self.projections(x).view(batch, steps, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, heads, 36, C/heads)
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        mixed = scores.softmax(-1) @ value
        attended: Tensor = self.mix(mixed.transpose(1, 2).reshape(batch, steps, channels))
        return attended


HEADS: dict[str, type[Head]] = {
    "pooled": Pooled,
    "flattened": Flattened,
    "recurrent": Recurrent,
    "self_attention": SelfAttention,
}
