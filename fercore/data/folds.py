"""Fresh splits of a dataset: all images pooled, and divided anew into folds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fercore.data.faceset import FaceSet, face_set
from fercore.errors import DataError

Places = NDArray[np.int64]  # of images in a set

SEED = 2013
VALIDATION_FOLDS = 9  # one of these, of what is not tested, is the part that chooses the epoch


def fold_names(name: str, folds: int) -> list[str]:
    """What the folds of a dataset of that name are called."""
    return [f"{name} fold {fold} of {folds}" for fold in range(1, folds + 1)]


def fresh_splits(faces: FaceSet, folds: int) -> Iterator[FaceSet]:
    """The set `folds` times, each image once in PrivateTest, the others in Training or PublicTest.

    Classes have nearly the same shares in all parts, PublicTest holds a ninth of what is not
    tested, and images with the same pixels stay in one part. The same set is divided the same way
    again. Raises `DataError` where no class has an image for each fold.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # takes a second to import

    pixels = faces.pixel_hashes()

    def divide(images: Places, parts: int) -> list[tuple[Places, Places]]:
        division = StratifiedGroupKFold(parts, shuffle=True, random_state=SEED)
        try:
            return list(division.split(images, faces.labels[images], pixels[images]))
        except ValueError as error:  # scikit-learn's, where every class has fewer
            raise DataError(
                f"{faces.source}: too few images to be divided into {parts} parts: no class has "
                "as many. Take a larger set."
            ) from error

    every = np.arange(len(faces))
    names = fold_names(faces.name, folds)
    for name, (others, tested) in zip(names, divide(every, folds), strict=True):
        _, validation = divide(others, VALIDATION_FOLDS)[0]
        usage = np.full(len(faces), "Training", faces.usage.dtype)
        usage[tested], usage[others[validation]] = "PrivateTest", "PublicTest"
        yield face_set(
            name, faces.images, faces.labels, usage, row=faces.row, source=faces.source,
            notes=faces.notes,
        )  # fmt: skip
