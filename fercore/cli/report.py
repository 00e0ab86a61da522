"""`fercore report`: what there is to say of two models, as one file to send."""

from pathlib import Path
from typing import Annotated

import typer

from fercore.cli.options import LabelsOption, PartOption
from fercore.errors import ConfigError
from fercore.files import write_text
from fercore.wording import breakable, megabytes

Output = Annotated[Path, typer.Option("--output", help="the HTML file")]
WithFaces = Annotated[
    bool,
    typer.Option("--faces", help="show faces of both models' mistakes: people who were not asked"),
]


def report(
    model_a: Annotated[str, typer.Argument(help="model A: a run, or a group as cnn@paper")],
    model_b: Annotated[str, typer.Argument(help="model B")],
    output: Output = Path("report.html"),
    part: PartOption = "private",
    labels: LabelsOption = "dataset",
    faces: WithFaces = False,
) -> None:
    """Write a report on two runs or groups: one HTML file that opens without a network."""
    from fercore.groups.finding import find_group
    from fercore.report.page import report_html

    a, b = (find_group(name).on(part).against(labels) for name in (model_a, model_b))
    write_text(output, report_html(a, b, part, with_faces=faces), ConfigError)
    size = breakable(megabytes(output.stat().st_size))
    print(f"{output}: {a.title} against {b.title}, {size}.")
