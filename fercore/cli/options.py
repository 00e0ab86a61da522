"""Options that several commands share, each under one name and with one help text."""

from typing import Annotated, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
DataOption = Annotated[
    str | None, typer.Option("--data", help="a path, or 'synthetic'; else where FER2013 is found")
]
ClassesOption = Annotated[
    str,
    typer.Option(
        "--classes",
        help="what its class names stand for: '1=surprise,2=fear', or raf-db, affectnet, fer2013",
    ),
]
LeaveOutOption = Annotated[
    list[str] | None, typer.Option("--leave-out", help="a class to leave out, such as contempt")
]
PartOption = Annotated[
    str,
    typer.Option(
        "--part",
        help="private, clean (without duplicates), public, or another set that was kept with "
        "'evaluate --keep'",
    ),
]
LabelsOption = Annotated[
    str,
    typer.Option(
        "--labels",
        help="what is right: the dataset's, ferplus (FER+'s plurality), agreed (what more than "
        "half of its raters saw) or verdicts (yours, laid over the dataset's)",
    ),
]
PrecisionOption = Annotated[Literal["auto", "fp32", "bf16"], typer.Option("--precision")]
ThreadsOption = Annotated[
    int | None,
    typer.Option("--threads", min=1, max=256, help="processor threads, all by default"),
]
AlongsideOption = Annotated[
    bool,
    typer.Option(help="even while another training runs, instead of waiting for its turn"),
]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
RunName = Annotated[str, typer.Argument(help="a run's name, as `fercore runs list` prints it")]
ModelName = Annotated[str, typer.Argument(help="a run, or a group of seeds: cnn@paper")]
ImagesOption = Annotated[
    str | None, typer.Option("--data", help="the images' dataset, where it is not FER2013")
]


def given(context: typer.Context) -> set[str]:
    """The options that were written out, by the names of the command's arguments."""
    names = (parameter.name for parameter in context.command.params if parameter.name)
    sources = {name: context.get_parameter_source(name) for name in names}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def refuse(options: set[str], reason: str) -> None:
    """Raise where there are any."""
    if options:
        raise typer.BadParameter(f"{', '.join(sorted(options))}: {reason}")
