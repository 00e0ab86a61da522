"""Images that look alike: by the correlation of their 12×12 thumbnails.

So small a picture forgets watermarks, compression and a pixel's shift, and keeps who looks where.
"""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fercore.data.faceset import SIZE, FaceSet
from fercore.labels import USAGES

THUMBNAIL = 12  # pixels, height and width
# Chosen by looking at FER2013's pairs: of 14 drawn between 0.96 and 0.965 all were one photo; from
# 0.95 to 0.96 one in about 15 was of two people; below 0.93 most were.
NEAR_DUPLICATE = 0.96
_STEP = SIZE // THUMBNAIL
_BLOCK = 1024  # images compared with all others at a time
_FLAT = 0.01  # a thumbnail's norm below which it has no pattern to compare


class ThumbnailIndex:
    """The thumbnails of a set, ready to be searched; FER2013's are made in under a second."""

    def __init__(self, faces: FaceSet) -> None:
        self.faces = faces
        self.vectors = thumbnails(faces.images)  # float32 (N, 144)

    def nearest(self, face: NDArray[np.uint8], k: int = 5) -> pd.DataFrame:
        """The `k` images most like `face` (48, 48), the most similar first.

        Columns: position (in the set), row, usage, label (an index), similarity (from -1 to 1),
        exact (whether all pixels are equal; these come first).
        """
        similarity = self.vectors @ thumbnails(face[None])[0]
        k = min(k, len(similarity))
        found = np.argpartition(-similarity, k - 1)[:k]
        exact = (self.faces.images[found] == face).all((1, 2))
        table = pd.DataFrame(
            {
                "position": found,
                "row": self.faces.row[found],
                "usage": self.faces.usage[found],
                "label": self.faces.labels[found],
                "similarity": np.where(exact, 1, similarity[found].clip(-1, 1)),
                "exact": exact,
            }
        )
        order = ["exact", "similarity", "position"]
        return table.sort_values(order, ascending=[False, False, True], ignore_index=True)


def nearest(faces: FaceSet, face: NDArray[np.uint8], k: int = 5) -> pd.DataFrame:
    """The `k` Training images most like `face` (48, 48); see `ThumbnailIndex.nearest`.

    For more than one face, build the index of `faces.part("Training")` once.
    """
    return ThumbnailIndex(faces.part("Training")).nearest(face, k)


def near_duplicate_pairs(index: ThumbnailIndex, threshold: float = NEAR_DUPLICATE) -> pd.DataFrame:
    """Pairs of images of different usages that are alike, but not equal in every pixel.

    Columns: first and second (positions in the set; the first is of the later usage), similarity
    from `threshold` to 1, the most similar pairs first.
    """
    rank = np.array([USAGES.index(usage) for usage in index.faces.usage])
    order = np.argsort(rank, kind="stable")
    vectors = index.vectors[order]
    starts = np.searchsorted(rank[order], np.arange(len(USAGES) + 1))
    firsts, seconds, similarities = [], [], []
    for start, end in pairwise(starts[1:]):
        for block in range(start, end, _BLOCK):
            later = slice(block, min(block + _BLOCK, end))
            similarity = vectors[later] @ vectors[:start].T
            first, second = np.nonzero(similarity >= threshold)
            firsts.append(order[block + first])
            seconds.append(order[second])
            similarities.append(similarity[first, second].clip(-1, 1))
    pairs = pd.DataFrame(
        {
            "first": np.concatenate(firsts or [np.empty(0, np.int64)]),
            "second": np.concatenate(seconds or [np.empty(0, np.int64)]),
            "similarity": np.concatenate(similarities or [np.empty(0, np.float32)]),
        }
    )
    images = index.faces.images
    exact = (images[pairs["first"]] == images[pairs["second"]]).all((1, 2))
    return pairs[~exact].sort_values("similarity", ascending=False, ignore_index=True)


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Thumbnails (N, 144) of images (N, 48, 48): zero mean, unit norm; a flat one is all zero."""
    rows = sum(images[:, i::_STEP].astype(np.uint16) for i in range(_STEP))
    small = sum(rows[:, :, i::_STEP] for i in range(_STEP))  # sums of up to 16 × 255
    vectors = small.reshape(len(images), -1).astype(np.float32) / _STEP**2
    vectors -= vectors.mean(1, keepdims=True)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(norms > _FLAT, vectors / np.maximum(norms, _FLAT), 0).astype(np.float32)
