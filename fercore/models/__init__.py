"""Models by name. The names are had without torch; `build` imports the one asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from fercore.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn


class ModelEntry(NamedTuple):
    target: str  # module:class
    title: str
    summary: str


MODELS = {
    "cnn": ModelEntry(
        "fercore.models.cnn:CNN", "CNN", "VGG-style convolutions, average pooling, dense layer"
    ),
    "cnn_lstm": ModelEntry(
        "fercore.models.cnn_lstm:CNNLSTM",
        "CNN-LSTM",
        "the same convolutions, their 6×6 map read as 36 steps by an LSTM",
    ),
}


def model_entry(name: str) -> ModelEntry:
    if name not in MODELS:
        raise ConfigError(f"There is no model '{name}'. Choose one of: {', '.join(MODELS)}.")
    return MODELS[name]


def build(name: str, **arguments: Any) -> nn.Module:
    """A model with fresh weights. Raises `ConfigError` for an unknown name or argument."""
    module, _, class_name = model_entry(name).target.partition(":")
    try:
        return getattr(import_module(module), class_name)(**arguments)
    except TypeError as error:
        raise ConfigError(f"Model '{name}' cannot be built with {arguments}: {error}.") from error
