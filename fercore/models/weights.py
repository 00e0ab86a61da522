"""A model's weights from a file, held against what the model is made of before it is built."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fercore.errors import ConfigError, MissingExtra, RunError
from fercore.models.network import Network


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights in a safetensors file by name. Raises `RunError` where it is damaged."""
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path.name} is damaged or not there.") from error
    if not all(value.isfinite().all() for value in weights.values()):
        raise RunError(f"Some weights in {path.name} are no numbers.")
    return weights


def load_weights(build: Callable[[], Network], path: Path) -> Network:
    """The model that `build` makes, with the weights of a safetensors file.

    Raises `RunError` where they are another model's, or hold what is no number.
    """
    weights = read_weights(path)
    try:
        with torch.device("meta"):  # names and shapes alone: odd arguments cost no memory
            expected = build().state_dict()
    except MissingExtra:
        raise
    except (ConfigError, RuntimeError) as error:
        raise RunError("The run's model cannot be built as its run.json says.") from error
    shapes = ({name: value.shape for name, value in one.items()} for one in (expected, weights))
    asked, given = (dict(sorted(one.items())) for one in shapes)
    if asked != given:
        odd = next(n for n in asked | given if asked.get(n) != given.get(n))
        raise RunError(f"The weights are another model's: '{ascii(odd)[1:80]}' does not fit.")
    model = build()
    model.load_state_dict(weights)
    return model
