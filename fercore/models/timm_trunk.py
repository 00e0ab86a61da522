"""Trunks from timm (Wightman, 2019): any of its backbones that gives a feature map.

The grey picture goes into the first layer as it is: a kernel for it is the sum of those for red,
green and blue, each by its share of the normalisation that the weights were trained with. What the
channels' means differ by goes in as a second plane of ones: at the border, where zeros stand for
pixels, it is then missing just as it was. Needs the extra `transfer`.
"""

import re
from functools import lru_cache
from statistics import fmean
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from fercore.errors import ConfigError, MissingExtra
from fercore.models.elsewhere import SOURCE, check_trunk

_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?")  # no 'hf-hub:…', which would run others' settings
_GREYS = 255.0


def library() -> ModuleType:
    """timm itself. Raises `MissingExtra` where it, or the torchvision that it needs, is not."""
    check_trunk(f"{SOURCE}:any")
    _let_torchvision_in()
    try:
        import timm
    except (ImportError, RuntimeError) as error:
        raise MissingExtra(
            f"timm cannot be used: {str(error).splitlines()[0][:200]}. Install torchvision from "
            "where torch came from, in the version that belongs to it."
        ) from error
    found: ModuleType = timm
    return found


@lru_cache(maxsize=1)
def _let_torchvision_in() -> None:
    """Beside a torch without CUDA, torchvision's wheel from PyPI cannot load its own operators, and
    then fails to describe two of them. timm's networks use none: they are declared, and stay empty.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            return  # `library` tells
        arguments = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", arguments)
    except ImportError:
        return


def check_name(name: str) -> None:
    """Raise `ConfigError` for a network that timm lacks."""
    if not _NAME.fullmatch(name) or not library().is_model(name):
        raise ConfigError(
            f"timm has no network '{name[:80]}'. Its names: python -c 'import timm; "
            "print(timm.list_models())'"
        )


def whole_network(name: str, **options: Any) -> nn.Module:
    """A network of timm's with fresh weights. Raises what `check_name` does."""
    check_name(name)
    network: nn.Module = library().create_model(name, pretrained=False, **options)
    return network


def normalisation(name: str) -> tuple[list[float], list[float]]:
    """The means and deviations of red, green and blue, from 0 to 1, that its weights rest on."""
    config = library().models.get_pretrained_cfg(name, allow_unregistered=False)
    return list(config.mean), list(config.std)


class TimmTrunk(nn.Module):
    """Grey pixels (B, 1, side, side), 0..255, to the deepest map (B, channels, map side, map side)
    that has at most one place for `stride` pixels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, stride: int) -> None:
        super().__init__()
        check_name(name)
        mean, std = normalisation(name)
        self.planes = 1 if len(set(mean)) == len(set(std)) == 1 else 2
        self.net: Any = whole_network(name, in_chans=self.planes)
        stages = getattr(self.net, "feature_info", None) or []
        fit = [at for at, stage in enumerate(stages) if stage["reduction"] <= stride]
        prune = getattr(self.net, "prune_intermediate_layers", None)
        if not fit or prune is None:
            raise ConfigError(f"timm's '{name}' gives no feature map at a stride of {stride}.")
        self.channels = int(stages[fit[-1]]["num_chs"])
        self.at = prune([fit[-1]], prune_norm=True, prune_head=True)
        self.register_buffer("mean", torch.tensor(_GREYS * fmean(mean)))
        self.register_buffer("std", torch.tensor(_GREYS * fmean(std)))

    def forward(self, pixels: Tensor) -> Tensor:
        grey = (pixels.float() - self.mean) / self.std
        if self.planes == 2:
            grey = torch.cat([grey, torch.ones_like(grey)], 1)
        maps = self.net.forward_intermediates(
            grey, indices=self.at, intermediates_only=True, output_fmt="NCHW"
        )
        seen: Tensor = maps[0]
        return seen

    @torch.no_grad()
    def map_side(self, side: int) -> int:
        """Of an image of so many pixels. Raises `ConfigError` where the network takes no such."""
        training = self.training
        try:
            rows = self.eval().forward(torch.zeros(1, 1, side, side)).shape[-1]
        except (AssertionError, RuntimeError, ValueError) as error:
            raise ConfigError(f"This trunk takes no images of {side} pixels: {error}.") from error
        self.train(training)
        return int(rows)


def folded(name: str, weights: dict[str, Tensor], trunk: TimmTrunk) -> dict[str, Tensor]:
    """The state of `trunk` with a network's weights for colours, its first layer taking greys."""
    first = _first_layer(trunk.net)
    mean, std = map(torch.tensor, normalisation(name))
    state = {f"net.{key}": weights[key] for key in trunk.net.state_dict()}
    kernels = weights[f"{first}.weight"]  # (outputs, 3, height, width)

    def summed(shares: Tensor) -> Tensor:
        return (kernels * (shares / std)[:, None, None]).sum(1)

    planes = [summed(std.mean().expand(3)), summed(mean.mean() - mean)][: trunk.planes]
    state[f"net.{first}.weight"] = torch.stack(planes, 1)
    return state | {"mean": trunk.mean.clone(), "std": trunk.std.clone()}


def _first_layer(net: nn.Module) -> str:
    names = (name for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d))
    return str(next(names))
