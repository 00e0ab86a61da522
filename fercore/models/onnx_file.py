"""A network from an ONNX file of anyone's, asked through onnxruntime. Without torch.

What such a file may do is bounded: its size is, it may name no file beside it, it is one session on
the CPU, and whatever it raises is a sentence. What it computes runs as any model's does: import
files of people you trust. Needs the extra `onnx`.
"""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercore.errors import ConfigError, RunError
from fercore.labels import CLASSES, SIZE
from fercore.models.feeding import MAX_SIDE, Feeding

MAX_BYTES = 500 << 20  # of a file
MAX_NODES = 100_000
BATCH = 64
_PACKAGES = ("onnx", "onnxruntime")
_TYPES = {
    "tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
}  # fmt: skip


class Graph(NamedTuple):
    """What a file's graph says of itself. shape: of its input, None where a side is free. output:
    the one of its outputs that has seven numbers.
    """

    input: str
    type: str
    shape: tuple[int | None, ...]
    output: str


class OnnxModel:
    """A file's network; safe for threads, as onnxruntime's sessions are.

    Raises `ConfigError` where the extra is missing, `RunError` for a file that is no model with one
    input and seven outputs, or that asks for more than it may.
    """

    def __init__(self, content: bytes, name: str) -> None:
        check_extra()
        self.name = name
        self._session = _session(content, name)
        self.graph = _graph(self._session, name)

    def outputs(self, faces: NDArray[np.uint8], feeding: Feeding) -> NDArray[np.float64]:
        """What it gives (N, 7), as it stands, of faces uint8 (N, 48, 48)."""
        return np.concatenate([np.empty((0, len(CLASSES))), *self.batches(faces, feeding)])

    def batches(self, faces: NDArray[np.uint8], feeding: Feeding) -> Iterator[NDArray[np.float64]]:
        """The same, a few faces after the others, so that one may stop between."""
        size = self.graph.shape[0] or BATCH
        for start in range(0, len(faces), size):
            yield self._asked(faces[start : start + size], feeding, size)

    def probs(self, faces: NDArray[np.uint8], feeding: Feeding) -> NDArray[np.float32]:
        """Probabilities (N, 7) in the order of `CLASSES`, of faces uint8 (N, 48, 48)."""
        return feeding.probabilities(self.outputs(faces, feeding))

    def _asked(self, faces: NDArray[np.uint8], feeding: Feeding, size: int) -> NDArray[np.float64]:
        count = len(faces)
        if self.graph.shape[0] and count < size:  # it takes so many at a time, and no fewer
            faces = np.concatenate([faces, np.repeat(faces[-1:], size - count, axis=0)])
        values = feeding.arranged(faces).astype(_TYPES[self.graph.type])
        with _told(self.name, "cannot be asked"):
            (given,) = self._session.run([self.graph.output], {self.graph.input: values})
        table = np.asarray(given, np.float64).reshape(len(faces), -1)[:count]
        if table.shape[1] != len(CLASSES) or not np.isfinite(table).all():
            raise RunError(
                f"{self.name}: for a face it gives {table.shape[1]} numbers, or some that are "
                "none. A model of the seven expressions is needed; check how it is fed."
            )
        return table


@dataclass(frozen=True)
class FedModel:
    """A network from elsewhere with the way it is fed."""

    model: OnnxModel
    feeding: Feeding

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities (N, 7) of faces uint8 (N, 48, 48)."""
        return self.model.probs(faces, self.feeding)


def read_model(path: Path) -> tuple[bytes, OnnxModel]:
    """The model in a file, and the file's content. Raises as `OnnxModel` does."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise RunError(f"{path}: it cannot be read ({error.strerror}).") from error
    if size > MAX_BYTES:
        raise RunError(f"{path.name}: larger than {MAX_BYTES >> 20} MB, and not read.")
    return content, OnnxModel(content, path.name)


