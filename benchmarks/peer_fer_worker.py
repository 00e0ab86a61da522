"""Asks pip's `fer` about faces and photos; run by benchmarks/peer_fer.py in the peer's Python.

Reads faces uint8 (N, 48, 48) and photos uint8 (M, H, W, 3) RGB; writes the probabilities (N, 7) of
its classes, which are FER2013's, for the faces, the index of what it says of each photo, -1 where
it finds no face, and milliseconds.
"""

import sys
import time
from importlib.metadata import version

import cv2
import numpy as np
from fer.fer import FER

CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
SIDE = 64  # pixels, of its model's input
BATCH, ONE_FACE_ROUNDS = 256, 100


def prepared(faces: np.ndarray) -> np.ndarray:
    """Faces as `FER.detect_emotions` prepares them: 64×64, from −1 to 1."""
    large = np.stack([cv2.resize(face, (SIDE, SIDE)) for face in faces])
    return large.astype("float32") / 255 * 2 - 1


def main(given: str, answered: str) -> None:
    inputs, detector = np.load(given), FER()
    faces = prepared(inputs["faces"])
    batches = [faces[start : start + BATCH] for start in range(0, len(faces), BATCH)]
    probs = [np.asarray(detector._classify_emotions(batch)) for batch in batches]

    face_ms, photo_ms, said = [], [], []
    for _ in range(ONE_FACE_ROUNDS):
        started = time.perf_counter()
        detector._classify_emotions(faces[:1])
        face_ms.append(1000 * (time.perf_counter() - started))
    for photo in inputs["photos"]:
        started = time.perf_counter()
        found = detector.detect_emotions(cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        photo_ms.append(1000 * (time.perf_counter() - started))
        largest = max(found, key=lambda face: face["box"][2], default=None)
        scores = largest["emotions"] if largest else {}
        said.append(CLASSES.index(max(scores, key=lambda name: scores[name])) if scores else -1)
    np.savez(
        answered,
        faces=np.concatenate(probs),
        photos=np.array(said),
        face_ms=face_ms,
        photo_ms=photo_ms,
        version=version("fer"),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
