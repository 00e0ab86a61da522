"""Fresh splits: every image tested once, none in two parts, the classes' shares kept."""

import numpy as np
import pytest

from fercore import data
from fercore.data import FaceSet, face_set
from fercore.data.folds import fold_names, fresh_splits
from fercore.errors import DataError

FOLDS = 3


@pytest.fixture(scope="module")
def pool() -> FaceSet:
    """Drawn faces, a fifth of them there twice, some of those copies under another label."""
    faces = data.synthetic((40, 10, 10))
    copies = np.arange(0, len(faces), 5)
    labels = np.concatenate([faces.labels, faces.labels[copies]])
    labels[-len(copies) :: 7] = (labels[-len(copies) :: 7] + 1) % 7
    images = np.concatenate([faces.images, faces.images[copies]])
    usage = np.concatenate([faces.usage, np.roll(faces.usage[copies], 30)])
    return face_set("pool", images, labels, usage)


@pytest.fixture(scope="module")
def splits(pool) -> list[FaceSet]:
    return list(fresh_splits(pool, FOLDS))


def test_too_few_images_are_one_sentence():
    with pytest.raises(DataError, match="too few images to be divided into 5 parts"):
        list(fresh_splits(data.synthetic((1, 1, 1)), 5))


def test_every_image_is_tested_once(pool, splits):
    tested = np.concatenate([split.part("PrivateTest").row for split in splits])
    np.testing.assert_array_equal(np.sort(tested), pool.row)
    for split in splits:
        np.testing.assert_array_equal(split.images, pool.images)
        np.testing.assert_array_equal(split.labels, pool.labels)


def test_the_same_pixels_are_in_one_part(pool, splits):
    assert pool.copies_of_earlier().any()
    for split in splits:
        parts = [set(split.part(usage).pixel_hashes()) for usage in np.unique(split.usage)]
        assert len(parts) == 3
        assert sum(map(len, parts)) == len(set.union(*parts))
        assert not split.copies_of_earlier().any()


def test_classes_keep_their_shares(pool, splits):
    whole = np.bincount(pool.labels) / len(pool)
    for split in splits:
        sizes = {usage: sum(counts) / len(pool) for usage, counts in split.counts().items()}
        assert sizes["PrivateTest"] == pytest.approx(1 / FOLDS, abs=0.01)
        assert sizes["PublicTest"] == pytest.approx((1 - 1 / FOLDS) / 9, abs=0.01)
        for counts in split.counts().values():
            np.testing.assert_allclose(np.array(counts) / sum(counts), whole, atol=0.03)


def test_the_same_set_is_divided_the_same_way_again(pool, splits):
    again = list(fresh_splits(pool, FOLDS))
    assert [split.fingerprint for split in again] == [split.fingerprint for split in splits]
    assert len({split.fingerprint for split in (pool, *splits)}) == FOLDS + 1
    assert [split.name for split in splits] == fold_names("pool", FOLDS)
