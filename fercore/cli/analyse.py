"""`fercore analyse`: compute and store what the pages Robustness and Embedding show."""

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS
from fercore.analysis.from_weights import CLEAN, Progress, analyse_weights, robustness
from fercore.cli.data import faces_of_run
from fercore.cli.output import AsJson, DataOption, percent, print_json, print_table, with_interval
from fercore.cli.runs import RunName
from fercore.runs.artifacts import Run, find_run
from fercore.runs.words import run_title
from fercore.wording import duration


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
    _print(run, as_json)


def _print(run: Run, as_json: bool) -> None:
    table, every = robustness(run), len(run.predictions())
    if as_json:
        print_json({"robustness": table.to_dict("records")})
        return
    clean = table[table["kind"] == CLEAN].iloc[0]
    found = clean["n"]
    print(f"{run_title(run)}, PrivateTest, n = {found}")
    if found < every:
        print(f"The other {every - found} of its {every} images are not in the copy here.")
    print(
        f"Untouched: {with_interval(clean['accuracy'], clean[['accuracy_low', 'accuracy_high']])} %"
    )
    by_kind = table.pivot(index="kind", columns="strength", values="accuracy")
    print_table(
        ["accuracy % at strength", *map(str, STRENGTHS[1:])],
        [[kind, *map(percent, by_kind.loc[kind, STRENGTHS[1:]])] for kind in CORRUPTIONS],
    )
