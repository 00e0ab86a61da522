"""`fercore evaluate` and `fercore compare`: one run's scores, or two runs image by image."""

from dataclasses import asdict
from typing import Annotated

import typer

from fercore.artifacts import find_run
from fercore.cli.data import load_with_progress
from fercore.cli.output import (
    AsJson,
    DataOption,
    PartOption,
    percent,
    print_json,
    print_table,
    with_interval,
)
from fercore.cli.runs import RunName, print_metrics
from fercore.evaluation import class_differences, class_table, evaluate_parts
from fercore.evaluation import compare as compare_predictions
from fercore.predictions import PARTS, prediction_frame


def evaluate(run_id: RunName, data: DataOption = None, as_json: AsJson = False) -> None:
    """Print a run's metrics: from its stored predictions, or from its weights with --data."""
    run = find_run(run_id)
    frame = run.prediction_frame
    if data:
        from fercore.predictor import Predictor

        faces = load_with_progress(data)
        scored = faces.where(faces.usage != "Training")
        frame = prediction_frame(faces, Predictor.from_run(run).probs(scored.images))
    metrics = evaluate_parts(frame)
    if as_json:
        print_json(metrics)
        return
    print(f"{run.title}, {'its weights on ' + data if data else 'its stored predictions'}")
    print_metrics(metrics)


def compare(
    run_a: Annotated[str, typer.Argument(help="model A")],
    run_b: Annotated[str, typer.Argument(help="model B")],
    part: PartOption = "private",
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same images: paired interval and exact McNemar test."""
    a, b = (find_run(name).predictions(part) for name in (run_a, run_b))
    result = compare_predictions(a, b)
    tables, differences = [class_table(table) for table in (a, b)], class_differences(a, b)
    if as_json:
        names = ("a", "b", "difference")
        per_class = {n: t.to_dict("records") for n, t in zip(names, (*tables, differences))}
        print_json(asdict(result) | {"part": part, "per_class": per_class})
        return
    p = "p < 0.001" if result.p_value < 0.001 else f"p = {result.p_value:.3f}"
    low, high = result.interval
    print(f"{PARTS[part]}, n = {result.n}")
    print(f"A {run_a}: {percent(result.accuracy_a)} %   B {run_b}: {percent(result.accuracy_b)} %")
    print(
        f"A − B: {100 * result.difference:+.1f} points [{100 * low:+.1f}, {100 * high:+.1f}], "
        f"exact McNemar {p} (only A right {result.only_a}, only B right {result.only_b})"
    )
    rows = []
    for row_a, row_b, gap in zip(*(t.to_dict("records") for t in (*tables, differences))):
        f1 = [with_interval(row["f1"], (row["f1_low"], row["f1_high"])) for row in (row_a, row_b)]
        recall = [percent(row["recall"]) for row in (row_a, row_b)]
        change = f"{100 * gap['f1']:+.1f} [{100 * gap['f1_low']:+.1f}, {100 * gap['f1_high']:+.1f}]"
        rows.append([row_a["class"], row_a["support"], *f1, change, *recall])
    print_table(
        ["class", "n", "A F1 %", "B F1 %", "A − B, points", "A recall %", "B recall %"], rows
    )
