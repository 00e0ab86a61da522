"""What a face loses on its way through a photo: found or not, framed how, predicted how.

PublicTest faces are enlarged, pasted into grey and into photographic pictures, and come back
through detection, crop and resizing. Printed are the share found, the accuracy through the photo
beside the direct one, what `CROP_SIDE` and `CROP_RISE` in fercore/faces/detection.py should be, how
often a picture without a face is said to hold one, and how long a photo takes. 'Frontal' are those
named so in benchmarks/poses.json, a sample judged by eye.

    python benchmarks/photo_path.py --run cnn --images 1000
"""

import argparse
import io
import json
import statistics
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data as pictures

from fercore import data
from fercore.data import FaceSet
from fercore.faces import detection as faces
from fercore.faces.detection import find_faces, preprocess
from fercore.faces.photos import open_photo
from fercore.predict.predictor import Predictor

WIDTH, HEIGHT = 640, 480
SIDES = 100, 240  # pixels, of the enlarged face
POSES = Path(__file__).parent / "poses.json"


def backgrounds() -> list[Image.Image]:
    """Photographs in which no person's face is seen; they come with scikit-image."""
    photos = [
        pictures.coffee(), pictures.rocket(), pictures.chelsea(), pictures.brick(),
        pictures.grass(), pictures.gravel(), pictures.clock(), pictures.hubble_deep_field(),
        pictures.immunohistochemistry(), pictures.stereo_motorcycle()[0],
    ]  # fmt: skip
    return [Image.fromarray(photo).convert("L") for photo in photos]


def detail(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A part of a photo, at least half as wide as it, as a picture of the benchmark's size."""
    scale = max(WIDTH / photo.width, HEIGHT / photo.height) * rng.uniform(1, 2)
    large = photo.resize((int(photo.width * scale) + 1, int(photo.height * scale) + 1))
    left = int(rng.integers(0, large.width - WIDTH + 1))
    top = int(rng.integers(0, large.height - HEIGHT + 1))
    return large.crop((left, top, left + WIDTH, top + HEIGHT))


def pasted(face: np.ndarray, picture: Image.Image, tilt: int, rng: np.random.Generator):
    """The face enlarged into a picture, at any place: the picture, and (x, y, side) of the face."""
    side = int(rng.integers(*SIDES))
    left = int(rng.integers(0, WIDTH - side + 1))
    top = int(rng.integers(0, HEIGHT - side + 1))
    large = Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC)
    mask = Image.new("L", large.size, 255)
    if tilt:
        large, mask = (image.rotate(tilt, Image.Resampling.BICUBIC) for image in (large, mask))
    picture.paste(large, (left, top), mask)
    return picture, (left + side / 2, top + side / 2, side)


def come_back(public: FaceSet, photos: list[Image.Image] | None, tilt: int) -> dict[str, list]:
    """Each face's way through a picture, grey where `photos` is None."""
    rng = np.random.default_rng(0)
    way: dict[str, list] = {"found": [], "weak": [], "crops": [], "side": [], "rise": []}
    for face in public.images:
        picture = Image.new("L", (WIDTH, HEIGHT), int(np.median(face)))
        if photos:
            picture = detail(photos[rng.integers(len(photos))], rng)
        picture, (x, y, side) = pasted(face, picture, tilt, rng)
        found = find_faces(picture)
        near = [
            box for box in found.boxes
            if max(abs(box.left + box.side / 2 - x), abs(box.top + box.side / 2 - y)) < side / 3
        ]  # fmt: skip
        way["found"].append(bool(near))
        way["weak"].append(bool(near) and found.weak)
        if near:
            way["crops"].append(preprocess(picture, near[0]))
            way["side"].append(near[0].side / side)
            way["rise"].append((y - near[0].top - near[0].side / 2) / side)
    return way


