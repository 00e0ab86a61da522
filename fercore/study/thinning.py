"""How a study keeps probabilities: as they are, in half the bytes, or in a quarter.

Whatever is lost, the most probable class of every image stays what it was, and each row adds up
to one.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.files import write_parquet
from fercore.scoring.predictions import PROBABILITY_COLUMNS

Stored = NDArray[np.float32] | NDArray[np.float16] | NDArray[np.uint8]

_LEVELS = 255  # of a byte; they stand for square roots, so that small probabilities differ too


def halved(probs: NDArray[np.float32]) -> NDArray[np.float16]:
    """Probabilities (N, 7) to three digits."""
    stored = probs.astype(np.float16)
    top, tied = _lost(stored, probs)
    stored[tied, top] = np.nextafter(stored[tied].max(1), np.float16(2))
    return stored


def thinned(probs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities (N, 7) as a byte each, off by 0.005 at most."""
    stored: NDArray[np.uint8] = np.rint(_LEVELS * np.sqrt(probs)).astype(np.uint8)
    top, tied = _lost(stored, probs)
    stored[tied, top] = stored[tied].max(1) + 1
    return stored


def restored(stored: Stored) -> NDArray[np.float32]:
    """Probabilities (N, 7) from what was kept of them; float32 is given back as it is."""
    if stored.dtype == np.float32:
        return stored.astype(np.float32, copy=False)
    probs: NDArray[np.float64] = stored.astype(np.float64)
    if stored.dtype == np.uint8:
        probs = (probs / _LEVELS) ** 2
    whole: NDArray[np.float32] = (probs / probs.sum(1, keepdims=True)).astype(np.float32)
    return whole


def stored_frame(stored: Stored) -> pd.DataFrame:
    """What is kept (N, 7) as a table."""
    return pd.DataFrame(stored, columns=PROBABILITY_COLUMNS)


def with_probs(images: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The images beside their probabilities in a file. Raises `ValueError` where it has others."""
    frame = pd.read_parquet(path)
    kinds = set(map(str, frame.dtypes))
    known = list(frame.columns) == PROBABILITY_COLUMNS and len(frame) == len(images)
    if not known or len(kinds) > 1 or not kinds <= {"float32", "float16", "uint8"}:
        raise ValueError("it holds other columns or lines")
    probs = restored(frame.to_numpy())
    return images.assign(**dict(zip(PROBABILITY_COLUMNS, probs.T, strict=True)))


def write_compactly(path: Path, frame: pd.DataFrame) -> None:
    """A table in the fewest bytes: floats split by byte, the rest by dictionary."""
    floats = [name for name in frame if frame[name].dtype.kind == "f"]
    write_parquet(
        path,
        frame,
        compression="zstd",
        use_dictionary=[name for name in frame if name not in floats],
        use_byte_stream_split=floats or False,
    )


def _lost(
    stored: Stored, probs: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The most probable class of the images whose was lost to rounding, and which these are."""
    top = probs.argmax(1)
    tied = np.flatnonzero(stored.argmax(1) != top)
    return top[tied], tied
