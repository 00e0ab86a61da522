"""`fercore evaluate` and `fercore compare`: one run's scores, or two runs image by image."""

from dataclasses import asdict
from typing import Annotated

import typer

from fercore.analysis.relabelling import against, labelling
from fercore.cli import votes
from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, DataOption, LabelsOption, PartOption, RunName
from fercore.cli.output import (
    difference,
    json_records,
    print_json,
    print_metrics,
    print_table,
    with_interval,
)
from fercore.errors import ConfigError, RunError
from fercore.runs.artifacts import Run, find_run
from fercore.runs.origin import holding, votes_of
from fercore.runs.words import run_title
from fercore.scoring.evaluation import CLASS_METRICS, comparison_table, evaluate_parts
from fercore.scoring.evaluation import compare as compare_predictions
from fercore.scoring.labelling import votes_on
from fercore.scoring.predictions import PARTS, Predictions, prediction_frame
from fercore.wording import breakable, in_p, p_value, percent, points, points_interval


def evaluate(
    run_id: RunName,
    data: DataOption = None,
    labels: LabelsOption = "dataset",
    as_json: AsJson = False,
) -> None:
    """Print a run's metrics: from its stored predictions, or from its weights with --data."""
    run = find_run(run_id)
    frame, of, dataset = run.stored_frame, "its stored predictions", run.dataset
    if data:
        from fercore.predict.predictor import Predictor

        faces = load_with_progress(data)
        scored = faces.where(faces.usage != "Training")
        found, every = holding(run, scored), len(frame)
        frame = prediction_frame(faces, Predictor.from_run(run).probs(scored.images))
        of, dataset = f"its weights on {data}", faces.name
        if 0 < found < every:
            of += f", which holds {found} of the {every} images that it was scored on"
    laid = labelling(labels, dataset, frame)
    labelled = laid.frame(frame) if laid else frame
    metrics = evaluate_parts(labelled)
    voted = votes.scores_by_part(frame, votes_on(dataset, frame))
    if as_json:
        print_json(
            {
                part: scores | ({"votes": voted[part]._asdict()} if part in voted else {})
                for part, scores in metrics.items()
            }
        )
        return
    print(f"{run_title(run)}, {of}")
    votes.print_labels(laid, len(frame) - len(labelled))
    print_metrics(metrics)
    votes.print_vote_scores(voted)


def _scored(run: Run, part: str) -> Predictions:
    """A run's predictions on that part; raises `RunError`, naming the parts it has, without any."""
    table = run.predictions(part)
    if not len(table):
        others = [f"--part {other}" for other in PARTS if len(run.predictions(other))]
        raise RunError(
            f"{run.run_id} was not scored on {PARTS[part]}: {run.dataset} has no such images. "
            f"Choose {' or '.join(others) or 'another run'}."
        )
    return table


def compare(
    run_a: Annotated[str, typer.Argument(help="model A")],
    run_b: Annotated[str, typer.Argument(help="model B")],
    part: PartOption = "private",
    labels: LabelsOption = "dataset",
    metric: Annotated[str, typer.Option(help="f1, recall, precision or auc")] = "f1",
    as_json: AsJson = False,
) -> None:
    """Compare two runs on the same images: paired intervals and exact McNemar test."""
    if metric not in CLASS_METRICS:
        raise ConfigError(f"There is no metric '{metric}'. Choose: {', '.join(CLASS_METRICS)}.")
    runs = [against(find_run(name), labels) for name in (run_a, run_b)]
    a, b = (_scored(run, part) for run in runs)
    result, table = compare_predictions(a, b), comparison_table(a, b)
    if as_json:
        about = {"part": part, "labels": labels, "left_out": runs[0].left_out(part)}
        print_json(asdict(result) | about | {"table": json_records(table)})
        return
    first, second = (breakable(percent(of)) for of in (result.accuracy_a, result.accuracy_b))
    gap = breakable(f"{points(result.difference)} {points_interval(result.interval)}")
    print(f"{PARTS[part]}, n = {result.n}")
    votes.print_labels(runs[0].labelling, runs[0].left_out(part))
    print(f"A {run_a}: {first}   B {run_b}: {second}")
    print(
        f"A − B: {gap}, exact McNemar {p_value(result.p_value)} "
        f"(only A right {result.only_a}, only B right {result.only_b})"
    )
    stored_a, stored_b = (run.stored_predictions(part) for run in runs)
    votes.print_paired_votes(stored_a, stored_b, votes_of(runs[0]))
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