def losses(predictor: Predictor, public: FaceSet, photos, tilt: int = 0) -> dict:
    """Found, and right, for all faces and for the frontal ones."""
    way = come_back(public, photos, tilt)
    found = np.array(way["found"])
    labels = public.labels[found]
    direct = predictor.probs(public.images[found]).argmax(1)
    through = predictor.probs(np.stack(way["crops"])).argmax(1)
    result = {
        "found": found.mean(),
        "found_only_weakly": np.mean(way["weak"]),
        "accuracy_direct": (direct == labels).mean(),
        "accuracy_through_photo": (through == labels).mean(),
        "same_prediction": (direct == through).mean(),
    }
    if not tilt:
        result["crop_side_should_be"] = faces.CROP_SIDE / np.median(way["side"])
        result["crop_rise_should_be"] = faces.CROP_RISE - np.median(way["rise"])
    return result


def by_pose(public: FaceSet, photos) -> dict[str, float]:
    """The share found among the faces of benchmarks/poses.json."""
    poses = json.loads(POSES.read_text())
    parts = {name: public.where(np.isin(public.row, poses[name])) for name in ("frontal", "turned")}
    return {
        f"{name}_found": float(np.mean(come_back(part, photos, 0)["found"]))
        for name, part in parts.items()
    } | {f"{name}_n": len(part) for name, part in parts.items()}


def false_alarms(photos: list[Image.Image], times: int) -> dict[str, float]:
    """The share of pictures without a face in which one is found, surely or weakly."""
    rng = np.random.default_rng(1)
    found = [find_faces(detail(photo, rng)) for photo in photos for _ in range(times)]
    return {
        "pictures": len(found),
        "face_found": float(np.mean([bool(f.boxes) and not f.weak for f in found])),
        "face_found_weakly": float(np.mean([f.weak for f in found])),
    }


def untouched(predictor: Predictor, public: FaceSet) -> dict[str, float]:
    """The bare 48×48 faces as if they were photos: tight crops."""
    whole, right = [], []
    for face, label in zip(public.images, public.labels):
        results = predictor(Image.fromarray(face))
        whole.append(results[0].whole)
        right.append(results[0].probs.argmax() == label)
    direct = predictor.probs(public.images).argmax(1) == public.labels
    return {
        "taken_whole": np.mean(whole),
        "accuracy_direct": direct.mean(),
        "accuracy_through_photo": np.mean(right),
    }


def milliseconds(predictor: Predictor, repeats: int) -> dict[str, float]:
    """From a JPEG's bytes to its face's probabilities, warm: 1280×960, one real face."""
    photo = Image.new("RGB", (1280, 960), "grey")
    photo.paste(Image.fromarray(pictures.astronaut()).resize((900, 900)), (190, 30))
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    times = []
    for _ in range(repeats + 2):
        started = time.perf_counter()
        (_face,) = predictor(open_photo(buffer.getvalue(), "photo"))
        times.append(1000 * (time.perf_counter() - started))
    return {"median": statistics.median(times[2:]), "fastest": min(times), "photos": repeats}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--run", default="cnn")
    arguments.add_argument("--images", type=int, default=1000)
    arguments.add_argument("--time-only", action="store_true", help="measure the time alone")
    options = arguments.parse_args()

    predictor = Predictor.from_run(options.run)
    result: dict[str, object] = {
        "run": predictor.run_id,
        "photo_to_result_ms": milliseconds(predictor, 30),
    }
    if not options.time_only:
        whole = data.load().part("PublicTest")
        order = np.random.default_rng(0).permutation(len(whole))[: options.images]
        public = whole.where(np.isin(np.arange(len(whole)), order))
        photos = backgrounds()
        result |= {
            "images": len(public),
            "in_grey": losses(predictor, public, None) | by_pose(whole, None),
            "in_photos": losses(predictor, public, photos) | by_pose(whole, photos),
            "tilted_20_in_grey": losses(predictor, public, None, tilt=20),
            "bare_48x48": untouched(predictor, public),
            "pictures_without_a_face": false_alarms(photos, 20),
        }
    print(json.dumps(result, indent=2, default=lambda value: round(float(value), 4)))


if __name__ == "__main__":
    main()
