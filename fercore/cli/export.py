"""`fercore export`: a run's model as a file for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.cli.options import AsJson, RunName
from fercore.cli.output import print_json
from fercore.errors import ConfigError
from fercore.files import read_json, write_text
from fercore.groups.group import group_of
from fercore.runs.listing import find_run

Format = Annotated[str, typer.Option("--format", help="onnx")]
Output = Annotated[Path | None, typer.Option("--output", help="the file; RUN.onnx by default")]


def export(
    run_id: RunName, file_format: Format = "onnx", output: Output = None, as_json: AsJson = False
) -> None:
    """Write a run's model as ONNX, checked against torch, with how to feed it and its card."""
    from fercore.predict.export import FORMATS, export_onnx
    from fercore.report.card import card

    if file_format not in FORMATS:
        raise ConfigError(f"There is no format '{file_format}'. Choose: {', '.join(FORMATS)}.")
    path = output or Path(f"{run_id}.onnx")
    run = find_run(run_id)
    note, beside = export_onnx(run, path, group_of(run).title), path.with_suffix(".md")
    write_text(beside, card(run), ConfigError)
    description = read_json(note)
    if as_json:
        print_json(description)
        return
    difference = description["largest_difference_from_torch"]
    print(f"{path}: the model; its probabilities differ from torch's by at most {difference:.0e}.")
    print(f"{note}: its input and output, and the way from a photo to its input.")
    print(f"{beside}: its model card: what it is for, and how often it is right on what.")
