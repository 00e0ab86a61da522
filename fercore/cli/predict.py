"""`fercore predict`: the expressions in photos, from the command line."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.cli.output import AsJson, percent, print_json, print_table
from fercore.errors import ImageError
from fercore.labels import CLASSES


def predict(
    photos: Annotated[list[Path], typer.Argument(help="photos")],
    run_id: Annotated[str, typer.Option("--run", help="the run whose model looks")] = "cnn-s0",
    as_json: AsJson = False,
) -> None:
    """Find the faces in photos and print their expressions. A bad file does not stop the rest."""
    from fercore.predictor import Predictor

    predictor = Predictor.from_run(run_id)
    rows, problems = [], []
    for photo in photos:
        try:
            faces = predictor(photo)
        except ImageError as error:
            problems.append(str(error))
            continue
        if not faces:
            problems.append(f"{photo}: no face was found.")
        for number, face in enumerate(faces, start=1):
            rows.append(
                {
                    "photo": str(photo),
                    "face": number,
                    "box": face.box._asdict(),
                    "whole_picture": face.whole,
                    "expression": face.expression,
                    "probabilities": dict(zip(CLASSES, face.probs.tolist())),
                }
            )
    if as_json:
        print_json({"faces": rows, "problems": problems})
    elif rows:
        shown = [
            [
                row["photo"],
                row["face"],
                row["expression"],
                *(percent(p) for p in row["probabilities"].values()),
            ]
            for row in rows
        ]
        print_table(["photo", "face", "expression", *(f"{name} %" for name in CLASSES)], shown)
    for problem in problems:
        typer.secho(problem, fg="red", err=True)
    if problems:
        raise typer.Exit(1)
