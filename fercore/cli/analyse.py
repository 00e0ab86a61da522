"""`fercore analyse`: compute and store what the pages Robustness and Embedding show."""

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS
from fercore.analysis.from_weights import CLEAN, Progress, analyse_weights, robustness
from fercore.cli.data import faces_of_run
from fercore.cli.options import AsJson, DataOption, RunName
from fercore.cli.output import print_json, print_table, with_interval
from fercore.groups.group import group_of
from fercore.runs.artifacts import Run
from fercore.runs.listing import find_run
from fercore.wording import bounds_of, breakable, count, duration, in_percent, n_equals


def analyse(run_id: RunName, data: DataOption = None, as_json: AsJson = False) -> None:
    """Score a run on corrupted images, map its features, and store both with the run."""
    run = find_run(run_id)
    faces = faces_of_run(run, data)
    console = Console(stderr=True)
    with Bar(
        BarColumn(),
        TextColumn("{task.description}  {task.fields[left]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("loading the model", total=1.0, left="")

        def show(at: Progress) -> None:
            left = f"about {duration(at.seconds_left)} left"
            bar.update(task, completed=at.share, description=at.doing, left=left)
            if not console.is_terminal:
                console.print(f"{at.doing}, {left}")

        analyse_weights(run, faces, show)
    table = robustness(run)
    assert table is not None  # it was stored just now
    _print(run, table, as_json)


def _print(run: Run, table: pd.DataFrame, as_json: bool) -> None:
    if as_json:
        print_json({"robustness": table.to_dict("records")})
        return
    (clean,) = table[table["kind"] == CLEAN].to_dict("records")
    found, every = clean["n"], len(run.predictions())
    print(breakable(f"{group_of(run).title}, PrivateTest, {n_equals(found)}"))
    if found < every:
        print(
            f"The other {count(every - found)} of its {count(every)} images are not in the copy "
            "here."
        )
    interval = bounds_of(clean, "accuracy")
    print(f"Untouched: {with_interval(clean['accuracy'], interval)} %")
    by_kind = table.pivot(index="kind", columns="strength", values="accuracy")
    strengths = list(STRENGTHS[1:])
    print_table(
        ["accuracy % at strength", *map(str, strengths)],
        [[kind, *map(in_percent, by_kind.loc[kind, strengths])] for kind in CORRUPTIONS],
    )
