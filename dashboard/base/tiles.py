"""Faces as pictures of a page."""

from base64 import b64encode
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.labels import SIZE


def enlarged(face: NDArray[np.uint8], factor: int) -> Image.Image:
    """A 48×48 face, each pixel a square: nothing is smoothed away or made up."""
    return Image.fromarray(face).resize((SIZE * factor, SIZE * factor), Image.Resampling.NEAREST)


def tile(face: NDArray[np.uint8], factor: int) -> str:
    """`enlarged` as a data URL, made once."""
    return _tile(face.tobytes(), factor)


@lru_cache(maxsize=4000)
def _tile(pixels: bytes, factor: int) -> str:
    return png_url(enlarged(np.frombuffer(pixels, np.uint8).reshape(SIZE, SIZE), factor))


def png_url(picture: Image.Image) -> str:
    """A picture as a data URL: given the picture, Streamlit encodes it anew each time, and one
    without colours as a JPEG.
    """
    file = BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
