"""The orders in which a sequence model may read a feature map. Without torch, so pages draw them.

A reading of a map of `side`×`side` positions is an array (steps, positions per step) of position
numbers, counted row by row from the top left.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Reading = NDArray[np.int64]  # (steps, positions per step)
SHUFFLE_SEED = 2013  # of the order that is taken where none is asked for


def raster(side: int) -> Reading:
    """Row by row, each from the left.

    >>> raster(2).tolist()
    [[0], [1], [2], [3]]
    """
    return np.arange(side * side)[:, None]


def snake(side: int) -> Reading:
    """Row by row, every second one from the right: no step jumps.

    >>> snake(2).tolist()
    [[0], [1], [3], [2]]
    """
    rows = np.arange(side * side).reshape(side, side)
    rows[1::2] = rows[1::2, ::-1]
    return rows.reshape(-1, 1)


def shuffled(side: int, seed: int = SHUFFLE_SEED) -> Reading:
    """Every position once, in an order that follows from `seed`."""
    return np.random.default_rng(seed).permutation(side * side)[:, None]


def rows(side: int) -> Reading:
    """A whole row a step, from the top.

    >>> rows(2).tolist()
    [[0, 1], [2, 3]]
    """
    return np.arange(side * side).reshape(side, side)


def columns(side: int) -> Reading:
    """A whole column a step, from the left.

    >>> columns(2).tolist()
    [[0, 2], [1, 3]]
    """
    return rows(side).T.copy()


def whole(side: int) -> Reading:
    """Every position in the one step there is, as Keras' `Reshape((1, -1))` of the map does.

    >>> whole(2).tolist()
    [[0, 1, 2, 3]]
    """
    return raster(side).T.copy()


READINGS: dict[str, Callable[[int], Reading]] = {
    reading.__name__: reading for reading in (raster, snake, shuffled, rows, columns, whole)
}
