"""`fercore`: the commands, and the one place where errors become a sentence and an exit code."""

import sys
from io import TextIOWrapper

import typer

from fercore.cli import data, jobs, review, runs
from fercore.cli.analyse import analyse
from fercore.cli.analysis import compare, evaluate
from fercore.cli.audit import audit
from fercore.cli.dashboard import dashboard
from fercore.cli.export import export
from fercore.cli.predict import predict
from fercore.cli.study import study
from fercore.cli.train import train
from fercore.errors import FerError

app = typer.Typer(
    name="fercore",
    help="Train, evaluate and compare facial-expression models, error by error.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(runs.app, name="runs")
app.add_typer(jobs.app, name="jobs")
app.add_typer(review.app, name="review")
for command in (dashboard, train, study, evaluate, compare, analyse, audit, predict, export):
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
