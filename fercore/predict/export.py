"""A run's model as an ONNX file that needs nothing of fercore, with a note on how to feed it.

The graph takes faces as `fercore.faces.detection.preprocess` gives them and ends in probabilities:
normalisation and softmax are inside. It is compared with torch before it is kept. Needs the extra
`export`.
"""

import importlib.util
import json
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fercore.errors import ConfigError, RunError
from fercore.faces.detection import CROP_RISE, CROP_SIDE
from fercore.files import replacing, writing_to
from fercore.labels import CLASSES, NOT_FOR, SIZE
from fercore.models.inference import predict_probs
from fercore.models.network import Network
from fercore.models.precision import REFERENCE
from fercore.runs.artifacts import Run

INPUT, OUTPUT = "faces", "probabilities"
TOLERANCE = 1e-4  # the largest difference of a probability from torch's
FORMATS = ("onnx",)
_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_CHECKED = 64  # faces of noise


class _FacesToProbs(nn.Module):
    def __init__(self, model: Network) -> None:
        super().__init__()
        self.model = model

    def forward(self, faces: Tensor) -> Tensor:  # (N, 48, 48) uint8
        logits: Tensor = self.model(faces[:, None])
        return logits.softmax(1)


def export_onnx(run: Run, path: Path, title: str) -> Path:
    """Write the run's model to `path` and its description beside it, '.json' instead of '.onnx'.

    title: what the description calls the model.
    Returns the description's path. Raises `ConfigError` where the extra `export` is not installed
    or nothing can be written there, `RunError` where the run cannot be read or the file does not
    give what torch gives.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"The ONNX export needs {', '.join(missing)}. Install them with: "
            "pip install 'fercore[export]'"
        )
    if path.suffix in (".json", ".md"):
        raise ConfigError(f"{path}: what lies beside it is called so. Name the file '.onnx'.")
    description = path.with_suffix(".json")
    _check_ours(description, path.with_suffix(".md"))
    model = run.load_model()
    with writing_to(path.parent.absolute(), f"{path} is not written", ConfigError):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_checked(run, model, path, description, title)
    return description


def _check_ours(description: Path, card: Path) -> None:
    """Raise `ConfigError` where one of them is there and no export wrote it."""
    for beside, sign in ((description, '"run": "'), (card, 'library_name: "fercore"')):
        if beside.exists() and sign not in beside.read_text(encoding="utf-8", errors="replace"):
            raise ConfigError(
                f"{beside} would be overwritten, and is no export's. Give the model another name."
            )


def _write_checked(run: Run, model: Network, path: Path, description: Path, title: str) -> None:
    with replacing(path) as temporary:
        _write(model, temporary)
        difference = largest_difference(model, temporary)
        if not difference <= TOLERANCE:
            raise RunError(
                f"{run.run_id}: the ONNX file gives probabilities that differ from torch's by "
                f"{difference:.2g}, more than {TOLERANCE}. It was not kept."
            )
        with replacing(description) as note:
            text = json.dumps(describe(run, path, difference, title), indent=2, ensure_ascii=False)
            note.write_text(text + "\n", encoding="utf-8")


def largest_difference(model: Network, path: Path) -> float:
    """The largest difference between torch's and the file's probabilities, over noise and greys."""
    import onnxruntime

    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (_CHECKED, SIZE, SIZE), dtype=np.uint8)
    faces[:8] = np.linspace(0, 255, 8, dtype=np.uint8)[:, None, None]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (exported,) = session.run([OUTPUT], {INPUT: faces})
    return float(np.abs(exported - predict_probs(model, faces, precision=REFERENCE)).max())


def describe(run: Run, path: Path, difference: float, title: str) -> dict[str, Any]:
    """What a caller of the file needs to know: its input, its output, and how to make the input."""
    return {
        "file": path.name,
        "run": run.run_id,
        "model": title,
        "dataset": run.dataset,
        "not_for": NOT_FOR,
        "input": {
            "name": INPUT,
            "shape": ["N", SIZE, SIZE],
            "dtype": "uint8",
            "range": [0, 255],
            "normalisation": "inside the graph: give grey values as they are",
        },
        "output": {
            "name": OUTPUT,
            "shape": ["N", len(CLASSES)],
            "dtype": "float32",
            "classes": list(CLASSES),
            "meaning": "each row sums to 1; not calibrated",
        },
        "from_a_photo_to_a_face": [
            "Turn the photo upright by its EXIF orientation.",
            "Find the face: dlib.get_frontal_face_detector(), whose box is a square.",
            "Turn a face that leans upright, around the middle of its box.",
            f"Frame it: a square {CROP_SIDE} times as wide as dlib's box, its centre higher by "
            f"{CROP_RISE} of the square's side. A detector of other boxes needs other numbers.",
            "Make it grey: 0.299 R + 0.587 G + 0.114 B. Repeat the border beyond the photo's edge.",
            f"Resize the square to {SIZE}×{SIZE} with Lanczos (antialiased, as Pillow does it).",
            "The reference, with its details, is find_faces and preprocess in "
            "fercore/faces/detection.py.",
        ],
        "largest_difference_from_torch": difference,
    }


def _write(model: Network, path: Path) -> None:
    faces = torch.zeros(2, SIZE, SIZE, dtype=torch.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, unasked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own internals
        torch.onnx.export(
            _FacesToProbs(model).eval(),
            (faces,),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={"faces": {0: torch.export.Dim("N", min=1)}},
            external_data=False,
            verbose=False,
        )
