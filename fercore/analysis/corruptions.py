"""What bad light, distance or a hand do to a face: seven corruptions at five strengths.

After Hendrycks & Dietterich, 'Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations' (ICLR 2019), with kinds and strengths chosen for grey 48×48 faces.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fercore.errors import ConfigError

Images = NDArray[np.uint8]  # (N, 48, 48)

STRENGTHS = range(6)  # 0 is the untouched image
GREY = 128  # of a square that covers
_SEED = 0


class Corruption(NamedTuple):
    """`values[strength]`, in `unit`, is given to `apply`; `values[0]` changes nothing."""

    title: str
    unit: str
    values: tuple[float, ...]
    apply: Callable[[Images, float], Images]


def blur(images: Images, sigma: float) -> Images:
    """Gaussian blur; `sigma` in pixels."""
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(_floats(images), (0, sigma, sigma), mode="nearest")
    return _to_grey(smooth)


def noise(images: Images, deviation: float) -> Images:
    """Gaussian noise; `deviation` in grey levels of 0 to 255."""
    drawn = np.random.default_rng(_SEED).standard_normal(images.shape, np.float32)
    return _to_grey(images + np.float32(deviation) * drawn)


def light(images: Images, percent: float) -> Images:
    """More light, or less: so much `percent` of it."""
    return _to_grey(_floats(images) * (1 + percent / 100))


def darkness(images: Images, taken: float) -> Images:
    """Less light; `taken` of it, in percent."""
    return light(images, -taken)


def contrast(images: Images, percent: float) -> Images:
    """More contrast, or less: each image's distances from its mean, by so much `percent`."""
    floats = _floats(images)
    means = floats.mean((1, 2), keepdims=True)
    return _to_grey(means + (floats - means) * (1 + percent / 100))


def turned(images: Images, degrees: float) -> Images:
    """A turn by `degrees` about the centre, to the left where they are positive; the border
    repeats.
    """
    from scipy import ndimage

    return _to_grey(
        ndimage.rotate(_floats(images), degrees, (1, 2), reshape=False, order=1, mode="nearest")
    )


def rotation(images: Images, degrees: float) -> Images:
    """A turn by `degrees` about the centre, to the left or to the right; the border repeats."""
    left = _drawn(images, 0) < 0.5
    rotated = np.empty_like(images)
    for chosen, angle in ((left, degrees), (~left, -degrees)):
        rotated[chosen] = turned(images[chosen], angle)
    return rotated


def moved(images: Images, down: ArrayLike, right: ArrayLike) -> Images:
    """A move by whole pixels, the same or one for each image (N,); the border repeats."""
    side = np.arange(images.shape[1])
    rows, columns = (
        np.clip(side - np.broadcast_to(by, len(images))[:, None], 0, images.shape[1] - 1)
        for by in (down, right)
    )  # (N, side) each
    every = np.arange(len(images))[:, None, None]
    found: Images = images[every, rows[:, :, None], columns[:, None, :]]
    return found


def shift(images: Images, pixels: float) -> Images:
    """A move by whole `pixels` up, down, left or right; the border repeats."""
    direction = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)])[(4 * _drawn(images, 0)).astype(int)]
    return moved(images, *(int(pixels) * direction.T))


def covered(images: Images, side: float, top: ArrayLike, left: ArrayLike) -> Images:
    """A grey square of `side` pixels whose upper left corner is in row `top` and column `left`, the
    same or one for each image (N,); what of it lies outside is cut off.
    """
    places = np.arange(images.shape[1])
    within = []
    for first in (top, left):
        start = np.broadcast_to(first, len(images))[:, None]
        within.append((places >= start) & (places < start + side))  # (N, 48)
    square = within[0][:, :, None] & within[1][:, None, :]
    return np.where(square, np.uint8(GREY), images)


def occlusion(images: Images, side: float) -> Images:
    """A grey square of `side` pixels within the image, its last row and column left free."""
    free = images.shape[1] - side
    return covered(images, side, *(np.floor(free * _drawn(images, axis)) for axis in (0, 1)))


def resolution(images: Images, side: float) -> Images:
    """Block means at `side` pixels, enlarged again between them; `side` divides the image's."""
    from scipy import ndimage

    side, factor = int(side), images.shape[1] // int(side)
    small = images.reshape(len(images), side, factor, side, factor).mean((2, 4), np.float32)
    return _to_grey(
        ndimage.zoom(small, (1, factor, factor), order=1, mode="nearest", grid_mode=True)
    )


CORRUPTIONS = {
    "blur": Corruption("Blur", "deviation, pixels", (0, 0.5, 0.8, 1.2, 1.7, 2.4), blur),
    "noise": Corruption("Noise", "deviation, grey levels", (0, 5, 10, 18, 28, 40), noise),
    "darkness": Corruption("Darkness", "light taken, %", (0, 20, 40, 60, 75, 90), darkness),
    "rotation": Corruption("Rotation", "degrees", (0, 5, 10, 20, 30, 45), rotation),
    "shift": Corruption("Shift", "pixels", (0, 2, 4, 6, 9, 12), shift),
    "occlusion": Corruption("Occlusion", "side, pixels", (0, 8, 12, 16, 20, 24), occlusion),
    "resolution": Corruption("Resolution", "pixels a side", (48, 24, 16, 12, 8, 6), resolution),
}  # fmt: skip


def corrupt(images: Images, kind: str, strength: int) -> Images:
    """`images` uint8 (N, 48, 48) under one of `CORRUPTIONS`, strength 0 (untouched) to 5.

    What is random is drawn by seed, image by image: the same for every model and every strength,
    and for the first images of a larger set. Raises `ConfigError` for another kind or strength.
    """
    if kind not in CORRUPTIONS:
        known = ", ".join(CORRUPTIONS)
        raise ConfigError(f"There is no corruption '{kind}'. Choose one of: {known}.")
    if strength not in STRENGTHS:
        raise ConfigError(f"There is no strength {strength}. Choose 0 (untouched) to 5.")
    corruption = CORRUPTIONS[kind]
    return corruption.apply(images, corruption.values[strength]) if strength else images.copy()


def _floats(images: Images) -> NDArray[np.float32]:
    return images.astype(np.float32)


def _to_grey(values: NDArray[np.floating]) -> Images:
    grey: Images = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return grey


def _drawn(images: Images, stream: int) -> NDArray[np.float64]:
    """A number from 0 to 1 for each image."""
    return np.random.default_rng((_SEED, stream)).random(len(images))
