"""Pictures to try a model on without a photo of one's own; `photos/README.md` says whose."""

from pathlib import Path

import numpy as np
from PIL import Image

from fercore.data.synthetic import draw_face

_FOLDER = Path(__file__).with_name("photos")
_PHOTOS = {
    "astronaut": "Eileen Collins, a photo by NASA",
    "coffee": "a cup and no face, a photo by Rachel Michetti",
}
_DRAWN = {
    "drawn face": "surprise",
    "drawn happy face": "happy",
    "drawn angry face": "angry",
}
# What each picture shows, by name.
SAMPLE_PHOTOS = _PHOTOS | {
    name: f"a synthetic face that shows {expression}: drawn, not photographed"
    for name, expression in _DRAWN.items()
}


def sample_photo(name: str) -> Image.Image:
    """The picture of that name in `SAMPLE_PHOTOS`, RGB."""
    if name in _DRAWN:
        face = draw_face(_DRAWN[name], np.random.default_rng(4))
        return Image.fromarray(face).convert("RGB")
    with Image.open(_FOLDER / f"{name}.jpg") as photo:
        return photo.convert("RGB")
