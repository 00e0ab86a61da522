"""`fercore predict`: the expressions in photos, from the command line."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from fercore.cli.options import AsJson
from fercore.cli.output import print_json, print_table
from fercore.errors import ConfigError, ImageError
from fercore.faces.detection import checked_choice
from fercore.faces.photo_files import find_photos
from fercore.faces.photos import opened_photo
from fercore.files import replacing, write_json
from fercore.paths import given_path, printable
from fercore.wording import in_percent

OUTPUTS = (".csv", ".json", ".parquet")


def predict(
    paths: Annotated[list[str], typer.Argument(help="photos, folders, or patterns: 'trip/*.jpg'")],
    run_id: Annotated[str, typer.Option("--run", help="the run, or the model, that looks")] = "cnn",
    faces: Annotated[
        str, typer.Option(help="all (or search), largest, or none: each picture is itself a face")
    ] = "all",
    output: Annotated[
        Path | None, typer.Option(help="write the faces to a .csv, .json or .parquet file")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the faces in photos and tell their expressions. A bad file does not stop the rest.

    All seven probabilities are in --json and --output. An expression is not a feeling: judge no
    employee, applicant, pupil or student by it.
    """
    if output and output.suffix.lower() not in OUTPUTS:
        raise ConfigError(f"{output}: name it {', '.join(OUTPUTS[:-1])} or {OUTPUTS[-1]}.")
    if output and not os.access(output.parent, os.W_OK):
        raise ConfigError(f"{output.parent}: nothing can be written there. Give another folder.")
    checked_choice(faces)
    from fercore.predict.face_results import face_records
    from fercore.predict.predictor import Predictor

    predictor = Predictor.from_run(run_id)
    photos, problems, notes = find_photos(map(given_path, paths))
    records, faceless = [], []
    with Progress(console=Console(stderr=True), transient=True, disable=not _watched()) as progress:
        for photo in progress.track(photos, description="looking"):
            name = printable(str(photo))
            try:
                with opened_photo(photo, name) as (picture, told):
                    found = predictor(picture, faces=faces)
            except ImageError as error:
                problems.append(str(error))
                continue
            notes += [f"{name}: {note}" for note in told]
            if not found:
                faceless.append(f"{name}: no face was found.")
            records += face_records(name, found, predictor)
    _tell(records, [*problems, *faceless], notes, output, as_json)
    if problems:
        raise typer.Exit(1)


def _watched() -> bool:
    return sys.stderr.isatty()


def _tell(
    records: list[dict[str, Any]],
    problems: list[str],
    notes: list[str],
    output: Path | None,
    as_json: bool,
) -> None:
    everything = {"faces": records, "problems": problems, "notes": notes}
    if output:
        _write(output, everything)
        faces = "face" if len(records) == 1 else "faces"
        typer.echo(f"{len(records)} {faces} written to {output}.", err=True)
    if as_json:
        print_json(everything)
    elif records and not output:
        columns = ["photo", "face", "expression", "%", "next", "%"]
        print_table(columns, [_line(record) for record in records])
    for note in notes:
        typer.echo(f"Note: {note}", err=True)
    for problem in problems:
        typer.secho(problem, fg="red", err=True)


def _line(record: dict[str, Any]) -> list[object]:
    marks = {"unsure": "unsure", "weak": "may be no face", "whole_picture": "whole picture"}
    marked = ", ".join(word for key, word in marks.items() if record[key])
    said = record["predicted"] + (f" ({marked})" if marked else "")
    (_, first), (next_name, second) = _likeliest(record["probabilities"])
    return [record["photo"], record["face"], said, in_percent(first), next_name, in_percent(second)]


def _likeliest(probabilities: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(probabilities.items(), key=lambda item: -item[1])[:2]


def _write(output: Path, everything: dict[str, Any]) -> None:
    from fercore.csv_tables import csv_text
    from fercore.predict.face_results import face_table

    try:
        if output.suffix.lower() == ".json":
            write_json(output, everything)
            return
        table = face_table(everything["faces"])
        with replacing(output) as temporary:
            if output.suffix.lower() == ".csv":
                temporary.write_text(csv_text(table), encoding="utf-8", newline="")
            else:
                table.to_parquet(temporary, index=False)
    except OSError as error:
        raise ConfigError(f"{output}: it cannot be written ({error.strerror or error}).") from error
