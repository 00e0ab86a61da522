"""What a training was asked to do, as a file in its folder, from which anyone can begin it.

Until a training is complete its folder holds `request.json`, `status.json` (where it stands),
`history.jsonl`, `log.txt` and the checkpoint; with what it starts from and the verdicts it uses,
as they were when it was asked for.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyarrow import ArrowException

from fercore import data
from fercore.analysis import relabelling, review
from fercore.data import FaceSet
from fercore.data.class_names import class_names
from fercore.data.validation import check_parts
from fercore.errors import Busy, ConfigError, DataError, NameTaken, RunError
from fercore.files import appearing, read_json, remove_folder, write_json, writing_to
from fercore.jobs.combinations import as_started, check, find_start
from fercore.jobs.locks import held
from fercore.jobs.status import ALIVE, LOCK, read_status, state_of
from fercore.jobs.status import FILE as STATUS
from fercore.models import MODELS
from fercore.models.elsewhere import STRIDE
from fercore.runs.commit import THEN
from fercore.runs.folders import complete, local_folder
from fercore.runs.listing import find_run, is_shipped, read_run
from fercore.shapes import anything, misfit, number, one_of, optional, text, truth, whole
from fercore.training.recipes import Recipe

if TYPE_CHECKING:
    from torch import Tensor

REQUEST, LOG = "request.json", "log.txt"
CHECKPOINT = "checkpoint.pt"
START = "start.safetensors"  # the weights it begins with, where they are another run's
TRUNK = "trunk.safetensors"  # or its trunk does, where they are from elsewhere
VERDICTS = "verdicts.parquet"
CANCEL = "cancel"  # a file of this name asks the training to stop
COMMITS = "commits.json"  # of the code that has trained it so far
# What is not of the run that it becomes; checkpoints are neither.
_OF_A_TRAINING = (START, TRUNK, STATUS, LOCK, CANCEL, COMMITS, REQUEST)
_SHAPE = {
    "run_id": text, "model": one_of(*MODELS), "recipe": anything, "seed?": whole(),
    "data?": optional(text), "precision?": text, "threads?": optional(whole(1)),
    "low_priority?": truth, "start_from?": optional(text), "verdicts?": truth, "class_names?": text,
    "validation?": optional(number(0, 1)), "labels?": optional(text),
}  # fmt: skip
_PATIENCE = 2.0  # seconds; one that has said that it failed holds its lock a moment longer


@dataclass(frozen=True)
class Request:
    """What to train, and on what.

    run_id: '' for a name that says what the run is, which `prepare` gives it. data: a path,
    'synthetic', or None for where FER2013 is. threads: all where None. low_priority: whether it
    yields the processor to other programs. start_from: the run whose weights it begins with; the
    model, which may then be '', and its arguments are that run's. verdicts: whether the review
    verdicts are laid over Training. class_names: what the source's own names for classes stand for,
    as `data.load` takes it. validation: the share of Training that is drawn by `seed` for
    validation, where the set has no validation images. labels: a key of `relabelling.TRAINED_BY`,
    what of FER+ is laid over Training; None for the dataset's own labels.
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
    class_names: str = ""
    validation: float | None = None
    labels: str | None = None

    def faces(self, *, progress: Callable[[int], None] | None = None) -> FaceSet:
        """The faces it is trained and scored on. Raises what `data.load` raises."""
        names = class_names(self.class_names)
        drawn = (self.validation, self.seed) if self.validation is not None else None
        return data.load(self.data, names=names, validation=drawn, progress=progress)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Request":
        """The request that `to_json` gave. Raises `ConfigError` on unknown or odd settings."""
        if problem := misfit(value, _SHAPE):
            raise ConfigError(f"This is no request: {problem}.")
        try:
            return cls(**value | {"recipe": Recipe.from_json(value["recipe"])})
        except TypeError as error:
            raise ConfigError(f"This is no request: {error}.") from error


def settled(request: Request) -> Request:
    """The request with the model and the arguments that it will be trained with, and its data's
    whole path and names, whatever is chosen when it is resumed.

    Raises what `combinations.check` does, and `ConfigError` where verdicts are asked for and there
    are none.
    """
    if request.verdicts and request.labels:
        raise ConfigError("Train by FER+'s labels or by your verdicts, not by both.")
    if request.verdicts and not len(review.verdicts()):
        raise ConfigError(
            "There are no verdicts yet. Leave some on the Review page, or go without."
        )
    start = find_start(request.start_from)
    model = request.model or (start.info["model"] if start else "")
    request = replace(request, model=model, recipe=as_started(request.recipe, start))
    check(model, request.recipe, start)
    source = data.find_source(request.data)
    if isinstance(source, Path):
        names = str(data.names_for(source, request.class_names))
        return replace(request, class_names=names, data=str(source.resolve()))
    return replace(request, data=source)


def prepare(request: Request, folder: Path | None = None, faces: FaceSet | None = None) -> Path:
    """Create the run's folder with its request, whole, and return it.

    Who asks at the same moment gets another name, or `NameTaken` where a name was given. One that
    failed before its first checkpoint gives its name free. The folder is in `artifacts/runs/`
    unless one is given, and `faces` are loaded as requested, unless they are. Raises `DataError`
    where there are no images to train on or to choose the epoch by, and what `settled` and
    `data.load` raise.
    """
    request = settled(request)
    verdicts = review.verdicts() if request.verdicts else None
    complete_as_drawn = request.data == data.SYNTHETIC and request.validation is None
    if request.labels or not complete_as_drawn:
        given = request.faces() if faces is None else faces
        check_parts(given)
        if request.labels:
            relabelling.train_by_votes(given, request.labels)  # raises where it cannot be
    if request.run_id:
        return _create(request, folder or local_folder(request.run_id), verdicts)
    for name in _names(request):
        with suppress(NameTaken):
            return _create(replace(request, run_id=name), local_folder(name), verdicts)
    raise AssertionError("names are without end")


