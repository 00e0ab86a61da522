"""`fercore data`: what the dataset is, where it comes from, which one to use."""

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from fercore import data
from fercore.cli.options import AsJson, ClassesOption, DataOption, LeaveOutOption
from fercore.cli.output import print_json, print_table
from fercore.cli.progress import DownloadBar
from fercore.cli.signals import ending_when_stopped, stop_on_signal
from fercore.data import FaceSet
from fercore.data.class_names import ClassNames, class_names
from fercore.data.download import BY_HAND, SIZE_IN_WORDS, TERMS
from fercore.data.own_faces import PASSED_OVER, split_faces
from fercore.data.own_photos import find_own_faces
from fercore.data.settings import choose_data, forget_data
from fercore.data.stored_faces import free_folder, store
from fercore.errors import ConfigError, DataError
from fercore.faces.detection import SEARCH
from fercore.faces.photo_files import passed_over
from fercore.jobs.getting import download_here
from fercore.labels import CLASSES
from fercore.paths import given_path
from fercore.runs.artifacts import Run
from fercore.runs.origin import faces_of
from fercore.wording import count

app = typer.Typer(no_args_is_help=True, help="The dataset: what it is, and where it comes from.")

_LOOKED_FOR = "FER2013 is looked for in what was read before."


@app.command()
def info(
    source: DataOption = None,
    classes: ClassesOption = "",
    leave_out: LeaveOutOption = None,
    as_json: AsJson = False,
) -> None:
    """Print source, fingerprint, counts per class and usage, and what to know of its reading."""
    names = class_names(classes, leave_out or ())
    _print(load_with_progress(source, str(names)), as_json)


@app.command()
def download(as_json: AsJson = False) -> None:
    """Download FER2013, and use it from now on. Ctrl-C breaks off; the next one goes on from there.

    From Kaggle, and where that fails from Hugging Face, or from FERCORE_DOWNLOAD_URL alone. The
    dashboard's download is the same one: one at a time on a machine.
    """
    typer.echo(f"FER2013, {SIZE_IN_WORDS}. {TERMS}", err=True)
    try:
        stopped = ending_when_stopped("Go on with: fercore data download")
        with stopped, DownloadBar(Console(stderr=True)) as bar:
            stop = stop_on_signal()
            faces = download_here(told=bar.show, stop_requested=lambda: bool(stop))
    except DataError as error:
        steps = "\n".join(f"{n}. {step}" for n, step in enumerate(BY_HAND, 1))
        raise DataError(f"{error} By hand:\n{steps}") from error
    _tell_chosen(faces, as_json)


@app.command()
def use(
    source: Annotated[
        str | None, typer.Argument(help="CSV, archive or folder, or 'synthetic'")
    ] = None,
    classes: ClassesOption = "",
    leave_out: LeaveOutOption = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="take the choice back; no file is deleted")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Use this dataset from now on, in the dashboard too."""
    if forget == (source is not None):
        raise ConfigError("Name the dataset to use, or give --forget to take the choice back.")
    if source:
        _use(source, class_names(classes, leave_out or ()), as_json)
        return
    forget_data()
    found = data.find_source()
    if as_json:
        print_json({"source": found and str(found)})
        return
    print(f"No dataset is chosen any more. {f'Found is {found}.' if found else _LOOKED_FOR}")


@app.command()
def photos(
    source: Annotated[str, typer.Argument(help="a folder or zip of <class>/ photos")],
    name: Annotated[str, typer.Option(help="what to call the faces: letters, digits, '-', '_'")],
    seed: Annotated[int, typer.Option(min=0, max=9999, help="seed of the split")] = 0,
    faces: Annotated[
        str,
        typer.Option(
            help="search or largest: each photo's largest face; none: it is itself a face"
        ),
    ] = SEARCH,
    classes: ClassesOption = "",
    leave_out: LeaveOutOption = None,
    as_json: AsJson = False,
) -> None:
    """Find the faces in your own photos, and keep them as a dataset to train on."""
    free_folder(name)
    names = class_names(classes, leave_out or ())
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking for faces", total=None)
        found = find_own_faces(
            given_path(source),
            names=names,
            faces=faces,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    own = split_faces(found, seed=seed)
    table = own.table()
    if not as_json:
        print_table(list(table.columns), table.to_numpy().tolist())
        for note in own.notes:
            print(f"Note: {note}")
    folder = store(own, name)
    if as_json:
        lines = table.to_dict("records")
        print_json({"folder": str(folder), "notes": list(own.notes), "photos": lines})
        return
    photos = sum(photo.outcome != PASSED_OVER for photo in found)
    print(f"Kept {count(len(own.kept))} faces of {count(photos)} photos: {folder}")
    for note in passed_over(photo.file for photo in found):
        print(f"Note: {note}")
    print(f"Train on them with: fercore train cnn --data {shlex.quote(str(folder))}")


def load_with_progress(source: str | Path | None, names: ClassNames | str | None = None) -> FaceSet:
    """`data.load`, with a progress bar where the source is read for the first time."""
    with _reading() as progress:
        return data.load(source, names=names, progress=progress)


def faces_of_run(run: Run, source: str | None) -> FaceSet:
    """The faces at `source`, else those the run was made on, wherever they are, with a bar too."""
    if source:
        return load_with_progress(source)
    with _reading() as progress:
        return faces_of(run, progress=progress)


@contextmanager
def _reading() -> Iterator[Callable[[int], None]]:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading images", total=None, visible=False)
        yield lambda count: bar.update(task, completed=count, visible=True)


def _use(source: str, names: ClassNames, as_json: bool) -> None:
    faces = load_with_progress(source, names)
    choose_data(source if source == data.SYNTHETIC else given_path(source), str(names))
    _tell_chosen(faces, as_json)


def _tell_chosen(faces: FaceSet, as_json: bool) -> None:
    _print(faces, as_json)
    if os.environ.get("FERCORE_DATA"):
        print("FERCORE_DATA is set, and goes before this choice.", file=sys.stderr)


def _print(faces: FaceSet, as_json: bool) -> None:
    counts = faces.counts()
    if as_json:
        print_json(
            {
                "name": faces.name,
                "source": faces.source,
                "fingerprint": faces.fingerprint,
                "images": len(faces),
                "counts": {usage: dict(zip(CLASSES, counts[usage])) for usage in counts},
                "published_counts": faces.is_fer2013(),
                "notes": list(faces.notes),
            }
        )
        return
    print(f"{faces.name}, {count(len(faces))} images, fingerprint {faces.fingerprint}")
    print(f"Source: {faces.source}")
    print_table(
        ["", *CLASSES, "all"],
        [[usage, *row, sum(row)] for usage, row in counts.items()],
    )
    agree = "These are" if faces.is_fer2013() else "These are not"
    print(f"{agree} FER2013's published counts.")
    for note in faces.notes:
        print(f"Note: {note}")
