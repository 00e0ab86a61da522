"""Augmentation of whole batches: one affine map per image, one rectangle blanked, another light;
on the device, with no Python per image.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from fercore.training.recipes import Augmentation


def warp(images: Tensor, maps: Tensor, side: int) -> Tensor:
    """Grey images, each under its affine map, drawn `side` pixels high and wide.

    images: uint8 (B, 1, H, W). maps: (B, 2, 3), as `affine_maps` gives. Returns float32
    (B, 1, side, side), grey values 0..255; what a map brings in from outside repeats the border.
    """
    # One product for all images: torch's affine_grid takes three times as long.
    axis = (2 * torch.arange(side, device=images.device) + 1) / side - 1  # pixels' middles
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    places = torch.stack([x, y, torch.ones_like(x)]).flatten(1)  # (3, side²)
    grid = (maps.to(images.device).flatten(0, 1) @ places).view(-1, 2, side, side)
    return grid_sample(
        images.float(),
        grid.permute(0, 2, 3, 1),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )


def affine_maps(count: int, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Random maps (count, 2, 3) from output to input coordinates, both from -1 to 1.

    They mirror, rotate, shift and scale; the generator, on the CPU, decides everything.
    """
    draw = torch.rand(5, count, generator=generator)
    angle = (2 * draw[0] - 1) * math.radians(settings.degrees)
    zoom = 1 / (1 + (2 * draw[1] - 1) * settings.scale)
    mirror = torch.where(draw[2] < settings.flip, -1.0, 1.0)
    shift = (2 * draw[3:] - 1) * settings.shift * 2  # the image spans 2
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    rows = [cos * mirror, -sin, shift[0], sin * mirror, cos, shift[1]]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def erase(images: Tensor, boxes: Tensor) -> Tensor:
    """The images with a rectangle each blanked to the image's mean (Zhong et al., 2020).

    images: float32 (B, 1, side, side). boxes: (B, 4), as `random_boxes` gives.
    """
    top, bottom, left, right = (boxes.to(images.device) * images.shape[-1]).T[:, :, None]
    places = torch.arange(images.shape[-1], device=images.device) + 0.5
    down = (places >= top) & (places < bottom)  # (B, side)
    across = (places >= left) & (places < right)
    inside = (down[:, :, None] & across[:, None])[:, None]
    return torch.where(inside, images.mean((2, 3), keepdim=True), images)


def random_boxes(count: int, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Rectangles (count, 4): top, bottom, left, right as shares of the side; some of them empty.

    Their sides are a tenth to 45 % of the image's, and their middles lie anywhere in it.
    """
    draw = torch.rand(5, count, generator=generator)
    half = torch.where(draw[4] < settings.erase, 0.05 + 0.175 * draw[:2], -1.0)
    y, x = draw[2:4]
    return torch.stack([y - half[0], y + half[0], x - half[1], x + half[1]], dim=1)


def relight(images: Tensor, shades: Tensor) -> Tensor:
    """The images in another light and contrast, grey values still from 0 to 255.

    images: float32 (B, 1, side, side), 0..255. shades: (B, 2), as `random_shades` gives.
    """
    light, contrast = shades.to(images.device).T[:, :, None, None, None]
    mean = images.mean((2, 3), keepdim=True)
    relit: Tensor = mean + (images - mean) * contrast + 255 * light
    return relit.clamp(0, 255)


def random_shades(count: int, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """For each image (count, 2): the share of all greys that it is lighter by, and the factor of
    its distance from its mean.
    """
    light, contrast = 2 * torch.rand(2, count, generator=generator) - 1
    return torch.stack([light * settings.light, 1 + contrast * settings.contrast], dim=1)
