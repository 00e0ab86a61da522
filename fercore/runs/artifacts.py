"""Runs on disk: the one module that writes and reads them.

A run is a folder. Its `run.json` is written last, so a folder that has one is complete; the others
are trainings under way or broken off. Reading needs no torch, except for a model's weights.
In a checkout all of them lie in `artifacts/`; where fercore is installed, the shipped ones lie in
the package and new ones in the user's data folder. `FERCORE_ARTIFACTS` moves `artifacts/`, or the
new ones.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import platformdirs

from fercore.errors import ConfigError, NameTaken, RunError
from fercore.files import (
    appearing,
    file_stamp,
    read_json,
    remove_folder,
    replacing,
    safe_name,
    write_json,
    write_json_lines,
    write_parquet,
)
from fercore.labels import CLASSES
from fercore.models import MODELS, build
from fercore.places import INSTALLED, PROJECT
from fercore.runs.shape import RUN, TRAINED, RunInfo, checked_metrics, history_frame
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.predictions import Predictions, checked_frame, read_frame, select_part
from fercore.shapes import anything, misfit
from fercore.training.recipes import Recipe

if TYPE_CHECKING:
    from fercore.models.network import Network

SCHEMA = 1
SCORES = ("predictions.parquet", "metrics.json")
FILES = ("history.jsonl", "weights.safetensors", *SCORES)
NOTE, NOTE_LENGTH = "note.txt", 500  # what a person wrote about a run; characters
SHIPPED, LOCAL = "shipped", "runs"
INFO = "run.json"
T = TypeVar("T")
_log = logging.getLogger(__name__)


def artifacts_folder() -> Path:
    """Where runs and studies are made."""
    if given := os.environ.get("FERCORE_ARTIFACTS"):
        return Path(given)
    return Path(platformdirs.user_data_dir("fercore")) if INSTALLED else PROJECT / "artifacts"


def shipped_artifacts() -> Path:
    """Where the runs and studies lie that come with the project."""
    return PROJECT / "artifacts" if INSTALLED else artifacts_folder()


def _folder_in(place: str) -> Path:
    return (shipped_artifacts() if place == SHIPPED else artifacts_folder()) / place


def local_folder(run_id: str) -> Path:
    """The folder of a run made on this machine, whether or not it exists."""
    return artifacts_folder() / LOCAL / checked_run_id(run_id)


@contextmanager
def new_folder(run_id: str) -> Iterator[Path]:
    """A folder to make a run in, which is among this machine's runs once it is filled.

    Raises `NameTaken` where the name is, or was by then.
    """
    folder = local_folder(run_id)
    taken = NameTaken(f"There is a run '{run_id}' already. Choose another name.")
    if folder.exists() or is_shipped(run_id):
        raise taken
    try:
        with appearing(folder) as made:
            yield made
    except FileExistsError as error:
        raise taken from error


def checked_run_id(run_id: str) -> str:
    """`run_id`, if it may become a folder's name; raises `RunError` otherwise."""
    if not safe_name(run_id):
        raise RunError(f"'{run_id}' is no run's name: use letters, digits, '-', '_' and '.'.")
    return run_id


