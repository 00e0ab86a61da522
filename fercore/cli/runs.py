"""`fercore runs`: list, show, verify, rename, annotate and delete runs."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from fercore.cli.imports import import_
from fercore.cli.options import AsJson, RunName, Yes
from fercore.cli.output import json_records, print_json, print_metrics, print_table
from fercore.errors import RunError
from fercore.groups import tables
from fercore.groups.group import group_of
from fercore.runs.artifacts import Run
from fercore.runs.changes import annotate_run, delete_run, delete_unreadable, rename_run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import Listing, find_run, look_through_runs, unreadable_runs
from fercore.runs.words import UNCOMMITTED, cut_short, epoch_choice, seed_title
from fercore.runs.writing import verify_run
from fercore.scoring.predictions import PARTS
from fercore.wording import UNKNOWN, in_percent

app = typer.Typer(no_args_is_help=True, help="Runs: what was trained, and whether it is intact.")


@app.command("list")
def list_(
    groups: Annotated[bool, typer.Option("--groups", help="groups of seeds instead")] = False,
    as_json: AsJson = False,
) -> None:
    """List every complete run with its accuracies, or the groups that they and studies make."""
    if groups:
        _list_groups(as_json)
        return
    listed, problems = look_through_runs()
    runs = []
    for run in listed:
        try:
            runs.append((run, run.metrics()))
        except RunError as error:
            problems.append(str(error))
    if as_json:
        print_json([_summary(run, metrics) for run, metrics in runs])
    else:
        columns = ["run", "", "dataset", "parameters", *(f"{part} %" for part in PARTS)]
        print_table(columns, [_row(run, metrics) for run, metrics in runs])
    for problem in problems:
        typer.secho(problem, fg="red", err=True)


def _list_groups(as_json: bool) -> None:
    table = tables.groups()
    if as_json:
        print_json(json_records(table))
        return
    means = [f"{part} %" for part in PARTS]
    rows = [
        [
            line["group"],
            line["dataset"],
            line["seeds"],
            *(in_percent(line[f"{part}_accuracy"]) for part in PARTS),
            in_percent(line["private_deviation"], 2),
            line["asked"] or UNKNOWN,
        ]
        for line in table.to_dict("records")
    ]
    print_table(["group", "dataset", "seeds", *means, "deviation, points", "weights of"], rows)
    for line in table.to_dict("records"):
        for sentence in line["left_out"]:
            typer.secho(f"Of {line['group']}: {sentence}", err=True)


@app.command()
def show(run_id: RunName, as_json: AsJson = False) -> None:
    """Show a run: how it was made, and its metrics."""
    run = find_run(run_id)
    if as_json:
        print_json({**run.info, "note": run.note, "metrics": run.metrics()})
        return
    print(f"{run.run_id}: {group_of(run).title}")
    for sentence in _how_it_was_made(run):
        print(sentence)
    if run.uncommitted:
        print(
            f"Trained by code that was changed since its commit ({run.info.get('git_commit')}): no "
            "commit trains it again."
        )
    if run.note:
        print(f"Note: {run.note}")
    print_metrics(run.metrics())


def _how_it_was_made(run: Run) -> Iterator[str]:
    info = run.info
    where = f"{run.dataset} ({info['dataset']['fingerprint']})"
    verb = "Scored" if "imported" in info else "Trained"
    yield ", ".join(filter(None, [f"{verb} on {where}", seed_title(run)]))
    if imported := info.get("imported"):
        yield f"Imported from {imported['file']} ({imported['values']}), by {imported['joined_by']}"
    if info["parameters"] is not None and info["flops_per_image"] is not None:
        operations = info["flops_per_image"] / 1e6
        yield f"{info['parameters']} parameters, {operations:.1f} MFLOP per image"
    if run.members:
        yield f"The mean of: {', '.join(run.members)}"
    elif run.trained:
        yield f"Epoch {info['best_epoch']}{_of_epochs(run)}, {epoch_choice(run)}"
        if cut_short(run):
            yield f"Cut short at {cut_short(run)}: the best so far was kept."
    if info["seconds"] is not None and (hardware := info["hardware"]):
        yield (
            f"{info['seconds']:.0f} s on {hardware['processor']}, threads: {hardware['threads']}, "
            f"{hardware['precision']}"
        )


@app.command()
def verify(
    run_ids: Annotated[
        list[str] | None, typer.Argument(help="all runs where none is named")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every metric from the predictions and check the files' hashes."""
    listed = Listing([*map(find_run, run_ids)], []) if run_ids else look_through_runs()
    problems = {run.run_id: verify_run(run) for run in listed.runs}
    problems |= {sentence.split(":")[0]: [sentence] for sentence in listed.problems}
    if as_json:
        print_json(problems)
    else:
        for name, found in problems.items():
            print(f"{name}: {' '.join(found) or 'intact'}")
    if any(problems.values()):
        raise typer.Exit(1)


