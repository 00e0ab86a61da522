"""Drawn faces, made by seed and never stored: the stand-in where FER2013 is absent.

Seven expressions by the action units of the Facial Action Coding System (Ekman & Friesen, 1978;
the prototypes follow EMFACS), over faces that differ in identity, pose and light. Weak
expressions and noise overlap, so that a model learns them, but not perfectly. No accuracy on
them says anything about real faces.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from fercore.data.faceset import FaceSet, face_set
from fercore.labels import CLASSES, SIZE, USAGES

NAME = "synthetic"
_SCALE = 2  # drawn at twice the size, then reduced: smooth edges
_CANVAS = SIZE * _SCALE

# Action units, each at an intensity from 0 to 1: 1 inner brow raiser, 2 outer brow raiser, 4 brow
# lowerer, 5 upper lid raiser, 6 cheek raiser, 7 lid tightener, 9 nose wrinkler, 10 upper lip
# raiser, 12 lip corner puller, 15 lip corner depressor, 17 chin raiser, 20 lip stretcher,
# 23 lip tightener, 26 jaw drop.
ACTION_UNITS = {
    "angry": {4: 1, 5: 0.4, 7: 0.8, 23: 1, 17: 0.3},
    "disgust": {4: 0.4, 7: 0.5, 9: 1, 10: 1, 15: 0.5},
    "fear": {1: 1, 2: 0.7, 4: 0.6, 5: 1, 20: 1, 26: 0.4},
    "happy": {6: 1, 12: 1, 26: 0.2},
    "sad": {1: 1, 4: 0.5, 15: 1, 17: 0.6},
    "surprise": {1: 1, 2: 1, 5: 0.9, 26: 1},
    "neutral": {},
}


@lru_cache(maxsize=8)
def synthetic(per_class: tuple[int, int, int] = (300, 50, 50), seed: int = 0) -> FaceSet:
    """Drawn faces, `per_class` of them for Training, PublicTest and PrivateTest."""
    images, labels, usage = [], [], []
    for part, count in zip(USAGES, per_class, strict=True):
        for index in range(count * len(CLASSES)):
            label = index % len(CLASSES)
            rng = np.random.default_rng((seed, USAGES.index(part), index))
            images.append(draw_face(CLASSES[label], rng))
            labels.append(label)
            usage.append(part)
    return face_set(NAME, images, labels, usage, source=f"drawn from seed {seed}")


def draw_face(expression: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One face with that expression: uint8 (48, 48)."""
    strength = rng.uniform(0.25, 1.0)
    units = {unit: value * strength for unit, value in ACTION_UNITS[expression].items()}
    units = {au: max(0.0, units.get(au, 0) + rng.normal(0, 0.12)) for au in _ALL_UNITS}
    person = _Person.drawn(rng)
    background = int(rng.uniform(20, 200))
    image = Image.new("L", (_CANVAS, _CANVAS), background)
    _Face(ImageDraw.Draw(image), person, units).draw()
    return _photograph(image, background, rng)


_ALL_UNITS = sorted({unit for units in ACTION_UNITS.values() for unit in units})


@dataclass(frozen=True)
class _Person:
    """Identity. Lengths are shares of the canvas, tones grey values."""

    skin: float
    hair: float
    width: float
    height: float
    eye_gap: float
    eye_size: float
    brow_weight: float
    mouth_width: float
    nose_length: float
    hairline: float

    @staticmethod
    def drawn(rng: np.random.Generator) -> "_Person":
        skin = rng.uniform(95, 215)
        return _Person(
            skin=skin,
            hair=rng.uniform(10, skin - 40),
            width=rng.uniform(0.33, 0.41),
            height=rng.uniform(0.44, 0.52),
            eye_gap=rng.uniform(0.15, 0.19),
            eye_size=rng.uniform(0.055, 0.075),
            brow_weight=rng.uniform(1.5, 3.5),
            mouth_width=rng.uniform(0.11, 0.15),
            nose_length=rng.uniform(0.13, 0.18),
            hairline=rng.uniform(0.04, 0.16),
        )


