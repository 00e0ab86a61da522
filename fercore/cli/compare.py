"""`fercore compare`: two runs image by image, or two groups of seeds."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import pandas as pd
import typer

from fercore.cli import votes
from fercore.cli.options import AsJson, LabelsOption, ModelName, PartOption
from fercore.cli.output import difference, json_records, print_json, print_table, with_interval
from fercore.errors import ConfigError, RunError
from fercore.groups.finding import find_group, is_the_papers
from fercore.groups.group import Group
from fercore.groups.verdict import TESTS
from fercore.runs.origin import votes_of
from fercore.scoring.evaluation import CLASS_METRICS
from fercore.scoring.grouped.comparison import CrossedDifference, GroupComparison
from fercore.scoring.grouped.comparison import compare as compare_predictions
from fercore.scoring.grouped.evaluation import comparison_table
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.predictions import PARTS
from fercore.study.contrasts import PLANNED_PART
from fercore.wording import (
    bounds_of,
    breakable,
    in_p,
    n_equals,
    number,
    p_value,
    percent,
    points,
    points_interval,
)


def compare(
    a: ModelName,
    b: ModelName,
    part: PartOption = "private",
    labels: LabelsOption = "dataset",
    metric: Annotated[str, typer.Option(help="f1, recall, precision or auc")] = "f1",
    as_json: AsJson = False,
) -> None:
    """Compare two models on the same images: two runs by McNemar's exact test, groups of seeds
    with intervals and tests that cross seeds and images.
    """
    if metric not in CLASS_METRICS:
        raise ConfigError(f"There is no metric '{metric}'. Choose: {', '.join(CLASS_METRICS)}.")
    groups = [find_group(name).on(part).against(labels) for name in (a, b)]
    scored = [_scored(group, part) for group in groups]
    result, table = compare_predictions(*scored), comparison_table(*scored)
    first = groups[0].run
    unlabelled = first.left_out(part) if first.labelling else 0
    planned = _planned(groups[0], groups[1], part) if labels == "dataset" else None
    if as_json:
        about = {"part": part, "labels": labels, "left_out": unlabelled}
        more = {"planned": planned and asdict(planned), "table": json_records(table)}
        print_json(_as_json(result, groups, scored) | about | more)
        return
    print(breakable(f"{PARTS.get(part, part)}, {n_equals(result.n)}"))
    votes.print_labels(first.labelling, unlabelled)
    for sentence in _sentences(result, groups):
        print(breakable(sentence))
    if planned:
        print(
            breakable(
                f"The plan's contrast, on {PARTS[PLANNED_PART]}, {n_equals(planned.n)}: "
                f"{_gap(planned)} (--part {PLANNED_PART})"
            )
        )
    if result.crossed is None:
        of_a, of_b = (group.run.stored_predictions(part) for group in groups)
        votes.print_paired_votes(of_a, of_b, votes_of(first))
    for sentence in dict.fromkeys(scored[0].left_out + scored[1].left_out):
        typer.secho(f"Left out: {sentence}", err=True)
    _print_classes(table, metric)


def _scored(group: Group, part: str) -> GroupPredictions:
    """Its predictions on that part; raises `RunError`, naming the parts it has, without any."""
    if group.single and not len(group.run.predictions(part)):
        others = [f"--part {other}" for other in PARTS if len(group.run.predictions(other))]
        raise RunError(
            f"{group.name} was not scored on {PARTS[part]}: {group.dataset} has no such images. "
            f"Choose {' or '.join(others) or 'another run'}."
        )
    return group.predictions(part)


def _planned(a: Group, b: Group, part: str) -> GroupComparison | None:
    """The plan's primary contrast, where the two are its pair and other images were asked for."""
    if part == PLANNED_PART or not is_the_papers(a, b):
        return None
    return compare_predictions(*(group.home.predictions(PLANNED_PART) for group in (a, b)))


def _gap(result: GroupComparison) -> str:
    return (
        f"A − B: {points(result.difference)} {points_interval(result.interval)}, "
        f"{TESTS[result.test]} {p_value(result.p_value)}"
    )


def _as_json(
    result: GroupComparison, groups: list[Group], scored: list[GroupPredictions]
) -> dict[str, Any]:
    about = {
        f"model_{key}": {
            "name": group.name, "runs": list(own.names), "left_out": list(own.left_out),
        }
        for key, group, own in zip("ab", groups, scored, strict=True)
    }  # fmt: skip
    return asdict(result) | about


def _sentences(result: GroupComparison, groups: list[Group]) -> Iterator[str]:
    names = [group.name for group in groups]
    if result.crossed is None:
        first, second = percent(result.accuracy_a), percent(result.accuracy_b)
        yield f"A {names[0]}: {first}   B {names[1]}: {second}"
        yield f"{_gap(result)} (only A right {result.only_a}, only B right {result.only_b})"
        return
    for key, name, seeds, accuracy, bounds in (
        ("A", names[0], result.seeds_a, result.accuracy_a, result.interval_a),
        ("B", names[1], result.seeds_b, result.accuracy_b, result.interval_b),
    ):
        of = f"{seeds} seeds" if seeds > 1 else "one run"
        yield f"{key} {name}, {of}: {with_interval(accuracy, bounds)} %"
    of = "" if min(result.seeds_a, result.seeds_b) > 1 else " of the group"
    yield f"{_gap(result)}, for new images and new seeds{of}"
    yield from _crossed_sentences(result.crossed, result.margin)


def _crossed_sentences(crossed: CrossedDifference, margin: float) -> Iterator[str]:
    if crossed.images == 1:
        yield "One image alone tells nothing of others."
        return
    if crossed.by_bootstrap:
        yield (
            f"That is the bootstrap's interval; Student's is {points_interval(crossed.student)}, "
            "and where they disagree by more than 0.1 points the wider one is the answer."
        )
    else:
        yield f"A bootstrap of seeds and images: {points_interval(crossed.bootstrap)}"
    yield (
        f"Equal within ±{number(100 * margin, 0)} point: {p_value(crossed.equivalence_p)}, 90 % "
        f"interval {points_interval(crossed.equivalence_interval)}"
    )
    seeds, images, rest = (f"{number(100 * share, 0)} %" for share in crossed.shares)
    yield (
        f"Its variance: {seeds} from seeds, {images} from images, {rest} from the rest. Of a "
        f"difference of {number(100 * crossed.detectable)} points four in five would be found."
    )


def _print_classes(table: pd.DataFrame, metric: str) -> None:
    title = metric.upper() if metric in ("f1", "auc") else metric
    rows = [
        [
            line["class"],
            line["support"],
            *(with_interval(line[m], bounds_of(line, m)) for m in "ab"),
            difference(line),
            in_p(line["p_holm"]),
        ]
        for line in table[table["metric"] == metric].to_dict("records")
    ]
    columns = ["class", "n", f"A {title} %", f"B {title} %", "A − B, points", "corrected p"]
    print_table(columns, rows)