@dataclass(frozen=True)
class Run:
    """A complete run. `info` is its `run.json`."""

    folder: Path
    info: RunInfo
    recipe: Recipe

    @property
    def run_id(self) -> str:
        return self.info["run_id"]

    @property
    def shipped(self) -> bool:
        return self.folder.parent.name == SHIPPED

    @property
    def start_from(self) -> str | None:
        """The run whose weights it began with, by the name that it had then."""
        start = self.info.get("start_from")
        return start["run_id"] if start else None

    @property
    def choice(self) -> str:
        """For people: how its epoch was chosen."""
        part, drawn = self.info["selected_on"], self.info["dataset"].get("validation")
        if not part:
            return "the last one: PublicTest was asked about none"
        share = f", {100 * drawn['share']:g} % of Training drawn by its seed" if drawn else ""
        return f"chosen on {part}{share}"

    @property
    def epochs_done(self) -> int:
        """How long it was trained; the recipe's epochs where it was not said."""
        return self.info.get("epochs_done") or self.recipe.epochs

    @property
    def cut_short(self) -> str:
        """'3 of 14 epochs' where its training was broken off and the best so far kept; else ''."""
        done, asked = self.epochs_done, self.recipe.epochs
        return f"{done} of {asked} epochs" if done < asked else ""

    @property
    def members(self) -> list[str]:
        """The runs whose mean it is; none for one that was trained."""
        return self.info.get("members", [])

    @property
    def seed(self) -> str:
        """For people: its seed, or of how many it is the mean."""
        count = len(self.members)
        return f"ensemble of {count} seeds" if count else f"seed {self.info['seed']}"

    def weights_file(self) -> Path:
        """Its file of weights. Raises `RunError` for an ensemble, which has none."""
        if self.members:
            raise RunError(
                f"'{self.run_id}' is an ensemble of {len(self.members)} runs: it has predictions, "
                "but no weights. Choose a run that was trained."
            )
        return self.folder / "weights.safetensors"

    @property
    def dataset(self) -> str:
        return self.info["dataset"]["name"]

    @property
    def title(self) -> str:
        """For people: 'CNN · paper · seed 0', the synthetic set named wherever it was used."""
        model = MODELS[self.info["model"]].title
        parts = [model, self.recipe.name, self.seed]
        if self.cut_short:
            parts.insert(2, f"cut short at {self.cut_short}")
        if self.dataset != "FER2013":
            parts.insert(1, self.dataset)
        if not self.shipped:
            parts.append(self.info["created"][:16].replace("T", " "))
        return " · ".join(parts)

    @property
    def note(self) -> str:
        """What a person wrote about it, or ''."""
        try:
            note = (self.folder / NOTE).read_text(encoding="utf-8", errors="replace")
        except OSError:  # most have none
            return ""
        return note[:NOTE_LENGTH]

    @property
    def bytes_on_disk(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def remedy(self) -> str:
        """What helps where one of its files is damaged."""
        return _remedy(self.folder)

    @cached_property
    def prediction_frame(self) -> pd.DataFrame:
        """The stored table: usage, row, label, pixels, copy, p_angry … p_neutral."""
        return self.read("predictions.parquet", read_frame)

    def predictions(self, part: str = "private") -> Predictions:
        """The predictions on 'private', 'clean' or 'public', in row order."""
        return select_part(self.prediction_frame, part)

    def metrics(self) -> dict[str, Any]:
        """Headline metrics by part, as stored; computed again where the file is damaged."""
        try:
            return self.read("metrics.json", lambda path: checked_metrics(read_json(path)))
        except RunError as error:
            metrics = evaluate_parts(self.prediction_frame)
            _log.warning("%s Its metrics are computed from its predictions.", error)
            return metrics

    def history(self) -> pd.DataFrame:
        """One line per epoch."""
        history = self.read("history.jsonl", lambda path: history_frame(path.read_text("utf-8")))
        if len(history) < (self.info["best_epoch"] or 0):
            raise RunError(
                f"{self.run_id}: its history.jsonl cannot be read to its end. {self.remedy}"
            )
        return history

    def load_model(self) -> Network:
        """The model with its weights, in evaluation mode. Imports torch."""
        from fercore.models.weights import load_weights

        build_model = partial(build, self.info["model"], **self.info["model_arguments"])
        model = self.read(self.weights_file().name, partial(load_weights, build_model))
        model.eval()
        return model

    def read(self, name: str, reader: Callable[[Path], T]) -> T:
        """What `reader` makes of one of its files. Raises `RunError` where it cannot."""
        try:
            return reader(self.folder / name)
        except RunError as error:  # says itself what is wrong
            raise RunError(
                f"{self.run_id}: its {name} cannot be used. {error} {self.remedy}"
            ) from error
        except Exception as error:  # each format's library has errors of its own
            raise RunError(f"{self.run_id}: its {name} cannot be read. {self.remedy}") from error


def list_runs() -> list[Run]:
    """Every complete run that can be read: shipped ones by name, then this machine's, newest first.

    FER2013's shipped runs come before those on other sets.
    """
    return _scan()[0]


def unreadable_runs() -> list[str]:
    """A sentence for each complete run that cannot be read."""
    return _scan()[1]


def _scan() -> tuple[list[Run], list[str]]:
    runs: list[Run] = []
    problems: list[str] = []
    for place in (SHIPPED, LOCAL):
        for folder in sorted(_folder_in(place).glob("[!.]*")):
            if not complete(folder):
                continue
            found = _read_once(folder, file_stamp(folder / INFO))
            if isinstance(found, str):
                problems.append(found)
            else:
                runs.append(replace(found))  # its own: what it reads later goes with it
    newest_first = sorted(runs, key=lambda run: run.info["created"], reverse=True)
    local = [run for run in newest_first if not run.shipped]
    shipped = [run for run in runs if run.shipped]
    shipped.sort(key=lambda run: (run.dataset != "FER2013", run.run_id))
    return shipped + local, problems


@lru_cache(maxsize=1000)
def _read_once(folder: Path, _stamp: str) -> Run | str:
    """The run in `folder`, or what is wrong with it; read again when its run.json changes."""
    try:
        return read_run(folder)
    except RunError as error:
        return str(error)


def complete(folder: Path) -> bool:
    """Whether a run was completed in `folder`, one that can be read or not."""
    return os.path.lexists(folder / INFO)


def find_run(run_id: str) -> Run:
    """The complete run of that name, this machine's before shipped. Raises `RunError`."""
    checked_run_id(run_id)
    for place in (LOCAL, SHIPPED):
        folder = _folder_in(place) / run_id
        if complete(folder):
            return read_run(folder)
    known = ", ".join(run.run_id for run in list_runs()) or "none yet"
    raise RunError(f"There is no complete run '{run_id}'. Runs here: {known}.")


def is_shipped(run_id: str) -> bool:
    """Whether a run of that name comes with the project."""
    return (_folder_in(SHIPPED) / checked_run_id(run_id)).exists()


def read_run(folder: Path) -> Run:
    """The run in `folder`. Raises `RunError` where it is damaged or of another kind."""
    name, remedy = ascii(folder.name)[1:-1], _remedy(folder)
    if not safe_name(folder.name):
        raise RunError(
            f"{name}: a run's folder has a name of letters, digits, '-', '_' and '.'. Rename it as "
            "its run.json says, or delete it."
        )
    try:
        info = read_json(folder / INFO)
    except (OSError, ValueError) as error:
        raise RunError(f"{name}: its run.json cannot be read. {remedy}") from error
    if isinstance(info, dict) and info.get("schema", SCHEMA) != SCHEMA:
        raise RunError(
            f"{name}: its format is {ascii(info['schema'])[:20]}, and this version reads {SCHEMA}. "
            f"Use the version of fercore that made it, or delete the run."
        )
    problem = misfit(info, {"schema": anything} | RUN)
    if not problem and not info.get("members"):
        problem = misfit(info, TRAINED)
    if problem:
        raise RunError(f"{name}: {problem} in its run.json. {remedy}")
    if info["run_id"] != folder.name:
        raise RunError(
            f"{name}: its own name in its run.json is {ascii(info['run_id'])[:80]}. Give the "
            "folder that name back."
        )
    if info["model"] not in MODELS:
        raise RunError(
            f"{name}: it names an unknown model, {ascii(info['model'])[:80]}. Update fercore, or "
            "delete the run."
        )
    if tuple(info["classes"]) != CLASSES:
        raise RunError(
            f"{name}: its classes are in the order {ascii(', '.join(info['classes']))[:200]}, not "
            f"FER2013's ({', '.join(CLASSES)}), so its predictions would be misread. Delete the "
            "run, or train it again."
        )
    try:
        return Run(folder, info, Recipe.from_json(info["recipe"]))
    except ConfigError as error:
        raise RunError(f"{name}: {error} {remedy}") from error


def _remedy(folder: Path) -> str:
    if folder.parent.name == SHIPPED:
        return "It came with the project: get its files from there again."
    return "Restore the file, or delete the run and train it again."


def write_run(
    folder: Path,
    info: Mapping[str, object],
    model: Network,
    history: Iterable[dict[str, Any]],
    frame: pd.DataFrame,
) -> Run:
    """Write a complete run into `folder`, `run.json` last, and return it."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    with replacing(folder / "weights.safetensors") as temporary:
        save_file(weights, temporary)
    write_json_lines(folder / "history.jsonl", history)
    return write_scores(folder, info, frame)


def write_scores(folder: Path, info: Mapping[str, object], frame: pd.DataFrame) -> Run:
    """Complete the run in `folder` with its predictions; where nothing else is there, it is one
    without history and weights.
    """
    checked_frame(frame)
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(folder / "predictions.parquet", frame)
    write_json(folder / "metrics.json", evaluate_parts(frame))
    hashes = {name: _sha256(folder / name) for name in FILES if (folder / name).is_file()}
    own = {"schema": SCHEMA, "run_id": folder.name, "classes": list(CLASSES), "files": hashes}
    write_json(folder / INFO, {**own, **info, **own})  # also where info is another run's
    return read_run(folder)


def verify_run(run: Run) -> list[str]:
    """What is wrong with a run, a sentence each; empty where its files and metrics agree."""
    problems = []
    for name in SCORES if run.members else FILES:
        path = run.folder / name
        if not path.is_file():
            problems.append(f"{name} is missing.")
        elif _sha256(path) != run.info["files"].get(name):
            problems.append(f"{name} was changed after the run was written.")
    if problems:
        return problems
    if not _agree(evaluate_parts(run.prediction_frame), run.metrics()):
        problems.append("metrics.json does not follow from predictions.parquet.")
    return problems


def rename_run(run: Run, new_id: str) -> Run:
    """Give a run made on this machine another name, and return it.

    The run is copied whole under its new name before the old one goes, so that a crash leaves one
    of the two, or both, and never half a run. Raises `RunError` for a shipped run or a name that is
    taken.
    """
    _check_local(run, "renamed")
    try:
        with new_folder(new_id) as copy:
            shutil.copytree(run.folder, copy, dirs_exist_ok=True)
            write_json(copy / INFO, run.info | {"run_id": new_id})
    except OSError as error:
        raise RunError(f"'{run.run_id}' keeps its name: {error.strerror or error}.") from error
    delete_run(run)
    return read_run(local_folder(new_id))


def annotate_run(run: Run, note: str) -> None:
    """Write a person's note beside a run made on this machine; an empty one removes it.

    Raises `RunError` for a shipped run, and for more than `NOTE_LENGTH` characters.
    """
    _check_local(run, "annotated")
    note = note.strip()
    if len(note) > NOTE_LENGTH:
        raise RunError(f"The note has {len(note)} characters; {NOTE_LENGTH} fit.")
    if not note:
        (run.folder / NOTE).unlink(missing_ok=True)
        return
    with replacing(run.folder / NOTE) as temporary:
        temporary.write_text(note, encoding="utf-8")


def delete_run(run: Run) -> None:
    """Delete a run made on this machine. Raises `RunError` for a shipped one."""
    _check_local(run, "deleted")
    _remove(run.folder)


def delete_unreadable(run_id: str) -> None:
    """Delete a run made on this machine that `unreadable_runs` names. Raises `RunError`."""
    folder = local_folder(run_id)
    if not complete(folder):
        raise RunError(f"There is no run '{run_id}' made on this machine.")
    _remove(folder)


def _remove(folder: Path) -> None:
    try:
        remove_folder(folder)
    except OSError as error:
        raise RunError(f"'{folder.name}' is not deleted: {error.strerror or error}.") from error


def _check_local(run: Run, done: str) -> None:
    if run.shipped:
        raise RunError(f"'{run.run_id}' is shipped with the project and is not {done}.")


def _agree(a: object, b: object, tolerance: float = 1e-9) -> bool:
    """Whether two trees of JSON values hold the same numbers.

    Bounds from a bootstrap may differ by what another version of NumPy's generator draws.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        drawn = {"macro_f1_interval", "f1_low", "f1_high"}
        return a.keys() == b.keys() and all(
            _agree(a[key], b[key], 0.01 if key in drawn else tolerance) for key in a
        )
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_agree(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= tolerance
    return a == b


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
