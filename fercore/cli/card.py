"""`fercore card`: a run's model card."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.cli.options import RunName
from fercore.runs.listing import find_run

Output = Annotated[Path | None, typer.Option("--output", help="a file; the screen by default")]


def card(run_id: RunName, output: Output = None) -> None:
    """Print or write a run's model card: what it is for, and how often it is right on what."""
    from fercore.report import card as of_run

    run = find_run(run_id)
    if output is None:
        print(of_run.card(run), end="")
        return
    of_run.write_card(run, output)
    print(f"{output}: the card of {run_id}.")
