"""How long a training will take here, measured on a few of its own steps."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fercore.data.faceset import face_set
from fercore.labels import SIZE
from fercore.models import build
from fercore.models.network import Network
from fercore.models.precision import choose_precision
from fercore.training.checkpoint import Checkpoints
from fercore.training.fit import fit
from fercore.training.parallel import ProcessGroup
from fercore.training.recipes import Recipe
from fercore.training.records import Interrupted, Progress, Watcher
from fercore.training.teacher import share_of_work

_WARM_UP_STEPS = 3  # the first ones prepare memory and kernels
_SECONDS = 2.0
_STEPS, _FEWEST_STEPS, _IMAGES = 400, 6, 40_000  # as many, but no more images than that
_FORWARD_SHARE = 1 / 3  # a step is a forward pass and a backward one of twice the work


def estimate(
    model: str,
    recipe: Recipe,
    training: int,
    validation: int,
    *,
    teachers: Sequence[Network] = (),
    **options: Any,
) -> tuple[float, float]:
    """Seconds for all epochs over so many images, and full-size images per second.

    `options` are those of `images_per_second`.
    """
    rate = images_per_second(model, recipe, teachers=teachers, **options)
    taught = share_of_work(teachers, build(model, **recipe.model_arguments))
    epochs = range(1, recipe.epochs + 1)
    shown = sum(recipe.cost(epoch, teacher=taught) for epoch in epochs) * training
    validated = sum(map(recipe.validates, epochs)) * validation
    seen = _FORWARD_SHARE * (1 - taught) * validated * recipe.model_arguments.get("views", 1)
    return (shown + seen) / rate, rate


def images_per_second(
    model: str,
    recipe: Recipe,
    *,
    teachers: Sequence[Network] = (),
    precision: str = "auto",
    threads: int | None = None,
) -> float:
    """The speed of the real training loop on full-size drawn noise, over about two seconds."""
    torch.set_num_threads(threads or torch.get_num_threads())
    count = recipe.batch_size * max(_FEWEST_STEPS, min(_STEPS, _IMAGES // recipe.batch_size))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, SIZE, SIZE), np.uint8)
    noise = face_set("noise", images, rng.integers(0, 7, count), np.full(count, "Training"))
    seen: list[tuple[float, Progress]] = []

    def enough() -> bool:
        return len(seen) > _WARM_UP_STEPS + 1 and time.perf_counter() - seen[0][0] > _SECONDS

    watcher = Watcher(
        on_step=lambda at: seen.append((time.perf_counter(), at)), stop_requested=enough
    )
    with tempfile.TemporaryDirectory() as folder, suppress(Interrupted):
        fit(
            build(model, **recipe.model_arguments),
            noise,
            noise.where(np.arange(count) < 1),
            replace(recipe, epochs=1, resolutions=()),
            seed=0,
            precision=choose_precision(precision),
            checkpoints=Checkpoints(Path(folder) / "checkpoint.pt", {}),
            teachers=teachers,
            watcher=watcher,
            group=ProcessGroup(alone=True),
        )
    steps = seen[_WARM_UP_STEPS:]
    return (len(steps) - 1) * recipe.batch_size / (steps[-1][0] - steps[0][0])
