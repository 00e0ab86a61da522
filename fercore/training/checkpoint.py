"""Checkpoints: all that a training needs to go on as if it had never stopped.

A file is the SHA-256 of its content followed by the content, so that one that was cut short or
altered is known for what it is. The one before is kept beside it, for that case.
"""

import hashlib
import io
import os
import time
from pathlib import Path
from typing import Any

import torch

from fercore.errors import TrainingError
from fercore.files import replacing
from fercore.training.records import CHECKPOINT_SECONDS

_DIGEST = hashlib.sha256().digest_size


class Checkpoints:
    """The newest checkpoint of a training, at `path`, and the one before.

    `identity` names what must agree when it is read again: recipe, seed, data, model. A new one is
    due `seconds` after the last.
    """

    def __init__(
        self, path: Path, identity: dict[str, Any], *, seconds: float = CHECKPOINT_SECONDS
    ) -> None:
        self._path, self._before = path, path.with_name(f"{path.stem}-before{path.suffix}")
        self._identity, self._seconds = identity, seconds
        self._saved = time.monotonic()

    @property
    def due(self) -> bool:
        return time.monotonic() - self._saved > self._seconds

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` beside the newest and rename; what was there becomes the one before.

        At every moment one whole checkpoint lies in one of the two places.
        """
        buffer = io.BytesIO()
        torch.save(state | {"identity": self._identity}, buffer)
        content = buffer.getvalue()
        with replacing(self._path) as temporary, temporary.open("wb") as stream:
            stream.write(hashlib.sha256(content).digest() + content)
            stream.flush()
            os.fsync(stream.fileno())
            if self._path.exists():
                self._path.replace(self._before)
        self._saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole; None where nothing was saved yet.

        Raises `TrainingError` where both files are damaged, or belong to another training.
        """
        files = [path for path in (self._path, self._before) if path.exists()]
        if not files:
            return None
        states = [_read(path) for path in files]
        state = states[0] or states[-1]
        if state is None:
            raise TrainingError(
                f"{self._path}: the checkpoint is damaged, and so is the one before. "
                "Discard this training and start again."
            )
        for name, value in self._identity.items():
            if state["identity"].get(name) != value:
                raise TrainingError(
                    f"{self._path}: the checkpoint was made with another {name}. "
                    "Resume with the same settings, or start a new run."
                )
        if states[0] is None:  # the next one would take its place, and it that of the one before
            files[0].unlink()
        return state


def _read(path: Path) -> dict[str, Any] | None:
    content = path.read_bytes()
    digest, content = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(content).digest() != digest:
        return None
    state: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state
