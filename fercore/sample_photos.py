"""Pictures to try a model on without a photo of one's own."""

import numpy as np
from PIL import Image

from fercore.data.synthetic import draw_face

SAMPLE_PHOTOS = {
    "astronaut": "Eileen Collins, a NASA photo that comes with scikit-image",
    "drawn face": "a synthetic face",
}


def sample_photo(name: str) -> Image.Image:
    """The picture of that name in `SAMPLE_PHOTOS`, RGB."""
    if name == "drawn face":
        return Image.fromarray(draw_face("surprise", np.random.default_rng(4))).convert("RGB")
    from skimage.data import astronaut

    return Image.fromarray(astronaut())
