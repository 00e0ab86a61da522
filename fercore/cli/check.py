"""`fercore check`: whether a model is good enough, for a person and as an exit code."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fercore.cli import votes
from fercore.cli.options import AsJson, LabelsOption, ModelName, PartOption
from fercore.cli.output import print_json, print_table
from fercore.errors import ConfigError, FerError
from fercore.groups.checking import Finding
from fercore.groups.checking import check as check_figures
from fercore.groups.finding import find_group
from fercore.groups.group import Group
from fercore.groups.requirements import FIGURES, Requirement, read_requirement, read_requirements
from fercore.scoring.predictions import PARTS
from fercore.wording import breakable, quantity, quantity_interval

_NOT_MET, _MISTAKE = 1, 2  # exit codes; the second is that of a usage error

Least = Annotated[
    list[str] | None,
    typer.Option("--min", help=f"FIGURE=NUMBER, of at least; again for more: {', '.join(FIGURES)}"),
]
Most = Annotated[
    list[str] | None, typer.Option("--max", help="FIGURE=NUMBER, of at most; again for more")
]
FromFile = Annotated[
    Path | None, typer.Option("--from", help="a file of such lines: --min accuracy=0.70")
]
Sure = Annotated[
    bool,
    typer.Option(
        "--sure",
        help="the whole 95 % interval must be within what is wanted, also where thresholds are "
        "chosen",
    ),
]
WithThresholds = Annotated[
    bool,
    typer.Option(
        "--thresholds",
        help="withhold answers below the thresholds, chosen on PublicTest, that give the wanted "
        "--min precision[CLASS] and --max false_alarms[CLASS]",
    ),
]


def check(
    model: ModelName,
    least: Least = None,
    most: Most = None,
    file: FromFile = None,
    part: PartOption = "private",
    labels: LabelsOption = "dataset",
    sure: Sure = False,
    thresholds: WithThresholds = False,
    as_json: AsJson = False,
) -> None:
    """Check a model against required figures: exit code 0 where all are met, 1 where one is not, 2
    where they could not be checked. Shares go from 0 to 1; latency_ms and memory_mb are measured
    now, on this machine, latency as the median of single faces on one thread.
    """
    try:
        required = _required(least or [], most or [], file)
        group = find_group(model).on(part).against(labels)
        findings = check_figures(group, required, part, sure=sure, thresholds=thresholds)
    except (FerError, OSError) as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(_MISTAKE) from error
    met = all(finding.met for finding in findings)
    if as_json:
        about = {"model": group.name, "part": part, "labels": labels, "sure": sure}
        about |= {"thresholds": thresholds}
        print_json(about | {"met": met, "figures": [_as_json(each) for each in findings]})
    else:
        _print(group, findings, part, sure)
    raise typer.Exit(0 if met else _NOT_MET)


def _required(least: list[str], most: list[str], file: Path | None) -> list[Requirement]:
    found = read_requirements(file) if file else []
    found += [read_requirement(text, "min") for text in least]
    found += [read_requirement(text, "max") for text in most]
    if not found:
        raise ConfigError("Nothing is required. Add --min accuracy=0.70, say, or --from FILE.")
    return found


def _as_json(finding: Finding) -> dict[str, Any]:
    wanted, (low, high) = finding.requirement, finding.interval
    return {
        "figure": wanted.figure, "value": finding.value, "low": low, "high": high,
        "bound": wanted.bound, "wanted": wanted.wanted, "met": finding.met,
    }  # fmt: skip


def _print(group: Group, findings: list[Finding], part: str, sure: bool) -> None:
    by = "the whole interval" if sure else "the value"
    print(breakable(f"{group.title}, {PARTS.get(part, part)}; met by {by}"))
    run = group.run
    votes.print_labels(run.labelling, run.left_out(part) if run.labelling else 0)
    print_table(
        ["figure", "value", "95 % interval", "wanted", "met"], [_cells(one) for one in findings]
    )
    missed = [finding.requirement.figure for finding in findings if not finding.met]
    print(f"Not good enough: {', '.join(missed)}." if missed else "Good enough: all are met.")


def _cells(finding: Finding) -> list[str]:
    wanted = finding.requirement
    word = {"min": "at least", "max": "at most"}[wanted.bound]
    return [
        wanted.figure,
        breakable(quantity(finding.value, wanted.unit)),
        breakable(quantity_interval(finding.interval, wanted.unit)),
        breakable(f"{word} {quantity(wanted.wanted, wanted.unit)}"),
        "yes" if finding.met else "no",
    ]
