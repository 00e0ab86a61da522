"""How a network from elsewhere is fed with 48×48 grey faces, and what its outputs stand for."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.errors import ConfigError
from fercore.labels import CLASSES, SIZE
from fercore.shapes import misfit, number, one_of, text, whole

MAX_SIDE = 512  # pixels, of what a model takes
LAYOUTS = {"NHW": "no channel", "NCHW": "channels first", "NHWC": "channels last"}
SCALES = {"0..1": (255.0, 0.0), "0..255": (1.0, 0.0), "-1..1": (127.5, -1.0)}  # divided by, plus
OUTPUTS = ("probabilities", "logits")


def _figures(value: Any) -> bool:
    """One figure for all channels, or one for each of three."""
    return isinstance(value, list | tuple) and len(value) in (1, 3) and not misfit(
        list(value), [number(-1e6, 1e6)]
    )  # fmt: skip


FEEDING = {
    "side?": whole(8, MAX_SIDE),
    "channels?": lambda value: value in (1, 3) and type(value) is int,
    "layout?": one_of(*LAYOUTS),
    "scale?": one_of(*SCALES),
    "mean?": _figures,
    "deviation?": _figures,
    "output?": one_of(*OUTPUTS),
    "classes?": [text],
}


@dataclass(frozen=True)
class Feeding:
    """side: pixels. layout: one of `LAYOUTS`. scale: one of `SCALES`, what grey values become;
    then `mean` is taken away and it is divided by `deviation`, by channel. output: one of
    `OUTPUTS`. classes: the order of the outputs.
    """

    side: int = SIZE
    channels: int = 1
    layout: str = "NCHW"
    scale: str = "0..1"
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    output: str = "probabilities"
    classes: tuple[str, ...] = CLASSES

    def arranged(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the model takes, of faces uint8 (N, 48, 48)."""
        if self.side != SIZE:
            size = (self.side, self.side)
            bilinear = Image.Resampling.BILINEAR
            resized = (Image.fromarray(face).resize(size, bilinear) for face in faces)
            faces = np.stack([np.asarray(face) for face in resized])
        by, plus = SCALES[self.scale]
        values = faces[:, None].astype(np.float32) / by + plus
        values = np.repeat(values, self.channels, axis=1)
        mean, deviation = (
            np.array(given, np.float32).reshape(1, -1, 1, 1)
            for given in (self.mean, self.deviation)
        )
        values = (values - mean) / deviation
        if self.layout == "NHW":
            return np.ascontiguousarray(values[:, 0])
        return (
            values if self.layout == "NCHW" else np.ascontiguousarray(values.transpose(0, 2, 3, 1))
        )

    def probabilities(self, outputs: NDArray[np.floating]) -> NDArray[np.float32]:
        """In the order of `CLASSES`, of what the model gives (N, 7)."""
        given = np.asarray(outputs, np.float64)
        if self.output == "logits":
            given = np.exp(given - given.max(1, keepdims=True))
        given = given / given.sum(1, keepdims=True)
        probs = np.empty_like(given)
        probs[:, [CLASSES.index(name) for name in self.classes]] = given
        return np.asarray(probs, np.float32)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        """For people: what it is fed with."""
        kind = "grey" if self.channels == 1 else "grey in three channels"
        norm = ""
        if (self.mean, self.deviation) != ((0.0,), (1.0,)):
            norm = f", less {_listed(self.mean)}, divided by {_listed(self.deviation)}"
        return (
            f"{self.side}×{self.side} {kind}, {LAYOUTS[self.layout]}, values {self.scale}{norm}; "
            f"gives {self.output} of {', '.join(self.classes)}"
        )


def feeding_from(value: object, over: Feeding = Feeding()) -> Feeding:
    """What a JSON says of it, laid over `over`: this format's keys, or fercore's own export's note.

    Raises `ConfigError` for other values.
    """
    if isinstance(value, dict) and {"input", "output"} <= value.keys():
        value = _of_export(value)
    if problem := misfit(value, FEEDING):
        raise ConfigError(f"How the model is fed is not told so: {problem}.")
    assert isinstance(value, dict)
    known = {field.name for field in fields(Feeding)}
    if unknown := sorted(set(value) - known):
        raise ConfigError(
            f"How a model is fed has no '{unknown[0]}'. Known: {', '.join(sorted(known))}."
        )
    told = ((key, tuple(it) if isinstance(it, list) else it) for key, it in value.items())
    feeding = replace(over, **dict[str, Any](told))
    if sorted(feeding.classes) != sorted(CLASSES):
        raise ConfigError(f"The classes are {', '.join(CLASSES)}, each once, in the model's order.")
    if feeding.layout == "NHW" and feeding.channels != 1:
        raise ConfigError("A layout without channels (NHW) has one channel.")
    if any(len(each) not in (1, feeding.channels) for each in (feeding.mean, feeding.deviation)):
        raise ConfigError("Mean and deviation are one number, or one for each channel.")
    if not all(feeding.deviation):
        raise ConfigError("A deviation of 0 leaves nothing to see. Give another one.")
    return feeding


def figures(text: str) -> list[float]:
    """One number, or one for each channel, as people write them: '0.5' or '0.48, 0.46, 0.41'.

    Raises `ConfigError` for what is none.
    """
    try:
        return [float(figure) for figure in text.replace(";", ",").split(",") if figure.strip()]
    except ValueError as error:
        raise ConfigError(f"'{text}' is no number, nor one for each channel.") from error


def _of_export(note: dict[str, Any]) -> dict[str, Any]:
    """The description that `fercore export` writes, in this format."""
    given, made = note["input"], note["output"]
    shape = given.get("shape") if isinstance(given, dict) else None
    classes = made.get("classes") if isinstance(made, dict) else None
    if not (isinstance(shape, list) and len(shape) == 3 and isinstance(classes, list)):
        raise ConfigError("The note beside the model is not one that `fercore export` writes.")
    return {"side": shape[1], "layout": "NHW", "scale": "0..255", "classes": classes}


def _listed(figures: Sequence[float]) -> str:
    return ", ".join(f"{figure:g}" for figure in figures)
