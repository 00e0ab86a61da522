"""Drawn faces: the same for a seed, different for another, learnable but not perfectly."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from fercore.data import synthetic


def test_same_seed_same_faces(faces):
    again = synthetic.__wrapped__((6, 3, 3))
    other = synthetic((6, 3, 3), seed=1)
    assert again.fingerprint == faces.fingerprint
    assert other.fingerprint != faces.fingerprint
    assert faces.counts() == {
        "Training": [6] * 7,
        "PublicTest": [3] * 7,
        "PrivateTest": [3] * 7,
    }


def test_no_face_is_drawn_twice():
    drawn = synthetic()
    assert len(np.unique(drawn.pixel_hashes())) == len(drawn)
    assert not drawn.copies_of_earlier().any()


def test_expressions_can_be_learned_but_not_perfectly():
    drawn = synthetic()
    train, test = drawn.part("Training"), drawn.part("PrivateTest")
    model = make_pipeline(PCA(60, random_state=0), LogisticRegression(max_iter=300))
    model.fit(train.images.reshape(len(train), -1) / 255, train.labels)
    accuracy = model.score(test.images.reshape(len(test), -1) / 255, test.labels)
    assert 0.2 < accuracy < 0.9  # chance is 1 in 7
