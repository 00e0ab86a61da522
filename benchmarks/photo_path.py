"""What a face loses on its way through a photo: found or not, framed how, predicted how.

PublicTest faces are enlarged, pasted into a larger grey picture, and come back through detection,
crop and resizing. Prints the share found, the geometry behind `CROP_SIDE` and `CROP_RISE` in
fercore/faces.py, and the accuracy through the photo beside the direct one.

    python benchmarks/photo_path.py --run cnn --images 1000
"""

import argparse
import json

import numpy as np
from PIL import Image

from fercore import data
from fercore.faces import detect, find_faces, preprocess
from fercore.predictor import Predictor

FACE, CANVAS = 160, 400  # pixels, of the enlarged face and of the picture around it
CORNER = (CANVAS - FACE) // 2


def pasted(face: np.ndarray) -> Image.Image:
    """The face enlarged in the middle of a grey picture of its own median tone."""
    picture = Image.new("L", (CANVAS, CANVAS), int(np.median(face)))
    large = Image.fromarray(face).resize((FACE, FACE), Image.Resampling.BICUBIC)
    picture.paste(large, (CORNER, CORNER))
    return picture


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--run", default="cnn-s0")
    arguments.add_argument("--images", type=int, default=1000)
    options = arguments.parse_args()

    predictor = Predictor.from_run(options.run)
    public = data.load().part("PublicTest")
    pick = np.random.default_rng(0).permutation(len(public))[: options.images]
    boxes, crops, kept = [], [], []
    for index in pick:
        photo = pasted(public.images[index])
        raw, framed = detect(np.asarray(photo)), find_faces(photo).boxes
        if raw:
            boxes.append(raw[0])
        if framed:
            crops.append(preprocess(photo, framed[0]))
            kept.append(index)

    side = np.array([box.side for box in boxes])
    centre = np.array([box.top + box.side / 2 for box in boxes])
    labels = public.labels[kept]
    direct = predictor.probs(public.images[kept]).argmax(1)
    through = predictor.probs(np.stack(crops)).argmax(1)
    result = {
        "run": options.run,
        "images": len(pick),
        "found": len(kept) / len(pick),
        "crop_side_in_boxes_median": float(np.median(FACE / side)),
        "crop_rise_in_sides_median": float(np.median((centre - CANVAS / 2) / FACE)),
        "accuracy_direct": float((direct == labels).mean()),
        "accuracy_through_photo": float((through == labels).mean()),
        "same_prediction": float((direct == through).mean()),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
