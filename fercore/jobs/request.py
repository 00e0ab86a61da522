"""What a training was asked to do, as a file in its folder, from which anyone can begin it.

Until a training is complete its folder holds `request.json`, `status.json` (where it stands),
`history.jsonl`, `log.txt` and the checkpoint; with what it starts from and the verdicts it uses,
as they were when it was asked for.
"""

import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fercore import data
from fercore.analysis import review
from fercore.errors import ConfigError, RunError
from fercore.files import read_json, write_json
from fercore.models import model_entry
from fercore.runs.artifacts import find_run, is_shipped, local_folder
from fercore.training.recipes import Recipe

REQUEST, LOG = "request.json", "log.txt"
CHECKPOINT = "checkpoint.pt"
START = "start.safetensors"  # the weights it begins with, where they are another run's
VERDICTS = "verdicts.parquet"
LOCK = "lock"  # held by the training's process
CANCEL = "cancel"  # a file of this name asks the training to stop


@dataclass(frozen=True)
class Request:
    """What to train, and on what.

    data: a path, 'synthetic', or None for where FER2013 is. threads: all where None.
    low_priority: whether it yields the processor to other programs. start_from: the run whose
    weights it begins with; model and its arguments are then that run's. verdicts: whether the
    review verdicts are laid over Training.
    """

    run_id: str
    model: str
    recipe: Recipe
    seed: int = 0
    data: str | None = None
    precision: str = "auto"
    threads: int | None = None
    low_priority: bool = False
    start_from: str | None = None
    verdicts: bool = False

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Request":
        return cls(**{**value, "recipe": Recipe.from_json(value["recipe"])})


def new_run_id(model: str, recipe: Recipe, seed: int) -> str:
    """A name that says what the run is, unused so far."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    base = f"{model}-{recipe.name}-s{seed}-{stamp}"
    names = [base, *(f"{base}-{n}" for n in range(2, 100))]
    return next(name for name in names if not local_folder(name).exists())


def settled(request: Request) -> Request:
    """The request with the model and the arguments that it will be trained with.

    Raises `ConfigError` where the model cannot follow the recipe, `RunError` where the run to start
    from or to learn from is missing or has no weights.
    """
    if request.start_from:
        base = find_run(request.start_from)
        base.weights_file()
        recipe = replace(request.recipe, model_arguments=base.info["model_arguments"])
        request = replace(request, model=base.info["model"], recipe=recipe)
    entry = model_entry(request.model)
    if request.recipe.resolutions and not entry.takes_any_size:
        raise ConfigError(
            f"The recipe '{request.recipe.name}' begins with small images, and {entry.title} reads "
            "maps of one size. Choose another recipe or model."
        )
    if request.recipe.teacher:
        find_run(request.recipe.teacher).weights_file()
    return request


def prepare(request: Request, folder: Path | None = None) -> Path:
    """Create the run's folder with its request. Raises `RunError` where the name is taken.

    The folder is in `artifacts/runs/` unless one is given. Raises `ConfigError` where verdicts are
    asked for and there are none, and what `settled` raises.
    """
    request = settled(request)
    verdicts = review.verdicts() if request.verdicts else None
    if verdicts is not None and not len(verdicts):
        raise ConfigError(
            "There are no verdicts yet. Leave some on the Review page, or go without."
        )
    taken = folder is None and is_shipped(request.run_id)
    folder = folder or local_folder(request.run_id)
    if taken or (folder / REQUEST).exists() or (folder / "run.json").exists():
        raise RunError(f"There is a run '{request.run_id}' already. Choose another name.")
    source = data.find_source(request.data)
    if isinstance(source, Path):
        source = str(source.resolve())
    request = replace(request, data=source)  # whatever is chosen, and wherever it is resumed
    folder.mkdir(parents=True, exist_ok=True)
    if request.start_from:
        shutil.copyfile(find_run(request.start_from).weights_file(), folder / START)
    if verdicts is not None:
        verdicts.to_parquet(folder / VERDICTS, index=False)
    write_json(folder / REQUEST, request.to_json())
    return folder


def read_request(run_id: str, folder: Path | None = None) -> Request:
    """The request of a training that was begun. Raises `RunError` where nothing is to resume."""
    folder = folder or local_folder(run_id)
    if (folder / "run.json").exists():
        raise RunError(f"'{run_id}' is complete; there is nothing to resume.")
    if not (folder / REQUEST).is_file():
        raise RunError(f"There is no training '{run_id}' to resume.")
    try:
        return Request.from_json(read_json(folder / REQUEST))
    except (ValueError, KeyError, TypeError, ConfigError) as error:
        raise RunError(
            f"{run_id}: its request.json cannot be read by this version. Delete {folder}."
        ) from error
