"""`fercore review`: people's verdicts on labels, listed and exchanged as CSV."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.analysis import review, review_csv
from fercore.cli.options import AsJson
from fercore.cli.output import print_json, print_table
from fercore.errors import ConfigError
from fercore.labels import CLASSES
from fercore.wording import count, minute

app = typer.Typer(no_args_is_help=True, help="Verdicts: what people say about the labels.")


@app.command("list")
def list_(
    verdict: Annotated[
        str | None, typer.Option(help=f"only these: {', '.join(review.VERDICTS)}")
    ] = None,
    label: Annotated[str | None, typer.Option(help="only those on this label")] = None,
    as_json: AsJson = False,
) -> None:
    """List the verdicts, newest first."""
    for value, known in ((verdict, review.VERDICTS), (label, CLASSES)):
        if value is not None and value not in known:
            raise ConfigError(f"There is no '{value}'. Choose one of: {', '.join(known)}.")
    table = review.verdicts(verdict=verdict, label=label)
    if as_json:
        print_json(table.to_dict("records"))
        return
    rows = []
    for one in table.to_dict("records"):
        said = [one["label"], one["verdict"], one["should_be"] or "–"]
        note = " ".join(one["note"].split())
        rows.append([one["dataset"], one["row"], *said, minute(one["updated"]), note])
    print_table(["dataset", "row", "label", "verdict", "should be", "updated", "note"], rows)


@app.command("export")
def export(target: Annotated[Path, typer.Argument(help="the CSV to write")]) -> None:
    """Write every verdict to a CSV."""
    print(f"{count(review_csv.export_csv(target))} verdicts written to {target}.")


@app.command("import")
def import_(source: Annotated[Path, typer.Argument(help="a CSV that was exported")]) -> None:
    """Take over the verdicts of a CSV, where they are new or newer than those here."""
    print(review_csv.import_csv(source).sentence)
