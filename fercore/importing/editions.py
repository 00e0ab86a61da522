"""FER2013's JPEG editions have other pixels than the original: their images found in it again."""

import numpy as np
from numpy.typing import NDArray

from fercore.data.faceset import FaceSet
from fercore.labels import CLASSES, USAGES

_ALIKE = 0.95  # correlation of two editions of one image, at the least
_FOUND = 0.99  # of the images, that must be found for two sets to be editions of one


def rows_in_original(edition: FaceSet, original: FaceSet) -> NDArray[np.int64] | None:
    """For each test image of an edition its row in the original (N,), -1 for Training's; None
    where the two are no editions of one set.

    Images are looked for among those of the same usage and label, by the correlation of their
    pixels, and each is taken once: copies of one picture are as good as each other.
    """
    from scipy.optimize import linear_sum_assignment

    if edition.counts() != original.counts():
        return None
    rows, found = np.full(len(edition), -1, np.int64), list[NDArray[np.bool_]]()
    for usage in USAGES[1:]:
        for label in range(len(CLASSES)):
            mine, theirs = (
                np.flatnonzero((faces.usage == usage) & (faces.labels == label))
                for faces in (edition, original)
            )
            alike = _standard(edition.images[mine]) @ _standard(original.images[theirs]).T
            one, other = linear_sum_assignment(alike, maximize=True)
            rows[mine[one]] = original.row[theirs[other]]
            found.append(alike[one, other] >= _ALIKE)
    return rows if np.concatenate(found).mean() >= _FOUND else None


def _standard(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float (N, 2304), each image with mean 0 and length 1; all 0 for one of a single grey."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(length, 1e-6), np.float32)
