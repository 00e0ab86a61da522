"""Pictures to try a model on without a photo of one's own."""

from importlib.util import find_spec

import numpy as np
from PIL import Image

from fercore.data.synthetic import draw_face

_DRAWN = {
    "drawn face": "surprise",
    "drawn happy face": "happy",
    "drawn angry face": "angry",
}
_FROM_SCIKIT_IMAGE = {
    "astronaut": "Eileen Collins, a NASA photo that comes with scikit-image",
    "coffee": "a cup and no face, a photo that comes with scikit-image",
}
# What each picture shows, by name; those of scikit-image only where it is installed.
SAMPLE_PHOTOS = (_FROM_SCIKIT_IMAGE if find_spec("skimage") else {}) | {
    name: f"a synthetic face that shows {expression}: drawn, not photographed"
    for name, expression in _DRAWN.items()
}


def sample_photo(name: str) -> Image.Image:
    """The picture of that name in `SAMPLE_PHOTOS`, RGB."""
    if name in _DRAWN:
        face = draw_face(_DRAWN[name], np.random.default_rng(4))
        return Image.fromarray(face).convert("RGB")
    from skimage import data

    return Image.fromarray(getattr(data, name)())
