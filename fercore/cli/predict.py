"""`fercore predict`: the expressions in photos and clips, from the command line."""

import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.progress import Progress

from fercore.cli.options import AsJson
from fercore.cli.output import print_json
from fercore.errors import ConfigError, ImageError
from fercore.faces.clip_names import SUFFIXES
from fercore.faces.detection import checked_choice
from fercore.faces.photo_files import find_photos
from fercore.files import replacing, write_json
from fercore.paths import given_path, printable
from fercore.wording import count

OUTPUTS = (".csv", ".json", ".parquet")

Paths = Annotated[
    list[str], typer.Argument(help="photos, folders, or patterns: 'trip/*.jpg'; or clips")
]
FacesOption = Annotated[
    str, typer.Option(help="all (or search), largest, or none: each picture is itself a face")
]
OutputOption = Annotated[
    Path | None, typer.Option(help="write the faces to a .csv, .json or .parquet file")
]
RateOption = Annotated[
    float | None, typer.Option(help="of a clip: frames a second that are looked at  [5]")
]
LongestOption = Annotated[
    float | None, typer.Option(help="of a clip: seconds that are looked at  [120]")
]
Records = list[dict[str, Any]]


class Answers(NamedTuple):
    """What was found in photos or clips, and sentences on those that could not be read, those
    without a face, and what else is to be known.
    """

    records: Records
    problems: list[str]
    faceless: list[str]
    notes: list[str]


def predict(
    paths: Paths,
    run_id: Annotated[str, typer.Option("--run", help="the run, or the model, that looks")] = "cnn",
    faces: FacesOption = "all",
    output: OutputOption = None,
    rate: RateOption = None,
    longest: LongestOption = None,
    as_json: AsJson = False,
) -> None:
    """Find the faces in photos, or follow them through clips, and tell their expressions. A bad
    file does not stop the rest.

    All seven probabilities are in --json and --output. An expression is not a feeling: judge no
    employee, applicant, pupil or student by it, and tell whoever is filmed.
    """
    if output:
        _check_output(output)
    checked_choice(faces)
    clips = _clips_among(paths)
    if not clips and (rate, longest) != (None, None):
        raise ConfigError("--rate and --longest are of clips, and none is named.")
    from fercore.predict.predictor import Predictor

    predictor = Predictor.from_run(run_id)
    with Progress(console=Console(stderr=True), transient=True, disable=not _watched()) as progress:
        if clips:
            from fercore.cli.clips import look_at_clip

            look = partial(look_at_clip, predictor, faces, progress, rate, longest)
            found = _answers(clips, look, [], [])
        else:
            from fercore.cli.photos import look_at_photo

            photos, problems, notes = find_photos(map(given_path, paths))
            looking = progress.track(photos, description="looking")
            found = _answers(looking, partial(look_at_photo, predictor, faces), problems, notes)
    _tell(found, output, as_json, of_clips=bool(clips))
    if found.problems:
        raise typer.Exit(1)


def _check_output(file: Path) -> None:
    """Raises `ConfigError` where it cannot become one of `OUTPUTS`."""
    if file.suffix.lower() not in OUTPUTS:
        raise ConfigError(f"{file}: name it {', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}.")
    if not os.access(file.parent, os.W_OK):
        raise ConfigError(f"{file.parent}: nothing can be written there. Give another folder.")


def _clips_among(paths: list[str]) -> list[Path]:
    """The clips, by their suffix, where they are what is named; else none."""
    named = [path for path in paths if Path(path).suffix.lower() in SUFFIXES]
    if named and len(named) < len(paths):
        other = next(path for path in paths if path not in named)
        raise ConfigError(
            f"{printable(named[0])} is a clip and {printable(other)} is not named like one. Look "
            "at clips and at photos one after the other: their answers have different columns."
        )
    listed = find_photos(map(given_path, named))
    if listed.problems:
        raise ConfigError(listed.problems[0])
    return listed.photos


def _answers(
    files: Iterable[Path],
    look: Callable[[Path, str], tuple[Records, Iterable[str]]],
    problems: list[str],
    notes: list[str],
) -> Answers:
    """What is found in each file, after what was said of them before they were opened; one that
    cannot be read does not stop the rest.

    look: takes a file and its name, gives records and notes.
    """
    records, faceless = Records(), []
    for path in files:
        name = printable(str(path))
        try:
            found, told = look(path, name)
        except ImageError as error:
            problems.append(str(error))
            continue
        records += found
        notes += [f"{name}: {note}" for note in told]
        if not found:
            faceless.append(f"{name}: no face was found.")
    return Answers(records, problems, faceless, notes)


def _watched() -> bool:
    return sys.stderr.isatty()


def _tell(found: Answers, output: Path | None, as_json: bool, *, of_clips: bool) -> None:
    problems = [*found.problems, *found.faceless]
    everything = {"faces": found.records, "problems": problems, "notes": found.notes}
    if output:
        _write(output, everything, of_clips)
        faces = "face" if len(found.records) == 1 else "faces"
        typer.echo(f"{count(len(found.records))} {faces} written to {output}.", err=True)
    if as_json:
        print_json(everything)
    elif found.records and not output:
        _print(found.records, of_clips)
    for note in found.notes:
        typer.echo(f"Note: {note}", err=True)
    for problem in problems:
        typer.secho(problem, fg="red", err=True)


def _print(records: Records, of_clips: bool) -> None:
    if of_clips:
        from fercore.cli.clips import print_clips

        print_clips(records)
    else:
        from fercore.cli.photos import print_photos

        print_photos(records)


def _write(output: Path, everything: dict[str, Any], of_clips: bool) -> None:
    from fercore.csv_tables import csv_text
    from fercore.predict.clip_results import clip_table
    from fercore.predict.face_results import face_table

    try:
        if output.suffix.lower() == ".json":
            write_json(output, everything)
            return
        table = (clip_table if of_clips else face_table)(everything["faces"])
        with replacing(output) as temporary:
            if output.suffix.lower() == ".csv":
                temporary.write_text(csv_text(table), encoding="utf-8", newline="")
            else:
                table.to_parquet(temporary, index=False)
    except OSError as error:
        raise ConfigError(f"{output}: it cannot be written ({error.strerror or error}).") from error
