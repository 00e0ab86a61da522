"""fercore beside pip's `fer` (Haar cascade and Keras mini-Xception): accuracy and latency.

The peer lives in an environment of its own, since it brings TensorFlow; it needs no more than

    python -m venv PEER
    PEER/bin/pip install --no-deps fer==25.10.0
    PEER/bin/pip install tensorflow-cpu 'setuptools<81' 'opencv-python-headless<5' requests pillow
    python benchmarks/peer_fer.py --peer-python PEER/bin/python

'faces' are PrivateTest's own 48×48 pictures, with no search; ours are the run's stored predictions.
'photos' are PublicTest faces enlarged into photographs, and one real photo: found, and right among
those found. The peer's weights are oarriaga's, whose code splits the file at four fifths and
chooses on the rest: PublicTest and PrivateTest together, so the peer's accuracies flatter it.
`--keep peer-fer` asks it about both and makes a run of its answers: so the shipped one was made.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from skimage import data as pictures

from fercore import data
from fercore.importing.images import images_of_data
from fercore.importing.table_run import Named, import_table
from fercore.jobs.hardware import describe_hardware
from fercore.labels import CLASSES
from fercore.predict.predictor import Predictor
from fercore.runs.listing import find_run
from fercore.scoring.statistics import wilson_interval

NOTE = (
    "The network inside pip's fer, asked by benchmarks/peer_fer.py. Its weights are oarriaga's, "
    "whose code chooses on PublicTest and PrivateTest together: its accuracies flatter it."
)
WORKER = Path(__file__).with_name("peer_fer_worker.py")
SIZE = (640, 480)
SIDES = (120, 240)  # pixels, of an enlarged face
ONE_FACE_ROUNDS = 100


def photos_with_faces(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Photographs (N, 480, 640, 3) with one PublicTest face each, and the faces' labels (N,)."""
    public = data.load().part("PublicTest")
    rng = np.random.default_rng(0)
    scenes = [
        Image.fromarray(picture).resize(SIZE).convert("RGB")
        for picture in (pictures.coffee(), pictures.rocket(), pictures.brick(), pictures.grass())
    ]
    photos, chosen = [], rng.permutation(len(public))[:count]
    for index in chosen:
        side = int(rng.integers(*SIDES))
        left, top = (int(rng.integers(0, length - side)) for length in SIZE)
        face = Image.fromarray(public.images[index]).resize((side, side), Image.Resampling.BICUBIC)
        photo = scenes[rng.integers(len(scenes))].copy()
        photo.paste(face, (left, top))
        photos.append(np.asarray(photo))
    return np.stack(photos), public.labels[chosen]


def peer_results(python: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        given, answered = Path(folder) / "given.npz", Path(folder) / "answered.npz"
        np.savez(given, allow_pickle=False, **inputs)
        worker = [python, str(WORKER), str(given), str(answered)]
        try:
            run = subprocess.run(worker, capture_output=True, text=True)
        except OSError as error:
            sys.exit(f"There is no Python at {python}: {error.strerror}. {_how()}")
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
            sys.exit(f"The peer did not run in {python}: {last} {_how()}")
        return dict(np.load(answered))


def _how() -> str:
    return "The first lines of benchmarks/peer_fer.py say how to install it."


def our_results(predictor: Predictor, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the worker gives for the peer, for ours."""
    said, times = [], []
    for photo in inputs["photos"]:
        started = time.perf_counter()
        faces = predictor(Image.fromarray(photo))
        times.append(1000 * (time.perf_counter() - started))
        said.append(CLASSES.index(faces[0].expression) if faces else -1)
    one, one_times = inputs["faces"][:1], []
    for _ in range(ONE_FACE_ROUNDS):
        started = time.perf_counter()
        predictor.probs(one)
        one_times.append(1000 * (time.perf_counter() - started))
    return {
        "faces": find_run(predictor.run_id).predictions("private").probs,
        "photos": np.array(said),
        "photo_ms": np.array(times),
        "face_ms": np.array(one_times),
    }


def summary(
    results: dict[str, np.ndarray],
    other: dict[str, np.ndarray],
    labels: np.ndarray,
    photo_labels: np.ndarray,
) -> dict:
    pasted, real = results["photos"][:-1], results["photos"][-1]
    both = (pasted >= 0) & (other["photos"][:-1] >= 0)
    found = pasted >= 0
    right = int((results["faces"].argmax(1) == labels).sum())
    return {
        "private_accuracy": round(right / len(labels), 4),
        "private_interval": [round(bound, 4) for bound in wilson_interval(right, len(labels))],
        "photos_found": round(float(found.mean()), 4),
        "photos_right_of_found": round(float((pasted == photo_labels)[found].mean()), 4),
        "photos_right_of_those_both_found": round(float((pasted == photo_labels)[both].mean()), 4),
        "photos_right_of_all": round(float((pasted == photo_labels).mean()), 4),
        "astronaut": CLASSES[real] if real >= 0 else "no face",
        "photo_ms_median": round(median(results["photo_ms"]), 1),
        "one_face_ms_median": round(median(results["face_ms"]), 2),
    }


def keep_as_run(python: str, name: str) -> None:
    """Make a run of the peer's answers to FER2013's test images."""
    images = images_of_data(None)
    assert images.faces is not None
    faces = images.faces.where(images.faces.usage != "Training")
    no_photos = np.zeros((0, SIZE[1], SIZE[0], 3), np.uint8)
    peer = peer_results(python, {"faces": faces.images, "photos": no_photos})
    table = io.BytesIO()
    np.savez(table, allow_pickle=False, probs=peer["faces"], classes=CLASSES, row=faces.row)
    version = str(peer["version"])
    named = Named(name, f"pip's fer {version}, mini-Xception", NOTE)
    made = import_table(table.getvalue(), images, named, file=f"answers of fer {version}")
    print(" ".join(made.notes))
    for part, scores in made.run.metrics().items():
        print(part, scores["accuracy"], scores["accuracy_interval"])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--peer-python", default="python", help="the Python that has `fer`")
    arguments.add_argument("--run", default="cnn")
    arguments.add_argument("--photos", type=int, default=300)
    arguments.add_argument("--keep", metavar="NAME", help="make a run of the peer's answers")
    options = arguments.parse_args()
    if options.keep:
        keep_as_run(options.peer_python, options.keep)
        return

    predictor = Predictor.from_run(options.run)
    stored = find_run(predictor.run_id).predictions("private")
    private = data.load().part("PrivateTest")
    if not np.array_equal(stored.labels, private.labels):
        sys.exit(f"{predictor.run_id} was not scored on this PrivateTest. Choose a run on FER2013.")
    photos, photo_labels = photos_with_faces(options.photos)
    real = np.asarray(Image.fromarray(pictures.astronaut()).resize(SIZE))[None]
    inputs = {"faces": private.images, "photos": np.concatenate([photos, real])}
    peer, ours = peer_results(options.peer_python, inputs), our_results(predictor, inputs)
    labels = private.labels, photo_labels
    result = {
        "photos": len(photos),
        "private_images": len(private),
        "fer": {"version": str(peer["version"])} | summary(peer, ours, *labels),
        "fercore": {"run": predictor.run_id} | summary(ours, peer, *labels),
    }
    print(json.dumps(result | {"machine": describe_hardware("cpu", "fp32")}, indent=2))


if __name__ == "__main__":
    main()