def failure(folder: Path) -> str:
    """Why the training in `folder` failed before its first checkpoint; '' where it did not.

    Nothing is lost when such a training is replaced by another one of its name.
    """
    status = read_status(folder)
    kept = complete(folder) or has_checkpoint(folder)
    return status.get("message", "") if status.get("state") == "failed" and not kept else ""


def has_checkpoint(folder: Path) -> bool:
    """Whether the training in `folder` goes on from one; else it begins at the start."""
    return any(folder.glob(f"{Path(CHECKPOINT).stem}*"))


def with_commit(folder: Path, commit: str | None) -> str | None:
    """The commits of the code that has trained in `folder`, this one last and kept beside the
    checkpoint; None where no commit is known.
    """
    known: list[str] = []
    if has_checkpoint(folder):
        with suppress(OSError, ValueError):  # one that was begun before they were kept
            found = read_json(folder / COMMITS)
            known = [] if misfit(found, [text]) else found
    commits = list(dict.fromkeys([*known, *filter(None, [commit])]))
    write_json(folder / COMMITS, commits)
    return THEN.join(commits) or None


def _names(request: Request) -> Iterator[str]:
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    base = f"{request.model}-{request.recipe.name}-s{request.seed}-{stamp}"
    yield base
    yield from (f"{base}-{n}" for n in count(2))


def _create(request: Request, folder: Path, verdicts: pd.DataFrame | None) -> Path:
    undone = f"'{request.run_id}' is not begun"
    with writing_to(folder.parent, undone, RunError, variable="FERCORE_ARTIFACTS"):
        try:
            if failure(folder):
                _remove_failed(folder)
            if folder == local_folder(request.run_id) and is_shipped(request.run_id):
                raise FileExistsError
            with appearing(folder) as made:
                if request.start_from:
                    shutil.copyfile(find_run(request.start_from).weights_file(), made / START)
                if request.recipe.pretrained:
                    _write_trunk(request.recipe, made / TRUNK)
                if verdicts is not None:
                    verdicts.to_parquet(made / VERDICTS, index=False)
                write_json(made / REQUEST, request.to_json())
        except FileExistsError as error:
            raise NameTaken(_taken(folder)) from error
    return folder


def pretrained_trunk(recipe: Recipe) -> "dict[str, Tensor]":
    """The weights that a pretrained recipe's trunk begins with. Raises `ConfigError` without."""
    from fercore.models.pretrained import trunk_weights

    return trunk_weights(recipe.trunk, recipe.model_arguments.get("stride", STRIDE))


def _write_trunk(recipe: Recipe, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(pretrained_trunk(recipe), path)


def _remove_failed(folder: Path) -> None:
    with suppress(Busy, FileNotFoundError), held(folder / LOCK, patience=_PATIENCE):
        if failure(folder):  # still: nobody has begun another one in its place
            remove_folder(folder)


def _taken(folder: Path) -> str:
    """Why a training cannot have the name of `folder`, and what to do."""
    name = folder.name
    if not (folder / REQUEST).exists() or complete(folder):
        return f"There is a run '{name}' already. Choose another name."
    state = state_of(folder, read_status(folder))
    if state in ALIVE:
        return f"There is a training '{name}' already, and it is {state}. Choose another name."
    return (
        f"There is a training '{name}' already, and it is {state}. Go on with it (fercore jobs "
        f"resume {name}), discard it (fercore jobs discard {name}), or choose another name."
    )


def read_request(run_id: str, folder: Path | None = None) -> Request:
    """The request of a training that was begun. Raises `RunError` where nothing is to resume."""
    folder = folder or local_folder(run_id)
    if complete(folder):
        clear(folder)
        raise RunError(f"'{run_id}' is complete; there is nothing to resume.")
    if not os.path.lexists(folder / REQUEST):
        raise RunError(f"There is no training '{run_id}' to resume.")
    try:
        request = Request.from_json(read_json(folder / REQUEST))
        if request.run_id != folder.name:
            raise ConfigError(f"It asks for {ascii(request.run_id)[:80]}.")
    except (OSError, ValueError) as error:
        raise RunError(f"{run_id}: its request.json cannot be read. {_remedy(run_id)}") from error
    except ConfigError as error:
        raise RunError(
            f"{run_id}: its request.json cannot be used. {error} {_remedy(run_id)}"
        ) from error
    return request


def _remedy(run_id: str) -> str:
    return f"Restore the file, or discard the training (fercore jobs discard {run_id})."


def read_verdicts(folder: Path) -> pd.DataFrame | None:
    """The verdicts that a training uses; None where it uses none. Raises `RunError`."""
    path = folder / VERDICTS
    if not path.exists():
        return None
    try:
        return review.checked_table(pd.read_parquet(path))
    except (OSError, ValueError, ArrowException, DataError) as error:
        raise RunError(
            f"{folder.name}: its {VERDICTS} cannot be read. {_remedy(folder.name)}"
        ) from error


def clear(folder: Path) -> None:
    """Delete what a training has left beside the run that it became.

    Nothing where that run cannot be read: its checkpoint may be wanted yet.
    """
    found = [*folder.glob(f"{Path(CHECKPOINT).stem}*")]  # the request last: it tells of the rest
    found += [path for path in (folder / name for name in _OF_A_TRAINING) if path.exists()]
    if found:
        with suppress(RunError):
            read_run(folder)
            for path in found:
                with suppress(OSError):  # Windows keeps what a process has open
                    path.unlink(missing_ok=True)
