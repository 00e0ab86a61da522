"""Sets of indices in a URL: which images a lasso holds, in a few hundred letters at most for
FER2013's test parts.
"""

import base64
import zlib
from collections.abc import Collection

import numpy as np

_MOST = 2**17  # indices up to here are read, so that a link costs no memory


def written(indices: Collection[int]) -> str:
    """A bit for each index up to the highest, compressed, in letters that a URL takes as they are.

    >>> read(written([3, 5, 8]))
    (3, 5, 8)
    """
    held = np.zeros(max(indices, default=-1) + 1, bool)
    held[list(indices)] = True
    packed = zlib.compress(np.packbits(held).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(text: str) -> tuple[int, ...]:
    """The indices, ascending. Raises `ValueError` for what `written` did not write."""
    unpacking = zlib.decompressobj()
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        bits = unpacking.decompress(packed, _MOST // 8)
    except (ValueError, zlib.error) as error:
        raise ValueError(text) from error
    if not unpacking.eof:  # cut short, or too much
        raise ValueError(text)
    return tuple(np.flatnonzero(np.unpackbits(np.frombuffer(bits, np.uint8))).tolist())
