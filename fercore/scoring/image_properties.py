"""What can be measured in an image without a model: light, contrast, sharpness."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.faceset import FaceSet

# Grey levels within which an image has nothing to show; a white page saved as JPEG has a few.
_NOISE = 8
_BLOCK = 2048  # images at a time


def measure(images: NDArray[np.uint8]) -> pd.DataFrame:
    """One line per image of `images` (N, 48, 48), grey values from 0 to 255.

    brightness: mean grey. contrast: standard deviation of the grey values. sharpness: variance of
    the Laplacian (Pech-Pacheco et al., 2000), over the pixels that have four neighbours.
    constant: bool, see `is_constant`.
    """
    blocks = [_measure(images[start : start + _BLOCK]) for start in range(0, len(images), _BLOCK)]
    return pd.concat(blocks or [_measure(images)], ignore_index=True)


def measured_in(faces: FaceSet, pixels: NDArray[np.int64]) -> pd.DataFrame | None:
    """`measure` of those images that `faces` hold, None where they hold none.

    pixels (N,): the images' hashes, which are the table's index.
    """
    pixels = np.unique(pixels)
    place = faces.positions(pixels)
    found = place >= 0
    if not found.any():
        return None
    return measure(np.asarray(faces.images[place[found]])).set_axis(pixels[found])


def is_constant(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether all pixels of an image are equal (N,), but for the noise of a compression."""
    return np.asarray(np.ptp(images, axis=(1, 2)) <= _NOISE)


def _measure(images: NDArray[np.uint8]) -> pd.DataFrame:
    grey = np.asarray(images, np.float32)
    return pd.DataFrame(
        {
            "brightness": grey.mean((1, 2)),
            "contrast": grey.std((1, 2)),
            "sharpness": _laplacian(grey).var((1, 2)),
            "constant": is_constant(images),
        }
    )


def _laplacian(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, H, W) to (N, H - 2, W - 2)."""
    sides = grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] + grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1]
    return sides - 4 * grey[:, 1:-1, 1:-1]
