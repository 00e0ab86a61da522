"""Which way of following a face in a video is worth its time: how surely, how exactly, how fast.

A real face wanders over a textured wall, grows, shrinks and leans. Each way sees the same frames;
printed are the share with a box, the mean overlap (intersection over union) with where the face
was put, and milliseconds on one thread. The last is what `fercore.faces.video` does.

    python benchmarks/following.py
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import dlib
import numpy as np
from PIL import Image
from skimage.data import astronaut

from fercore.faces.detection import Box, find_faces
from fercore.faces.video import FaceFollower
from fercore.jobs.hardware import describe_hardware

SIZE, SIDE = (640, 480), 384  # pixels: of a frame, of the picture that holds the face
PER_SECOND = 15
FACE = Image.fromarray(astronaut()).crop((64, 0, 64 + SIDE, SIDE))
Follower = Callable[[Image.Image], Box | None]


def wall() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    return Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC)


def scene(number: int, speed: float, size: float) -> tuple[Image.Image, Box]:
    """The frame of that number, and where its face is."""
    turn = 2 * np.pi * speed * number / PER_SECOND
    scale, lean = size * (0.95 + 0.25 * np.sin(0.17 * turn)), 0.17 * np.sin(0.23 * turn)
    x, y = 320 + 140 * np.sin(0.3 * turn), 240 + 50 * np.sin(0.21 * turn)
    cos, sin = np.cos(lean) / scale, np.sin(lean) / scale
    to_face = (cos, sin, SIDE / 2 - cos * x - sin * y, -sin, cos, SIDE / 2 + sin * x - cos * y)
    picture = wall()
    affine = Image.Transform.AFFINE
    mask = Image.new("L", FACE.size, 255).transform(SIZE, affine, to_face)
    picture.paste(FACE.transform(SIZE, affine, to_face, Image.Resampling.BILINEAR), mask=mask)
    still = find_faces(FACE).boxes[0]
    dx, dy = (corner + still.side / 2 - SIDE / 2 for corner in (still.left, still.top))
    x += scale * (np.cos(lean) * dx - np.sin(lean) * dy)
    y += scale * (np.sin(lean) * dx + np.cos(lean) * dy)
    side = scale * still.side
    return picture, Box(round(x - side / 2), round(y - side / 2), round(side))


def every_frame(picture: Image.Image) -> Box | None:
    boxes = find_faces(picture, thorough=False).boxes
    return boxes[0] if boxes else None


class EveryNth:
    """A search every `n` frames; the box stands still between."""

    def __init__(self, n: int) -> None:
        self.n, self.frame = n, 0
        self.box: Box | None = None

    def __call__(self, picture: Image.Image) -> Box | None:
        if self.frame % self.n == 0 or self.box is None:
            self.box = every_frame(picture)
        self.frame += 1
        return self.box


class Correlation:
    """A search every `n` frames; dlib's correlation tracker (Danelljan et al., 2014) between."""

    def __init__(self, n: int) -> None:
        self.n, self.frame = n, 0
        self.tracker: dlib.correlation_tracker | None = None

    def __call__(self, picture: Image.Image) -> Box | None:
        grey = np.asarray(picture.convert("L"))
        due = self.frame % self.n == 0
        self.frame += 1
        if self.tracker is None or due:
            box, self.tracker = every_frame(picture), None
            if box:
                self.tracker = dlib.correlation_tracker()
                corners = (box.left, box.top, box.left + box.side, box.top + box.side)
                self.tracker.start_track(grey, dlib.rectangle(*corners))
            return box
        self.tracker.update(grey)
        place = self.tracker.get_position()
        return Box(round(place.left()), round(place.top()), round(place.width()))


WAYS: dict[str, Callable[[], Follower]] = {
    "every frame searched": lambda: every_frame,
    "every 3rd searched, held between": lambda: EveryNth(3),
    "every 5th searched, correlation between": lambda: Correlation(5),
    "every 15th searched, correlation between": lambda: Correlation(15),
    "window around the last box": FaceFollower,
}


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a.left + a.side, b.left + b.side) - max(a.left, b.left)
    height = min(a.top + a.side, b.top + b.side) - max(a.top, b.top)
    shared = max(0, width) * max(0, height)
    return shared / (a.side**2 + b.side**2 - shared)


def measure(follow: Follower, frames: list[tuple[Image.Image, Box]]) -> dict[str, float]:
    times, overlaps = [], []
    for picture, truth in frames:
        started = time.perf_counter()
        box = follow(picture)
        times.append(1000 * (time.perf_counter() - started))
        if box:
            overlaps.append(overlap(box, truth))
    return {
        "hit_percent": round(100 * len(overlaps) / len(frames), 1),
        "mean_overlap": round(statistics.fmean(overlaps or [0]), 3),
        "mean_ms": round(statistics.fmean(times), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--frames", type=int, default=150)
    options = arguments.parse_args()
    result = {}
    for name, speed, size in (("slow", 1, 1), ("fast", 2.5, 1), ("small", 1, 0.6)):
        frames = [scene(number, speed, size) for number in range(options.frames)]
        result[name] = {way: measure(make(), frames) for way, make in WAYS.items()}
    machine = describe_hardware("cpu", "fp32")
    print(json.dumps(result | {"machine": machine}, indent=2))


if __name__ == "__main__":
    main()
