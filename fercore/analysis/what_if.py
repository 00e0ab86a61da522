"""What if the light were lower, the head turned, a hand before the mouth? One face, changed, and
where a model's answer flips on the way. Without torch.

The changes come in the order in which they come to a camera: the head turns and moves, a hand
covers, the light falls, the lens blurs, the sensor adds noise.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.analysis import corruptions
from fercore.labels import CLASSES, SIZE

Face = NDArray[np.uint8]  # (48, 48)


class Scale(NamedTuple):
    """What a change may be: from `low` to `high` in steps, in `unit`."""

    title: str
    unit: str
    low: int
    high: int
    step: float


@dataclass(frozen=True)
class Change:
    """What is done to a face, in the units of `SCALES`; by default nothing.

    hand: the side of a grey square, 0 for none; hand_down and hand_right: where its centre is.
    """

    rotation: float = 0
    right: float = 0
    down: float = 0
    hand: float = 0
    hand_down: float = SIZE // 2
    hand_right: float = SIZE // 2
    light: float = 0
    contrast: float = 0
    blur: float = 0
    noise: float = 0


SCALES = {
    "light": Scale("Light", "%", -90, 90, 5),
    "contrast": Scale("Contrast", "%", -90, 90, 5),
    "blur": Scale("Blur", "deviation, pixels", 0, 4, 0.1),
    "noise": Scale("Noise", "deviation, grey levels", 0, 60, 2),
    "rotation": Scale("Rotation to the left", "degrees", -45, 45, 3),
    "right": Scale("Shift to the right", "pixels", -12, 12, 1),
    "down": Scale("Shift down", "pixels", -12, 12, 1),
    "hand": Scale("Hand", "side, pixels", 0, 32, 1),
    "hand_right": Scale("Hand, from the left", "pixels", 0, 48, 1),
    "hand_down": Scale("Hand, from the top", "pixels", 0, 48, 1),
}


def changed(face: Face, change: Change) -> Face:
    """A face uint8 (48, 48) under a change; the noise is drawn by a fixed seed."""
    images = face[None]
    if change.rotation:
        images = corruptions.turned(images, change.rotation)
    if change.right or change.down:
        images = corruptions.moved(images, int(change.down), int(change.right))
    if change.hand:
        top, left = (at - change.hand / 2 for at in (change.hand_down, change.hand_right))
        images = corruptions.covered(images, change.hand, np.floor(top), np.floor(left))
    for name in ("light", "contrast", "blur", "noise"):
        if value := getattr(change, name):
            images = getattr(corruptions, name)(images, value)
    return np.asarray(images[0])


def along(face: Face, change: Change, name: str) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """The values (V,) of one of `SCALES`, and the face at each of them (V, 48, 48), the rest of the
    change as it is.
    """
    scale = SCALES[name]
    steps = round((scale.high - scale.low) / scale.step)
    values = np.round(scale.low + scale.step * np.arange(steps + 1), 6)
    return values, np.stack([changed(face, replace(change, **{name: value})) for value in values])


class Flip(NamedTuple):
    """Where the answer changes from one class to another: as a value grows, from `flips`."""

    value: float
    before: str
    after: str


def flips(values: NDArray[np.float64], probs: NDArray[np.floating]) -> list[Flip]:
    """Where the most probable class changes along a scan: values (V,), probabilities (V, 7).

    The value is that between two steps at which the two classes are as probable as each other, if
    both change evenly from step to step.
    """
    said, probs = probs.argmax(1), np.asarray(probs, np.float64)
    found = []
    for step in np.flatnonzero(said[1:] != said[:-1]):
        before, after = said[step], said[step + 1]
        lead = probs[step : step + 2, before] - probs[step : step + 2, after]
        share = lead[0] / (lead[0] - lead[1])
        value = values[step] + share * (values[step + 1] - values[step])
        found.append(Flip(float(value), CLASSES[before], CLASSES[after]))
    return found


def nearest_flip(
    values: NDArray[np.float64], probs: NDArray[np.floating], at: float
) -> Flip | None:
    """The one of `flips` that is nearest to a value, `before` being the answer on the value's own
    side of it; None where the answer stays.
    """
    flip = min(flips(values, probs), key=lambda flip: abs(flip.value - at), default=None)
    if flip and flip.value < at:
        return Flip(flip.value, before=flip.after, after=flip.before)
    return flip
