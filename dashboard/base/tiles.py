"""Faces as pictures of a page."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.figures.pictures import png_url
from fercore.labels import SIZE


def enlarged(face: NDArray[np.uint8], factor: int) -> Image.Image:
    """A 48×48 face, each pixel a square: nothing is smoothed away or made up."""
    return Image.fromarray(face).resize((SIZE * factor, SIZE * factor), Image.Resampling.NEAREST)


def tile(face: NDArray[np.uint8], factor: int) -> str:
    """`enlarged` as a data URL, made once: given the picture, Streamlit encodes it anew each time,
    and one without colours as a JPEG.
    """
    return _tile(face.tobytes(), factor)


@lru_cache(maxsize=4000)
def _tile(pixels: bytes, factor: int) -> str:
    return png_url(enlarged(np.frombuffer(pixels, np.uint8).reshape(SIZE, SIZE), factor))
