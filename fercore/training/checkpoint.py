"""Checkpoints: all that a training needs to go on as if it had never stopped.

Randomness is not stored. Every epoch seeds its generators from (seed, epoch), so an epoch that is
begun again is the same epoch.
"""

import pickle
from pathlib import Path
from typing import Any

import torch

from fercore.errors import TrainingError
from fercore.files import replacing


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        torch.save(state, temporary)


def load_checkpoint(path: Path, expected: dict[str, Any]) -> dict[str, Any]:
    """The saved state. `expected` names what must agree: recipe, seed, data, model.

    Raises `TrainingError` where the file is damaged or belongs to another training.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(
            f"{path}: the checkpoint cannot be read. Delete the run and start again."
        ) from error
    for name, value in expected.items():
        if state["identity"].get(name) != value:
            raise TrainingError(
                f"{path}: the checkpoint was made with another {name}. "
                "Resume with the same settings, or start a new run."
            )
    return state
