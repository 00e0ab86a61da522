"""`fercore`: the commands, and the one place where errors become a sentence and an exit code."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from fercore import __version__
from fercore.cli import data, jobs, marks, review, runs
from fercore.cli.analyse import analyse
from fercore.cli.audit import audit
from fercore.cli.card import card
from fercore.cli.check import check
from fercore.cli.compare import compare
from fercore.cli.dashboard import dashboard
from fercore.cli.evaluate import evaluate
from fercore.cli.export import export
from fercore.cli.predict import predict
from fercore.cli.report import report
from fercore.cli.study import study
from fercore.cli.train import train
from fercore.errors import FerError
from fercore.runs.commit import git_commit

app = typer.Typer(
    name="fercore",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(review.app, name="review")
app.add_typer(marks.attributes, name="attributes")
app.add_typer(marks.subsets, name="subsets")


def _print_version(asked: bool) -> None:
    if asked:
        commit = git_commit()
        print(f"fercore {__version__}, {f'commit {commit}' if commit else 'installed'}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version",
        callback=_print_version,
        is_eager=True,
        help="print the version, and in a checkout the commit",
    ),
]


@app.callback()
def of_all(version: Version = False) -> None:
    """Train, evaluate and compare facial-expression models, error by error."""


for command in (
    *(dashboard, train, study, evaluate, compare, check, analyse, audit),
    *(report, card, predict, export),
):
    app.command()(command)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):  # Windows pipes cannot write '−' otherwise
        if isinstance(stream, TextIOWrapper):  # a test's is another
            stream.reconfigure(encoding="utf-8")
    try:
        app()
    except (FerError, OSError) as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        sys.exit(1)
