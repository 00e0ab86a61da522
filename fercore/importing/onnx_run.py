"""A run from an ONNX file, scored on the test images by onnxruntime and kept with the file."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.errors import ConfigError, DataError
from fercore.files import parse_json
from fercore.importing.checks import check_order
from fercore.importing.images import TestImages
from fercore.importing.table_run import Imported, Named, check_named, write_imported
from fercore.labels import CLASSES
from fercore.models.feeding import SCALES, Feeding, feeding_from
from fercore.models.onnx_file import OnnxModel, guessed, read_model
from fercore.runs.artifacts import Run
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from fercore.wording import count, percent

_TRIED = 500  # images of PublicTest, on which ways to scale grey values are tried
_SUM = 1e-3  # by which probabilities may miss 1


class OnnxSource(NamedTuple):
    """A file's model, and how it is fed as far as the file, and the JSON beside it, tell. known:
    what of `feeding` is told rather than guessed. notes: sentences for people.
    """

    name: str
    content: bytes
    model: OnnxModel
    feeding: Feeding
    known: frozenset[str]
    notes: tuple[str, ...]


def import_onnx(
    path: Path, images: TestImages, named: Named, *, told: dict[str, Any] | None = None
) -> Imported:
    """A run of the model in a file, which can be asked about photos.

    images: with the dataset read, `faces`. told: how it is fed, as `feeding_from` takes it; laid
    over what the JSON beside the file says, and that over what the graph does. What none of them
    tells is tried on PublicTest, or assumed, and said. Raises `ConfigError`, `DataError` or
    `RunError`, and writes nothing, where it cannot be so.
    """
    content, model = read_model(path)
    note = path.with_suffix(".json")
    beside = note.read_bytes() if note.is_file() else None
    steps = importing(
        onnx_source(path.name, content, model, beside, note.name), images, named, told
    )
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Imported = end.value
            return made


def onnx_source(
    name: str, content: bytes, model: OnnxModel, beside: bytes | None = None, note: str = ""
) -> OnnxSource:
    """beside: what the JSON called `note` holds. Raises `ConfigError` for a wrong one, `RunError`
    for a model that takes no pictures.
    """
    feeding, notes = guessed(model.graph)
    known = {"scale"} if "uint8" in model.graph.type else set[str]()
    if beside is not None:
        try:
            told = parse_json(beside.decode("utf-8-sig"))
        except ValueError as error:
            raise ConfigError(f"{note}: it cannot be read as JSON.") from error
        try:
            feeding = feeding_from(told, feeding)
        except ConfigError as error:
            raise ConfigError(
                f"{note}: {error} If it is not about how {name} is fed, put it elsewhere."
            ) from error
        known |= {"scale", "output"} if "input" in told else set(told)
        notes = [f"How it is fed is told by {note}."]
    return OnnxSource(name, content, model, feeding, frozenset(known), tuple(notes))


def importing(
    source: OnnxSource, images: TestImages, named: Named, told: dict[str, Any] | None = None
) -> Generator[tuple[int, int], None, Imported]:
    """`import_onnx` in steps: how many images the model was asked about, of how many. Nothing is
    written before the last one.
    """
    scored = _scored_images(images)
    check_named(named)
    feeding, notes = feeding_from(told or {}, source.feeding), [*source.notes]
    known = source.known | set(told or {})
    if "scale" not in known:
        feeding, note = _scaled(source.model, feeding, images, scored)
        notes += [note] if note else []
    given: list[NDArray[np.float64]] = []
    for batch in source.model.batches(scored, feeding):
        given.append(batch)
        yield sum(map(len, given)), len(scored)
    outputs = np.concatenate([np.empty((0, len(CLASSES))), *given])
    if "output" not in known:
        feeding = replace(feeding, output=_kind(outputs))
    run = _written(source, images, named, feeding, outputs)
    return Imported(run, [f"The model takes {feeding.in_words()}.", *notes])


def _scored_images(images: TestImages) -> NDArray[np.uint8]:
    faces = images.faces
    if faces is None:
        raise DataError("The images themselves are needed to ask a model. Name the dataset.")
    place = faces.positions(images.frame["pixels"].to_numpy())
    if (place < 0).any():
        raise DataError(f"{faces.source}: it does not hold all of {images.name}'s test images.")
    return np.asarray(faces.images[place])


def _written(
    source: OnnxSource, images: TestImages, named: Named, feeding: Feeding,
    outputs: NDArray[np.float64],
) -> Run:  # fmt: skip
    frame = images.frame.copy()
    frame[PROBABILITY_COLUMNS] = feeding.probabilities(_checked(outputs, feeding, source.name))
    check_order(frame, feeding.classes, source.name)
    about = {
        "file": source.name[:200], "values": feeding.output, "joined_by": "its file, asked here",
        "feeding": feeding.to_json(),
    }  # fmt: skip
    return write_imported(named, images, about, frame, source.content)


def _scaled(
    model: OnnxModel, feeding: Feeding, images: TestImages, scored: NDArray[np.uint8]
) -> tuple[Feeding, str]:
    """Grey values scaled as the model is right most often, on PublicTest; 0 to 1 without it."""
    public = np.flatnonzero((images.frame["usage"] == "PublicTest").to_numpy())
    if not len(public):
        return feeding, "How grey values are scaled is not told: 0..1 is assumed."
    tried = public[:: max(1, len(public) // _TRIED)]
    labels, accuracies = images.frame["label"].to_numpy()[tried], {}
    for scale in SCALES:
        outputs = model.outputs(scored[tried], replace(feeding, scale=scale))
        said = np.array([CLASSES.index(name) for name in feeding.classes])[outputs.argmax(1)]
        accuracies[scale] = float((said == labels).mean())
    best = max(accuracies, key=lambda scale: accuracies[scale])
    told = "; ".join(f"{scale} {percent(accuracy)}" for scale, accuracy in accuracies.items())
    note = (
        f"How grey values are scaled is not told. On {count(len(tried))} images of PublicTest it "
        f"is right with: {told}. {best} is taken; say so where another is right."
    )
    return replace(feeding, scale=best), note


def _kind(outputs: NDArray[np.float64]) -> str:
    sums = (outputs >= 0).all() and (np.abs(outputs.sum(1) - 1) <= _SUM).all()
    return "probabilities" if sums else "logits"


def _checked(outputs: NDArray[np.float64], feeding: Feeding, name: str) -> NDArray[np.float64]:
    if feeding.output == "probabilities" and _kind(outputs) != "probabilities":
        raise DataError(
            f"{name}: its outputs do not sum to 1: they are no probabilities. Say that they are "
            "logits."
        )
    return outputs