@app.command()
def rename(
    run_id: RunName, new_id: Annotated[str, typer.Argument(help="letters, digits, '-', '_', '.'")]
) -> None:
    """Give a run made on this machine another name. Shipped runs keep theirs."""
    run = rename_run(find_run(run_id), new_id)
    print(f"Renamed {run_id} to {run.run_id}.")


@app.command()
def note(
    run_id: RunName, text: Annotated[str, typer.Argument(help="what to remember; '' removes it")]
) -> None:
    """Write a note about a run made on this machine."""
    annotate_run(find_run(run_id), text)
    print(f"Noted with {run_id}." if text.strip() else f"The note of {run_id} is removed.")


@app.command()
def ensemble(
    name: Annotated[str, typer.Argument(help="the ensemble's own name")],
    run_ids: Annotated[list[str], typer.Argument(help="runs that differ in the seed alone")],
    as_json: AsJson = False,
) -> None:
    """Make a run of the mean predictions of several seeds. It has no weights."""
    run = make_ensemble(name, [find_run(run_id) for run_id in run_ids])
    if as_json:
        print_json({**run.info, "metrics": run.metrics()})
        return
    print_metrics(run.metrics())
    print(f"Run {run.run_id}: {run.folder}")


app.command("import")(import_)


@app.command()
def delete(
    run_id: RunName,
    yes: Yes = False,
) -> None:
    """Delete a run made on this machine, a damaged one too. Shipped runs stay."""
    damaged = any(sentence.startswith(f"{run_id}: ") for sentence in unreadable_runs())
    run = None if damaged else find_run(run_id)
    if run and run.shipped:
        raise RunError(f"'{run_id}' is shipped with the project and is not deleted.")
    if not yes:
        title = f"{group_of(run).title} in {run.folder}" if run else f"the damaged run {run_id}"
        typer.confirm(f"Delete {title}?", abort=True)
    if run:
        delete_run(run)
    else:
        delete_unreadable(run_id)
    print(f"Deleted {run_id}.")


def _of_epochs(run: Run) -> str:
    try:
        return f" of {len(run.history())}"
    except RunError as error:
        typer.secho(str(error), fg="red", err=True)
        return ""


def _row(run: Run, metrics: dict[str, Any]) -> list[object]:
    accuracies = [in_percent(metrics.get(part, {}).get("accuracy")) for part in PARTS]
    place = "shipped" if run.shipped else "local"
    if "imported" in run.info:
        place += ", imported"
    if cut_short(run):
        place += f", cut short at {cut_short(run)}"
    if run.uncommitted:
        place += f", {UNCOMMITTED}"
    parameters = run.info["parameters"]
    known = UNKNOWN if parameters is None else parameters
    return [run.run_id, place, run.dataset, known, *accuracies]


def _summary(run: Run, metrics: dict[str, Any]) -> dict[str, object]:
    accuracies = {part: scores["accuracy"] for part, scores in metrics.items()}
    info = run.info
    return {
        "run_id": info["run_id"],
        "model": info["model"],
        "seed": info["seed"],
        "created": info["created"],
        "parameters": info["parameters"],
        "best_epoch": info["best_epoch"],
        "seconds": info["seconds"],
        "recipe": run.recipe.name,
        "dataset": run.dataset,
        "shipped": run.shipped,
        "cut_short": cut_short(run),
        "git_commit": info.get("git_commit"),
        "note": run.note,
        "accuracy": accuracies,
    }