def check_extra() -> None:
    """Raise `ConfigError` where the packages that read ONNX files are not installed."""
    if missing := [name for name in _PACKAGES if importlib.util.find_spec(name) is None]:
        raise ConfigError(
            f"An ONNX file needs {' and '.join(missing)}. Install with: pip install 'fercore[onnx]'"
        )


def guessed(graph: Graph) -> tuple[Feeding, list[str]]:
    """How a model is fed, as far as its graph tells, and a sentence on what it does not tell.

    Raises `RunError` for an input that takes no pictures.
    """
    shape, notes = graph.shape, list[str]()
    if len(shape) == 3:
        layout, channels, sides = "NHW", 1, shape[1:]
    elif len(shape) == 4 and shape[1] in (1, 3):
        layout, channels, sides = "NCHW", shape[1], shape[2:]
    elif len(shape) == 4 and shape[3] in (1, 3):
        layout, channels, sides = "NHWC", shape[3], shape[1:3]
    elif len(shape) == 4 and None in (shape[1], shape[3]):
        layout, channels, sides = "NCHW", 1, shape[2:]
        notes.append("Its graph names no channels: one is assumed, before the sides.")
    else:
        raise RunError(
            f"Its input has the shape {shape}: no grey or RGB picture with its sides. Only such "
            "models are read."
        )
    side = next((each for each in sides if each), None)
    if side is None:
        notes.append(f"Its graph names no side: {SIZE} pixels are assumed.")
    if len({each for each in sides if each}) > 1 or not 8 <= (side or SIZE) <= MAX_SIDE:
        raise RunError(f"Its pictures are {sides}: squares of 8 to {MAX_SIDE} pixels are read.")
    feeding = Feeding(side=side or SIZE, channels=channels or 1, layout=layout)
    return (replace(feeding, scale="0..255") if "uint8" in graph.type else feeding), notes


class _told:
    """Whatever onnxruntime or the model raises becomes a sentence."""

    def __init__(self, name: str, failed: str) -> None:
        self.name, self.failed = name, failed

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, RunError | ConfigError):
            reason = " ".join(str(error).split())[:160]
            raise RunError(
                f"{self.name}: the model {self.failed} ({reason}). Check the file, and "
                "how it is fed."
            ) from error


def _session(content: bytes, name: str) -> Any:
    """An onnxruntime session of a file that stands alone."""
    import onnx
    import onnxruntime

    with _told(name, "is not one that can be read"):
        graph = onnx.load_model_from_string(content).graph
        nodes = 0
        for part in _graphs(graph):
            nodes += len(part.node)
            if any(tensor.data_location == tensor.EXTERNAL for tensor in _tensors(part)):
                raise RunError(
                    f"{name}: its numbers lie in another file beside it, which is not read. Save "
                    "it as one file."
                )
        if not 0 < nodes <= MAX_NODES:
            raise RunError(f"{name}: it has {nodes} nodes; from 1 to {MAX_NODES} are read.")
        del graph
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _graphs(graph: Any) -> Iterator[Any]:
    """A graph, and those inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _graphs(inner)


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t


def _graph(session: Any, name: str) -> Graph:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    seven = [each for each in outputs if _may_be_seven(each)]
    if len(inputs) != 1 or not seven:
        said = ", ".join(f"{each.name} {each.shape}" for each in (*inputs, *outputs))
        raise RunError(
            f"{name}: one picture in and seven numbers out are needed, and it has {said[:200]}."
        )
    (given,) = inputs
    if given.type not in _TYPES:
        raise RunError(f"{name}: its input is {given.type}; {', '.join(_TYPES)} are read.")
    shape = tuple(each if isinstance(each, int) and each > 0 else None for each in given.shape)
    return Graph(given.name, given.type, shape, seven[0].name)


def _may_be_seven(output: Any) -> bool:
    last = output.shape[-1] if output.shape else None
    figures = output.type in ("tensor(float)", "tensor(float16)", "tensor(double)")
    return figures and (last == len(CLASSES) or not isinstance(last, int))
