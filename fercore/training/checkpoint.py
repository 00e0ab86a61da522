"""Checkpoints: all that a training needs to go on as if it had never stopped.

A file is the SHA-256 of its content followed by the content, so that one that was cut short or
altered is known for what it is. The one before is kept beside it, for that case.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

from fercore.errors import TrainingError
from fercore.files import replacing

_DIGEST = hashlib.sha256().digest_size


def before(path: Path) -> Path:
    """Where the checkpoint before the newest one lies."""
    return path.with_name(f"{path.stem}-before{path.suffix}")


def has_checkpoint(path: Path) -> bool:
    return path.exists() or before(path).exists()


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` beside `path` and rename; what was there becomes the one before.

    At every moment one whole checkpoint lies in one of the two places.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    with replacing(path) as temporary, temporary.open("wb") as stream:
        stream.write(hashlib.sha256(content).digest() + content)
        stream.flush()
        os.fsync(stream.fileno())
        if path.exists():
            path.replace(before(path))


def load_checkpoint(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """The newest state that is whole. `expected` names what must agree: recipe, seed, data, model.

    Raises `TrainingError` where both files are damaged or belong to another training.
    """
    states = (_read(file) for file in (path, before(path)) if file.exists())
    state = next((state for state in states if state is not None), None)
    if state is None:
        raise TrainingError(
            f"{path}: the checkpoint is damaged, and so is the one before. "
            "Discard this training and start again."
        )
    for name, value in expected.items():
        if state["identity"].get(name) != value:
            raise TrainingError(
                f"{path}: the checkpoint was made with another {name}. "
                "Resume with the same settings, or start a new run."
            )
    return state


def _read(path: Path) -> dict[str, Any] | None:
    content = path.read_bytes()
    digest, content = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        return None
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
