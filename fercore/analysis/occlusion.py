"""Where a model looks, asked from outside: what its answer loses when a grey square hides a place.

After Zeiler & Fergus, 'Visualizing and Understanding Convolutional Networks' (ECCV 2014). It needs
probabilities alone: of one network, of an ensemble, of one in an ONNX file. Without torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercore.analysis.corruptions import covered
from fercore.errors import ConfigError
from fercore.labels import SIZE

PATCH, STRIDE = 12, 4  # pixels: a quarter of the face's side, moved by a third of that
Answers = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # of faces (N, 48, 48), (N, 7)


@dataclass(frozen=True)
class OcclusionMap:
    """What hiding each place takes from a class's probability.

    starts: int64 (P,), the patch's first row or column at each position. drops: float64 (P, P), the
    probability untouched minus that with the patch in that row and column, from -1 to 1: positive
    where the place speaks for the class. places: float64 (48, 48), for each pixel the mean drop of
    the patches that hide it.
    """

    probability: float
    patch: int
    stride: int
    starts: NDArray[np.int64]
    drops: NDArray[np.float64]
    places: NDArray[np.float64]

    @property
    def strength(self) -> NDArray[np.float64]:
        """What speaks for the class (48, 48), from 0 (nothing) to 1 (the most)."""
        speaks = np.clip(self.places, 0, None)
        return np.asarray(speaks / max(float(speaks.max()), 1e-12))


def occlusion_map(
    answers: Answers,
    face: NDArray[np.uint8],
    target: int,
    *,
    patch: int = PATCH,
    stride: int = STRIDE,
) -> OcclusionMap:
    """Slide a grey square of `patch` pixels over a face (48, 48) in steps of `stride`, and see what
    the probability of class `target` loses. The last position touches the border.

    Raises `ConfigError` for a patch or a stride that does not fit the face.
    """
    if not 1 <= patch <= SIZE or not 1 <= stride <= patch:
        raise ConfigError(
            f"A patch has 1 to {SIZE} pixels and a stride 1 up to the patch, not {patch} and "
            f"{stride}."
        )
    last = SIZE - patch
    starts = np.unique([*range(0, last, stride), last])
    top, left = (grid.ravel() for grid in np.meshgrid(starts, starts, indexing="ij"))
    hidden = covered(np.repeat(face[None], len(top), axis=0), patch, top, left)
    probs = answers(np.concatenate([face[None], hidden]))[:, target].astype(np.float64)
    drops = (probs[0] - probs[1:]).reshape(len(starts), len(starts))
    pixels = np.arange(SIZE)[:, None]
    hides = ((pixels >= starts) & (pixels < starts + patch)).astype(np.float64)  # (48, P)
    places = hides @ drops @ hides.T / np.outer(hides.sum(1), hides.sum(1))
    return OcclusionMap(float(probs[0]), patch, stride, starts, drops, places)
