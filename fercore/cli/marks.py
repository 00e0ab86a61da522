"""`fercore attributes` and `fercore subsets`: what people know of images beside their labels."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.analysis import marks
from fercore.analysis.attributes import ImportedMarks, import_attributes, import_subset
from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, ImagesOption, LabelsOption, ModelName, PartOption, Yes
from fercore.cli.output import json_records, print_json, print_table
from fercore.csv_tables import csv_text
from fercore.errors import ConfigError
from fercore.files import write_text
from fercore.groups import tables
from fercore.importing.images import TestImages, images_of_data, known_images
from fercore.wording import bounds_of, in_p, in_percent, points, points_interval

attributes = typer.Typer(
    no_args_is_help=True, help="Attributes: what is known of each image, as an age group."
)
subsets = typer.Typer(no_args_is_help=True, help="Subsets: some of the images under a name.")

Table = Annotated[Path, typer.Argument(help="CSV, Parquet, NPZ or JSON lines")]
Name = Annotated[str, typer.Argument(help="its name, as 'list' prints it")]


@attributes.command("import")
def import_(
    source: Table,
    data: ImagesOption = None,
    guessed: Annotated[
        bool, typer.Option("--guessed", help="a model said it, and no person")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Keep each column of a table as an attribute of the images; one of that name is replaced."""
    _tell(import_attributes(source, _images(data), guessed=guessed), "attributes", as_json)


@attributes.command("list")
def list_attributes(as_json: AsJson = False) -> None:
    """List the attributes, with how many images have which value."""
    found = marks.marks("attributes")
    if as_json:
        print_json(
            [
                {
                    "name": mark.name, "dataset": mark.dataset, "from": mark.origin,
                    "guessed": mark.guessed, "values": mark.table["value"].value_counts().to_dict(),
                }
                for mark in found
            ]
        )  # fmt: skip
    else:
        print_table(
            ["attribute", "dataset", "images", "values", "from", ""],
            [
                [
                    mark.name, mark.dataset, len(mark.table), mark.table["value"].nunique(),
                    mark.origin, "guessed by a model" if mark.guessed else "",
                ]
                for mark in found
            ],
        )  # fmt: skip
    _tell_problems()


@attributes.command()
def gaps(
    attribute: Name,
    model: ModelName,
    part: PartOption = "private",
    labels: LabelsOption = "dataset",
    as_json: AsJson = False,
) -> None:
    """How unequally a model treats the groups that an attribute makes: recall and false alarms of
    each class, worst group against best.
    """
    table = tables.gaps(model, attribute, part, labels=labels)
    if as_json:
        print_json(json_records(table))
        return
    print_table(
        ["", "class", "worst", "n", "%", "best", "n", "%", "gap, points", "corrected p"],
        [
            [
                line["metric"], line["class"],
                line["worst"], line["worst_n"], in_percent(line["worst_share"]),
                line["best"], line["best_n"], in_percent(line["best_share"]),
                f"{points(line['gap'])} {points_interval(bounds_of(line, 'gap'))}",
                in_p(line["p_holm"]),
            ]
            for line in table.to_dict("records")
        ],
    )  # fmt: skip
    if marks.find("attributes", attribute).guessed:
        print("The attribute was guessed by a model: its mistakes make gaps, and hide them.")


@attributes.command("delete")
def delete_attribute(name: Name, yes: Yes = False) -> None:
    """Forget an attribute."""
    _delete("attributes", name, yes)


@subsets.command("list")
def list_subsets(as_json: AsJson = False) -> None:
    """List the subsets."""
    found = [
        {"name": mark.name, "dataset": mark.dataset, "images": len(mark.table), "of": mark.origin}
        for mark in marks.marks("subsets")
    ]
    if as_json:
        print_json(found)
    else:
        print_table(["subset", "dataset", "images", "of"], [list(each.values()) for each in found])
    _tell_problems()


@subsets.command("export")
def export(name: Name, target: Annotated[Path, typer.Argument(help="the CSV to write")]) -> None:
    """Write a subset's images to a CSV: row, and the hash of their pixels."""
    mark = marks.find("subsets", name)
    write_text(target, csv_text(mark.table[["row", "pixels"]]), ConfigError)
    print(f"{len(mark.table)} images written to {target}.")


@subsets.command("import")
def import_one(
    source: Table,
    name: Annotated[str, typer.Option(help="what to call it")],
    data: ImagesOption = None,
    as_json: AsJson = False,
) -> None:
    """Keep the images that a table's lines are about as a subset."""
    _tell(import_subset(source, _images(data), name), "subsets", as_json)


@subsets.command("delete")
def delete_subset(name: Name, yes: Yes = False) -> None:
    """Forget a subset."""
    _delete("subsets", name, yes)


def _images(data: str | None) -> TestImages:
    if not data:
        return known_images()
    load_with_progress(data)
    return images_of_data(data)


def _tell(made: ImportedMarks, kind: str, as_json: bool) -> None:
    if as_json:
        print_json({kind: made.names, "notes": made.notes})
        return
    for note in made.notes:
        print(note)
    print(f"Kept among the {kind}: {', '.join(made.names)}. The page Slices has them.")


def _delete(kind: str, name: str, yes: bool) -> None:
    mark = marks.find(kind, name)
    if not yes:
        typer.confirm(f"Delete '{mark.name}' of {len(mark.table)} images?", abort=True)
    marks.remove(kind, name)
    print(f"Deleted {mark.name}.")


def _tell_problems() -> None:
    for problem in marks.problems():
        typer.secho(problem, fg="red", err=True)
