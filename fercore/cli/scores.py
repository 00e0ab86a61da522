"""`fercore evaluate`: one run's scores."""

from fercore.analysis.relabelling import labelling
from fercore.cli import votes
from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, DataOption, LabelsOption, RunName
from fercore.cli.output import (
    print_json,
    print_metrics,
)
from fercore.runs.artifacts import find_run
from fercore.runs.origin import holding
from fercore.runs.words import run_title
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.labelling import votes_on
from fercore.scoring.predictions import prediction_frame


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
