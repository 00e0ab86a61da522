"""Images that look alike: by the correlation of their 12×12 thumbnails.

So small a picture forgets watermarks, compression and a pixel's shift, and keeps who looks where.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.faceset import FaceSet
from fercore.labels import SIZE, USAGES

THUMBNAIL = 12  # pixels, height and width
# Chosen by looking at FER2013's pairs: of 14 drawn between 0.96 and 0.965 all were one photo; from
# 0.95 to 0.96 one in about 15 was of two people; below 0.93 most were.
NEAR_DUPLICATE = 0.96
_STEP = SIZE // THUMBNAIL
_BLOCK = 128  # images compared with others at a time
_COARSE = 32  # directions in which pairs are looked for first
_SAME = 1e-4  # what rounding may make of two equal thumbnails
_FLAT = 0.01  # a thumbnail's norm below which it has no pattern to compare


class ThumbnailIndex:
    """The thumbnails of a set, ready to be searched; FER2013's are made in under a second."""

    def __init__(self, faces: FaceSet) -> None:
        self.faces = faces
        self.vectors = thumbnails(faces.images)  # float32 (N, 144)

    def nearest(self, face: NDArray[np.uint8], k: int = 5) -> pd.DataFrame:
        """The `k` images most like `face` (48, 48), the most similar first.

        Columns: position (in the set), row, usage, label (an index), similarity (from -1 to 1),
        exact (whether all pixels are equal; these come first). A face of one grey value is like
        its exact copies alone: then there may be fewer than `k`.
        """
        vector = thumbnails(face[None])[0]
        exact = np.abs(self.vectors - vector).max(1) < _SAME  # the only ones that may be
        exact[exact] = (self.faces.images[exact] == face).all((1, 2))
        similarity = np.where(exact, 1, (self.vectors @ vector).clip(-1, 1))
        k = min(k, len(exact) if vector.any() else exact.sum())
        found = np.lexsort((-similarity, ~exact))[:k]
        return pd.DataFrame(
            {
                "position": found,
                "row": self.faces.row[found],
                "usage": self.faces.usage[found],
                "label": self.faces.labels[found],
                "similarity": similarity[found],
                "exact": exact[found],
            }
        )


def near_duplicate_pairs(index: ThumbnailIndex, threshold: float = NEAR_DUPLICATE) -> pd.DataFrame:
    """Pairs of images of different usages that are alike, but not equal in every pixel.

    Columns: first and second (positions in the set; the first is of the later usage), similarity
    from `threshold` to 1, the most similar pairs first.
    """
    rank = np.array([USAGES.index(usage) for usage in index.faces.usage])
    coarse = index.vectors @ _main_directions(index.vectors)
    pairs = [
        _near(coarse, np.flatnonzero(rank == later), np.flatnonzero(rank < later), threshold)
        for later in range(1, len(USAGES))
    ]
    first, second = np.concatenate(pairs, axis=1)
    similarity = np.einsum("nd,nd->n", index.vectors[first], index.vectors[second])
    alike = similarity >= threshold
    exact = (index.faces.images[first] == index.faces.images[second]).all((1, 2))
    table = pd.DataFrame({"first": first, "second": second, "similarity": similarity.clip(-1, 1)})
    found: pd.DataFrame = table[alike & ~exact]
    return found.sort_values("similarity", ascending=False, kind="stable", ignore_index=True)


def _main_directions(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The directions (144, `_COARSE`) in which thumbnails vary most, the first most of all."""
    some = vectors[:: 1 + len(vectors) // 5000]
    return np.linalg.eigh(some.T @ some)[1][:, : -_COARSE - 1 : -1].astype(np.float32)


def _near(
    coarse: NDArray[np.float32],
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
    threshold: float,
) -> NDArray[np.int64]:
    """Pairs (2, M) of positions, of `later` and of `earlier`, that may be as alike as `threshold`.

    Of unit vectors, a·b ≥ t is |a − b|² ≤ 2 − 2t, and no distance grows in a projection: so none
    is lost. Sorted along the main direction, an image need only be held against a stretch.
    """
    limit = 1 - threshold + 1e-4  # half the squared distance, and what rounding may add
    later, earlier = (places[np.argsort(coarse[places, 0])] for places in (later, earlier))
    half = (coarse**2).sum(1, keepdims=True) / 2
    ones = np.ones_like(half)
    left = np.hstack([coarse, ones, -half])[later]  # left · right is minus half of |a − b|²
    right = np.hstack([coarse, -half, ones])[earlier]
    found, reach = [np.empty((2, 0), np.int64)], np.sqrt(2 * limit)
    for block in range(0, len(later), _BLOCK):
        of_block = left[block : block + _BLOCK]
        start, end = np.searchsorted(right[:, 0], (of_block[0, 0] - reach, of_block[-1, 0] + reach))
        first, second = np.nonzero(of_block @ right[start:end].T >= -limit)
        found.append(np.stack([later[block + first], earlier[start + second]]))
    return np.concatenate(found, axis=1)


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails (N, 144) of images (N, 48, 48): zero mean, unit norm; a flat one is all zero."""
    blocks = images.reshape(len(images), THUMBNAIL, _STEP, THUMBNAIL, _STEP)
    vectors = blocks.mean((2, 4), dtype=np.float32).reshape(len(images), -1)
    vectors -= vectors.mean(1, keepdims=True)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(norms > _FLAT, vectors / np.maximum(norms, _FLAT), 0).astype(np.float32)