class _Face:
    """Draws one face; points are shares of the canvas, mirrored about the middle."""

    def __init__(self, draw: ImageDraw.ImageDraw, person: _Person, units: dict[int, float]) -> None:
        self.draw_on, self.person, self.au = draw, person, units
        self.dark = max(0, int(person.skin * 0.35))
        self.shade = int(person.skin * 0.78)

    def draw(self) -> None:
        p = self.person
        self._ellipse(0.5, 0.46, p.width + 0.05, p.height, p.hair)
        self._ellipse(0.5, 0.52 + 0.02 * self.au[26], p.width, p.height - p.hairline / 2, p.skin)
        for side in (-1, 1):
            self._brow(side)
            self._eye(side)
            self._cheek(side)
        self._nose()
        self._mouth()

    def _brow(self, side: int) -> None:
        p, au = self.person, self.au
        lowered = 0.045 * au[4] + 0.02 * au[9]
        inner = 0.345 + lowered - 0.065 * au[1]
        middle = 0.325 + 0.6 * lowered - 0.045 * (au[1] + au[2]) / 2 - 0.01 * au[2]
        outer = 0.345 + 0.2 * lowered - 0.06 * au[2] + 0.02 * au[15]
        squeeze = 0.025 * au[4]
        points = [(0.055 - squeeze, inner), (p.eye_gap, middle), (p.eye_gap + 0.085, outer)]
        self._line(side, points, p.hair, p.brow_weight)
        if au[4] + au[9] > 0.6:  # the furrow between the brows
            self._line(side, [(0.02, 0.33), (0.025, 0.39)], self.shade, 1.5)
        if au[1] + au[2] > 1.1:  # the wrinkles of a raised forehead
            self._line(side, [(0.0, 0.225), (0.16, 0.235)], self.shade, 1.2)

    def _eye(self, side: int) -> None:
        p, au = self.person, self.au
        opening = p.eye_size * (0.62 + 0.4 * au[5] - 0.3 * au[7] - 0.25 * au[6] - 0.2 * au[9])
        opening = max(opening, 0.008)
        x = 0.5 + side * p.eye_gap
        self._ellipse(x, 0.43, p.eye_size, opening, min(255, p.skin * 1.25 + 25))
        self._ellipse(x, 0.43, min(opening, 0.03), min(opening, 0.034), 15)
        upper = [
            (p.eye_gap - p.eye_size, 0.43),
            (p.eye_gap, 0.43 - opening),
            (p.eye_gap + p.eye_size, 0.43),
        ]
        self._line(side, upper, self.dark, 1.6)
        if au[6] > 0.4:  # crow's feet
            corner = p.eye_gap + p.eye_size + 0.015
            self._line(side, [(corner, 0.435), (corner + 0.035, 0.42)], self.shade, 1.2)
            self._line(side, [(corner, 0.445), (corner + 0.035, 0.46)], self.shade, 1.2)

    def _cheek(self, side: int) -> None:
        depth = max(self.au[6], self.au[10], self.au[9] * 0.8)
        if depth > 0.35:  # the fold from nose to mouth
            self._line(side, [(0.07, 0.60), (0.12, 0.66), (0.135, 0.72)], self.shade, 1 + depth)

    def _nose(self) -> None:
        p, au = self.person, self.au
        tip = 0.44 + p.nose_length - 0.02 * au[9]
        for side in (-1, 1):
            wing = 0.04 + 0.012 * au[9]
            self._line(side, [(0.018, 0.46), (0.022, tip - 0.03), (wing, tip)], self.shade, 1.4)
            if au[9] > 0.35:  # wrinkles across the bridge
                self._line(side, [(0.0, 0.455), (0.035, 0.44)], self.dark, 1.2)
                self._line(side, [(0.0, 0.48), (0.04, 0.47)], self.dark, 1.2)

    def _mouth(self) -> None:
        p, au = self.person, self.au
        half = p.mouth_width * (1 + 0.35 * au[12] + 0.35 * au[20] - 0.2 * au[23] - 0.2 * au[26])
        middle = 0.735 - 0.01 * au[17]
        corner = middle - 0.055 * au[12] + 0.05 * au[15] + 0.015 * au[20]
        upper = middle - 0.012 - 0.035 * au[10] - 0.01 * au[26] + 0.012 * au[12]
        lower = middle + 0.018 + 0.13 * au[26] - 0.012 * au[23] + 0.012 * au[12]
        outline = [
            (0.5 - half, corner),
            (0.5 - half / 2, (corner + upper) / 2),
            (0.5, upper),
            (0.5 + half / 2, (corner + upper) / 2),
            (0.5 + half, corner),
            (0.5 + half / 2, (corner + lower) / 2),
            (0.5, lower),
            (0.5 - half / 2, (corner + lower) / 2),
        ]
        inside = 25 if au[26] > 0.25 else self.dark + 20
        self.draw_on.polygon([self._at(*point) for point in outline], fill=inside)
        if au[12] > 0.45 or au[10] > 0.6 or au[20] > 0.6:  # teeth
            self._ellipse(0.5, (upper + lower) / 2 - 0.005, half * 0.6, 0.014, 235)
        if au[23] > 0.4:
            self._line(1, [(-half, middle), (half, middle)], self.dark, 2.5)
        if au[17] > 0.35:  # the chin pushed up
            self._line(1, [(-0.05, 0.825), (0, 0.81), (0.05, 0.825)], self.shade, 1.5)

    def _ellipse(self, x: float, y: float, rx: float, ry: float, tone: float) -> None:
        box = [self._at(x - rx, y - ry), self._at(x + rx, y + ry)]
        self.draw_on.ellipse(box, fill=int(tone))

    def _line(
        self, side: int, points: list[tuple[float, float]], tone: float, weight: float
    ) -> None:
        path = [self._at(0.5 + side * x, y) for x, y in points]
        self.draw_on.line(path, fill=int(tone), width=max(1, round(weight)), joint="curve")

    @staticmethod
    def _at(x: float, y: float) -> tuple[float, float]:
        return x * _CANVAS, y * _CANVAS


def _photograph(image: Image.Image, background: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Pose, light, blur and noise; reduced to 48×48."""
    angle, zoom = np.deg2rad(rng.normal(0, 7)), rng.uniform(0.88, 1.15)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = rng.uniform(0.88, 1.0)  # a head turned aside is narrower
    centre = _CANVAS / 2
    dx, dy = rng.normal(0, 0.025, 2) * _CANVAS
    affine = (cos / turn, sin, centre + dx - (cos / turn + sin) * centre,
              -sin, cos, centre + dy + (sin - cos) * centre)  # fmt: skip
    posed = image.transform(
        image.size,
        Image.Transform.AFFINE,
        affine,
        Image.Resampling.BILINEAR,
        fillcolor=background,
    )
    small = np.asarray(posed.resize((SIZE, SIZE), Image.Resampling.BOX), np.float32)

    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    direction = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.4) * (np.cos(direction) * x + np.sin(direction) * y)
    contrast = rng.uniform(0.6, 1.1)
    lit = (small * light - 128) * contrast + 128 + rng.normal(0, 12)
    noisy: NDArray[np.float64] = lit + rng.normal(0, rng.uniform(2, 14), lit.shape)
    return noisy.clip(0, 255).astype(np.uint8)
