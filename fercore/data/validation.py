"""A validation part for a set that has none: a share of Training, the same again by its seed."""

import numpy as np

from fercore.data.faceset import FaceSet, face_set
from fercore.errors import ConfigError, DataError

LEAST, MOST = 0.01, 0.5  # shares of Training that may be set aside


def with_validation(faces: FaceSet, share: float, seed: int) -> FaceSet:
    """The faces, with that share of each class's Training as PublicTest, at least one of two.

    The set has another fingerprint, by which the split is told. Raises `ConfigError` where the set
    has validation images of its own, or the share is no share.
    """
    if not LEAST <= share <= MOST:
        raise ConfigError(f"A validation share is from {LEAST} to {MOST}, not {share}.")
    if (faces.usage == "PublicTest").any():
        raise ConfigError(
            f"{faces.name} has validation images of its own (PublicTest). Leave the share out."
        )
    usage, rng = faces.usage.copy(), np.random.default_rng(seed)
    for label in np.unique(faces.labels):
        training = np.flatnonzero((faces.usage == "Training") & (faces.labels == label))
        if len(training) > 1:
            count = max(1, round(share * len(training)))
            usage[rng.choice(training, count, replace=False)] = "PublicTest"
    note = f"{100 * share:g} % of Training were drawn for validation (PublicTest) by seed {seed}."
    kept = [sentence for sentence in faces.notes if "(PublicTest), by which" not in sentence]
    return face_set(
        faces.name,
        faces.images,
        faces.labels,
        usage,
        row=faces.row,
        source=faces.source,
        notes=(*kept, note),
    )


def with_share(faces: FaceSet, share: float, seed: int) -> FaceSet:
    """The faces with that share of each class's Training, one at least, drawn by `seed`; a larger
    share holds a smaller one of the same seed.
    """
    if share >= 1:
        return faces
    rng, training = np.random.default_rng(seed), faces.usage == "Training"
    chosen = ~training
    for label in np.unique(faces.labels[training]):
        of_class = rng.permutation(np.flatnonzero(training & (faces.labels == label)))
        chosen[of_class[: max(1, round(share * len(of_class)))]] = True
    return faces.where(chosen)


def check_parts(faces: FaceSet) -> None:
    """Raise `DataError` where a training has nothing to learn from, or to choose its epoch by."""
    if not (faces.usage == "Training").any():
        raise DataError(f"{faces.name} has no images to train on (Training).")
    if not (faces.usage == "PublicTest").any():
        raise DataError(
            f"{faces.name} has no validation images (PublicTest), by which a training chooses its "
            "epoch. Set a share of Training aside: --validation 0.1, or in the form under More."
        )
