"""Models by name. The names are had without torch; `build` imports the one asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fercore.errors import ConfigError

if TYPE_CHECKING:
    from fercore.models.network import Network


WIDTH = 24  # channels of a trunk's first convolution, where a recipe says nothing else


class ModelEntry(NamedTuple):
    """A head on a trunk. `hidden` makes those on the shared one as large as `cnn`, within 5 % at
    the default width.
    """

    title: str
    summary: str
    arguments: dict[str, Any]

    @property
    def takes_any_size(self) -> bool:
        """Whether a training may begin with images smaller than the last ones."""
        sized = self.arguments.get("reading") in ("rows", "columns", "whole")
        sized |= self.arguments.get("summary") == "flattened"
        return self.arguments["head"] in ("pooled", "recurrent") and not sized

    def drawn(self, arguments: dict[str, Any], seed: int) -> dict[str, Any]:
        """The arguments of a training by `seed`: where the order of reading is random, its own."""
        shuffled = self.arguments.get("reading") == "shuffled"
        return ({"order": seed} if shuffled else {}) | arguments


def _lstm(hidden: int, **arguments: Any) -> dict[str, Any]:
    return {"head": "recurrent", "hidden": hidden} | arguments


MODELS = {
    "cnn": ModelEntry(
        "CNN", "convolutions, global average pooling, dense layer",
        {"head": "pooled", "hidden": 1120},
    ),
    "cnn_lstm": ModelEntry(
        "CNN-LSTM", "the same convolutions, their 6×6 map read as 36 steps by an LSTM", _lstm(128),
    ),
    "cnn_flatten": ModelEntry(
        "CNN, flattened", "the map's values all go into a dense layer",
        {"head": "flattened", "hidden": 34},
    ),
    "cnn_attention": ModelEntry(
        "CNN, self-attention", "a Transformer block over the 36 positions, no LSTM",
        {"head": "self_attention", "hidden": 384},
    ),
    "cnn_lstm_one": ModelEntry(
        "CNN-LSTM, one step", "the map's mean as a sequence of length one",
        _lstm(128, reading="pooled"),
    ),
    "cnn_lstm_rows": ModelEntry(
        "CNN-LSTM, rows", "6 steps, a whole row each", _lstm(46, reading="rows"),
    ),
    "cnn_lstm_columns": ModelEntry(
        "CNN-LSTM, columns", "6 steps, a whole column each", _lstm(46, reading="columns"),
    ),
    "cnn_lstm_snake": ModelEntry(
        "CNN-LSTM, snake", "36 steps, every second row backwards", _lstm(128, reading="snake"),
    ),
    "cnn_lstm_shuffled": ModelEntry(
        "CNN-LSTM, random order", "36 steps in an order that its seed draws",
        _lstm(128, reading="shuffled"),
    ),
    "cnn_lstm_scrambled": ModelEntry(
        "CNN-LSTM, scrambled", "a channels-last reshape of a channels-first map",
        _lstm(128, reading="scrambled"),
    ),
    "cnn_lstm_mean": ModelEntry(
        "CNN-LSTM, mean", "36 steps, the mean of all states", _lstm(128, summary="mean"),
    ),
    "cnn_lstm_bidirectional": ModelEntry(
        "CNN-BiLSTM, mean", "36 steps, both ways, the mean of all states",
        _lstm(80, summary="mean", bidirectional=True),
    ),
    "cnn_lstm_attention": ModelEntry(
        "CNN-LSTM, attention", "36 steps, states weighted by a learned query",
        _lstm(128, summary="attention"),
    ),
    "cnn_lstm_flattened": ModelEntry(
        "CNN-LSTM, flattened", "36 steps, all states side by side",
        _lstm(108, summary="flattened"),
    ),
    "cnn_lstm_whole": ModelEntry(
        "CNN-LSTM, one long step", "the whole map's values as a sequence of length one",
        _lstm(8, reading="whole"),
    ),
    "cnn_small": ModelEntry(
        "Small CNN", "the CNN on a narrow residual trunk, for the webcam",
        {"head": "pooled", "hidden": 128, "trunk": "resnet", "width": 32},
    ),
}  # fmt: skip


def model_entry(name: str) -> ModelEntry:
    if name not in MODELS:
        raise ConfigError(f"There is no model '{name}'. Choose one of: {', '.join(MODELS)}.")
    return MODELS[name]


def build(name: str, **arguments: Any) -> Network:
    """A model with fresh weights. Raises `ConfigError` for an unknown name or argument, or a value
    that it cannot have.
    """
    from fercore.models.network import Network

    try:
        return Network(**(model_entry(name).arguments | arguments))
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise ConfigError(f"Model '{name}' cannot be built with {arguments}: {error}.") from error
