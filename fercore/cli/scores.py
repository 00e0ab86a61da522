"""`fercore evaluate` and `fercore compare`: one run's scores, or two runs image by image."""

from dataclasses import asdict
from typing import Annotated

import typer

from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, DataOption, PartOption, RunName
from fercore.cli.output import (
    difference,
    json_records,
    print_json,
    print_metrics,
    print_table,
    with_interval,
)
from fercore.errors import ConfigError, RunError
from fercore.runs.artifacts import find_run
from fercore.runs.origin import holding
from fercore.runs.words import run_title
from fercore.scoring.evaluation import CLASS_METRICS, comparison_table, evaluate_parts
from fercore.scoring.evaluation import compare as compare_predictions
from fercore.scoring.predictions import PARTS, Predictions, prediction_frame
from fercore.wording import breakable, in_p, p_value, percent, points, points_interval


def evaluate(run_id: RunName, data: DataOption = None, as_json: AsJson = False) -> None:
    """Print a run's metrics: from its stored predictions, or from its weights with --data."""
    run = find_run(run_id)
    frame, of = run.prediction_frame, "its stored predictions"
    if data:
        from fercore.predict.predictor import Predictor

        faces = load_with_progress(data)
        scored = faces.where(faces.usage != "Training")
        found, every = holding(run, scored), len(frame)
        frame = prediction_frame(faces, Predictor.from_run(run).probs(scored.images))
        of = f"its weights on {data}"
        if 0 < found < every:
            of += f", which holds {found} of the {every} images that it was scored on"
    metrics = evaluate_parts(frame)
    if as_json:
        print_json(metrics)
        return
    print(f"{run_title(run)}, {of}")
    print_metrics(metrics)


def _scored(run_id: str, part: str) -> Predictions:
    """A run's predictions on that part; raises `RunError`, naming the parts it has, without any."""
    run = find_run(run_id)
    table = run.predictions(part)
    if not len(table):
        others = [f"--part {other}" for other in PARTS if len(run.predictions(other))]
        raise RunError(
            f"{run_id} was not scored on {PARTS[part]}: {run.dataset} has no such images. "
            f"Choose {' or '.join(others) or 'another run'}."
        )
    return table


def compare(
    run_a: Annotated[str, typer.Argument(help="model A")],
    run_b: Annotated[str, typer.Argument(help="model B")],
    part: PartOption = "private",
    metric: Annotated[str, typer.Option(help="f1, recall, precision or auc")] = "f1",
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same images: paired intervals and exact McNemar test."""
    if metric not in CLASS_METRICS:
        raise ConfigError(f"There is no metric '{metric}'. Choose: {', '.join(CLASS_METRICS)}.")
    a, b = (_scored(name, part) for name in (run_a, run_b))
    result, table = compare_predictions(a, b), comparison_table(a, b)
    if as_json:
        print_json(asdict(result) | {"part": part, "table": json_records(table)})
        return
    first, second = (breakable(percent(of)) for of in (result.accuracy_a, result.accuracy_b))
    gap = breakable(f"{points(result.difference)} {points_interval(result.interval)}")
    print(f"{PARTS[part]}, n = {result.n}")
    print(f"A {run_a}: {first}   B {run_b}: {second}")
    print(
        f"A − B: {gap}, exact McNemar {p_value(result.p_value)} "
        f"(only A right {result.only_a}, only B right {result.only_b})"
    )
    title = metric.upper() if metric in ("f1", "auc") else metric
    rows = [
        [
            line["class"],
            line["support"],
            *(with_interval(line[m], (line[f"{m}_low"], line[f"{m}_high"])) for m in "ab"),
            difference(line),
            in_p(line["p_holm"]),
        ]
        for line in table[table["metric"] == metric].to_dict("records")
    ]
    columns = ["class", "n", f"A {title} %", f"B {title} %", "A − B, points", "corrected p"]
    print_table(columns, rows)
