"""`fercore runs import`: a run of a model from elsewhere."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, ImagesOption
from fercore.cli.output import print_json, print_metrics
from fercore.errors import ConfigError
from fercore.files import read_json
from fercore.importing.answers import class_order
from fercore.importing.images import TestImages, images_of_data, known_images
from fercore.importing.onnx_run import import_onnx
from fercore.importing.table_run import Imported, Named, import_table
from fercore.models.feeding import figures

Values = Annotated[Literal["auto", "probabilities", "logits"], typer.Option(help="of a table")]
Feed = Annotated[Path | None, typer.Option(help="a JSON of how an ONNX file is fed")]
Order = Annotated[
    str,
    typer.Option(
        help="of the classes, where they are numbers: 'angry,disgust,…', or 'alphabetical'"
    ),
]


def import_(
    source: Annotated[Path, typer.Argument(help="CSV, Parquet, NPZ, JSON lines; or an ONNX file")],
    name: Annotated[str, typer.Option(help="the run's name")],
    title: Annotated[str, typer.Option(help="what the model is called, for people")] = "",
    note: Annotated[str, typer.Option(help="what to remember")] = "",
    seed: Annotated[int | None, typer.Option(min=0, help="of its training, in a group")] = None,
    recipe: Annotated[str, typer.Option(help="the group that its seeds have in common")] = "",
    data: ImagesOption = None,
    order: Order = "",
    values: Values = "auto",
    feeding: Feed = None,
    side: Annotated[int | None, typer.Option(help="pixels, of what an ONNX file takes")] = None,
    channels: Annotated[int | None, typer.Option(help="1 for grey, 3 for RGB")] = None,
    layout: Annotated[str, typer.Option(help="NCHW, NHWC or NHW")] = "",
    scale: Annotated[str, typer.Option(help="what grey values become: 0..1, 0..255 or -1..1")] = "",
    mean: Annotated[str, typer.Option(help="taken away then: '0.5', or one per channel")] = "",
    deviation: Annotated[str, typer.Option(help="by which it is divided then")] = "",
    output: Annotated[str, typer.Option(help="of an ONNX file: probabilities or logits")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a run of a model from elsewhere: of its answers in a table, or of its ONNX file."""
    named = Named(name, title, note, seed, recipe)
    given: dict[str, Any] = {
        "side": side, "channels": channels, "layout": layout, "scale": scale, "mean": mean,
        "deviation": deviation, "output": output,
    }  # fmt: skip
    given = {key: value for key, value in given.items() if value not in (None, "")}
    if source.suffix.lower() == ".onnx":
        if values != "auto":
            raise ConfigError("--values is of a table; of an ONNX file it is --output.")
        given |= {key: figures(str(given[key])) for key in ("mean", "deviation") if key in given}
        if order:
            given["classes"] = list(class_order(order))
        made = import_onnx(source, _images_read(data), named, told=_told_feeding(feeding) | given)
    else:
        _refuse_feeding(source, given | ({"feeding": feeding} if feeding else {}))
        images = _images_read(data) if data else known_images()
        made = import_table(source, images, named, order=order, values=values)
    _tell(made, as_json)


def _refuse_feeding(source: Path, given: dict[str, Any]) -> None:
    if given:
        options = ", ".join(f"--{key}" for key in given)
        raise ConfigError(f"{options}: of an ONNX file, and {source.name} is none.")


def _images_read(data: str | None) -> TestImages:
    """The test images with their pixels: of that dataset, else of FER2013 wherever it is found."""
    load_with_progress(data)
    return images_of_data(data)


def _tell(made: Imported, as_json: bool) -> None:
    run, notes = made
    if as_json:
        print_json({**run.info, "notes": notes, "metrics": run.metrics()})
        return
    for sentence in notes:
        print(sentence)
    print_metrics(run.metrics())
    print(f"Run {run.run_id}: {run.folder}")


def _told_feeding(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        told = read_json(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: it cannot be read as JSON.") from error
    if not isinstance(told, dict):
        raise ConfigError(f'{file}: a JSON object says how a model is fed, as {{"side": 48}}.')
    return told
