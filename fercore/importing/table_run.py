"""A run from a table of another program's answers."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from fercore.errors import ConfigError, RunError
from fercore.files import writing_to
from fercore.importing.answers import class_order, find_answers
from fercore.importing.checks import best_fitting, check_labels, check_order, complete_parts
from fercore.importing.images import TestImages
from fercore.importing.joining import candidates
from fercore.importing.table_file import read_table
from fercore.runs.artifacts import NOTE, NOTE_LENGTH, Run
from fercore.runs.folders import local_folder
from fercore.runs.info import IMPORTED, ONNX
from fercore.runs.listing import find_run
from fercore.runs.writing import new_folder, write_scores
from fercore.wording import count

READ_AS = ("auto", "probabilities", "logits")
TITLE_LENGTH = 80


class Named(NamedTuple):
    """What a run is called and kept with. seed and recipe make it one of a group."""

    name: str
    title: str = ""
    note: str = ""
    seed: int | None = None
    recipe: str = ""


class Imported(NamedTuple):
    """The run, and sentences on how the table was read."""

    run: Run
    notes: list[str]


def import_table(
    source: Path | bytes,
    images: TestImages,
    named: Named,
    *,
    file: str = "",
    order: str = "",
    values: str = "auto",
) -> Imported:
    """A run of the answers in a file, without weights and history; made on this machine.

    source: a path, or the file's content with its name `file`. order: of the classes, where columns
    have numbers or stand otherwise than they are called. values: one of `READ_AS`. Only parts of
    the test images of which every image has an answer are kept, for pairs are made of whole ones.
    Raises `DataError` or `ConfigError`, and writes nothing, where the table makes no sense,
    `NameTaken` where the name is.
    """
    if values not in READ_AS:
        raise ConfigError(f"The values are {', '.join(READ_AS)}, not '{values}'.")
    name = file or (source.name if isinstance(source, Path) else "the table")
    check_named(named)
    table = read_table(source, name)
    answers = find_answers(table, name, order=class_order(order) if order else None, values=values)
    joined = best_fitting(candidates(table, images, name), answers, images, name)
    check_labels(table, joined, images, name)
    frame, left_out = complete_parts(joined, answers.probs, images, name)
    check_order(frame, answers.order, name)
    found = f"{count(len(frame))} images of {images.name} found by {joined.by}."
    about = {"file": name[:200], "values": answers.values, "joined_by": joined.by}
    run = write_imported(named, images, about, frame)
    return Imported(run, [*images.notes, found, *answers.notes, *left_out])


def check_named(named: Named) -> None:
    """Raises `RunError` or `ConfigError` for what cannot be a run's name, title, note or seed."""
    local_folder(named.name)  # refuses what is no name
    for what, text, longest in (
        ("title", named.title, TITLE_LENGTH), ("recipe's name", named.recipe, TITLE_LENGTH),
        ("note", named.note, NOTE_LENGTH),
    ):  # fmt: skip
        if len(text) > longest or not (text.isprintable() or what == "note"):
            raise ConfigError(f"The {what} is too long or not printable: {longest} characters fit.")
    if named.seed is not None and not 0 <= named.seed < 2**53:
        raise ConfigError("A seed is a whole number from 0 up.")


def write_imported(
    named: Named,
    images: TestImages,
    about: Mapping[str, Any],
    frame: pd.DataFrame,
    onnx: bytes | None = None,
) -> Run:
    """Write the run whole: its scores, its note, its ONNX file if it has one."""
    recipe = named.recipe or named.name
    info = {
        "model": IMPORTED,
        "model_arguments": {},
        "recipe": {"name": recipe, "summary": "trained elsewhere", "epochs": 1},
        "seed": named.seed,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dataset": images.dataset,
        "selected_on": None,
        **dict.fromkeys(("best_epoch", "parameters", "flops_per_image", "seconds", "hardware")),
        "imported": {"title": named.title or recipe, **about},
    }
    place = local_folder(named.name).parent
    refused = writing_to(
        place, f"'{named.name}' is not made", RunError, variable="FERCORE_ARTIFACTS"
    )
    with refused, new_folder(named.name) as folder:
        if named.note.strip():
            (folder / NOTE).write_text(named.note.strip(), encoding="utf-8")
        if onnx is not None:
            (folder / ONNX).write_bytes(onnx)
        write_scores(folder, info, frame)
    return find_run(named.name)
