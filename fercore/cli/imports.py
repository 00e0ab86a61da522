"""`fercore runs import`: a run of a model from elsewhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson
from fercore.cli.output import print_json, print_metrics
from fercore.runs.artifacts import Run

DataOfTable = Annotated[
    str | None, typer.Option("--data", help="the images' dataset, where it is not FER2013")
]
Order = Annotated[
    str,
    typer.Option(
        help="of the classes, where they are numbers: 'angry,disgust,…', or 'alphabetical'"
    ),
]


def import_(
    source: Annotated[Path, typer.Argument(help="CSV, Parquet, NPZ, JSON lines")],
    name: Annotated[str, typer.Option(help="the run's name")],
    title: Annotated[str, typer.Option(help="what the model is called, for people")] = "",
    note: Annotated[str, typer.Option(help="what to remember")] = "",
    seed: Annotated[int | None, typer.Option(min=0, help="of its training, in a group")] = None,
    recipe: Annotated[str, typer.Option(help="the group that its seeds have in common")] = "",
    data: DataOfTable = None,
    order: Order = "",
    values: Annotated[Literal["auto", "probabilities", "logits"], typer.Option()] = "auto",
    as_json: AsJson = False,
) -> None:
    """Make a run of a model from elsewhere: of a table of its answers to the test images."""
    from fercore.importing.images import images_of_data, known_images
    from fercore.importing.table_run import Named, import_table

    named = Named(name, title, note, seed, recipe)
    if data:
        load_with_progress(data)
    images = images_of_data(data) if data else known_images()
    run, notes = import_table(source, images, named, order=order, values=values)
    _told(run, notes, as_json)


def _told(run: Run, notes: list[str], as_json: bool) -> None:
    if as_json:
        print_json({**run.info, "notes": notes, "metrics": run.metrics()})
        return
    for sentence in notes:
        print(sentence)
    print_metrics(run.metrics())
    print(f"Run {run.run_id}: {run.folder}")
