"""`fercore card`: a model card, of a run or of a group of seeds."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.cli.options import ModelName
from fercore.errors import ConfigError
from fercore.files import write_text
from fercore.groups.finding import find_group

Output = Annotated[Path | None, typer.Option("--output", help="a file; the screen by default")]


def card(name: ModelName, output: Output = None) -> None:
    """Print or write the model card of a run or a group: its use, and how often it is right."""
    from fercore.report import card as of_model

    text = of_model.card(find_group(name))
    if output is None:
        print(text, end="")
        return
    write_text(output, text, ConfigError)
    print(f"{output}: the card of {name}.")
