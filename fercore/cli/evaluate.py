"""`fercore evaluate`: a run's scores, stored or computed on other images, which may be kept."""

from contextlib import suppress
from typing import Annotated, Any, NamedTuple

import pandas as pd
import typer

from fercore.analysis.relabelling import labelling
from fercore.cli import votes
from fercore.cli.data import load_with_progress
from fercore.cli.options import AsJson, ClassesOption, DataOption, LabelsOption, LeaveOutOption
from fercore.cli.output import print_json, print_metrics
from fercore.data import FaceSet
from fercore.data.class_names import class_names
from fercore.errors import ConfigError, RunError
from fercore.groups.finding import find_group
from fercore.groups.group import Group, group_of
from fercore.runs.artifacts import Run
from fercore.runs.origin import holding, votes_of
from fercore.runs.parts import keep_part, part_name, tested_images
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.grouped.evaluation import evaluate as evaluate_seeds
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.grouped.votes import vote_scores
from fercore.scoring.labelling import votes_on
from fercore.scoring.predictions import PARTS, PROBABILITY_COLUMNS, prediction_frame
from fercore.scoring.vote_scores import VoteScores
from fercore.wording import count

RunOrGroup = Annotated[
    str,
    typer.Argument(help="a run's name, STUDY/NAME, or a group of seeds: cnn@paper"),
]
Keep = Annotated[
    bool,
    typer.Option("--keep", help="store its predictions on --data, as a further part of the run"),
]
PartName = Annotated[
    str, typer.Option("--name", help="what that part is called, where not as the set is")
]


class _Scored(NamedTuple):
    """A table of predictions: its run, the name of its images' set, and where it comes from."""

    run: Run
    frame: pd.DataFrame
    dataset: str
    of: str


def evaluate(
    run_id: RunOrGroup,
    data: DataOption = None,
    classes: ClassesOption = "",
    leave_out: LeaveOutOption = None,
    keep: Keep = False,
    name: PartName = "",
    labels: LabelsOption = "dataset",
    as_json: AsJson = False,
) -> None:
    """Print a run's metrics, or a group's means over seeds: from stored predictions, or from each
    run's weights with --data, where --keep makes another test set a further part of the run.
    """
    of_data = {"--keep": keep, "--classes": classes, "--leave-out": leave_out, "--name": name}
    if not data and (given := [option for option, value in of_data.items() if value]):
        raise ConfigError(f"{', '.join(given)}: of another set: name it with --data.")
    if name and not keep:
        raise ConfigError("--name is what the set is called that is kept: add --keep.")
    group = find_group(run_id)
    if not data and not group.single:
        _evaluate_group(group, labels, as_json=as_json)
        return
    runs = _members_to_ask(group) if data else group.members
    if not data:
        scored = [_Scored(runs[0], runs[0].stored_frame, runs[0].dataset, "its stored predictions")]
    else:
        names = class_names(classes, leave_out or ()) if classes or leave_out else None
        faces = load_with_progress(data, names)
        part = part_name(name or faces.name) if keep else ""
        scored = [_afresh(run, faces, data, part) for run in runs]
    told = [_metrics(one, labels, silent=as_json) for one in scored]
    if as_json:
        by_run = {one.run.run_id: metrics for one, metrics in zip(scored, told, strict=True)}
        print_json(by_run if len(runs) > 1 else told[0])
    elif data:
        for note in faces.notes:
            print(f"Note: {note}")
        if keep:
            n = len(tested_images(faces))
            print(
                f"Kept as part '{part}', {count(n)} images: choose it under Images in the "
                f"dashboard, or fercore compare … --part {part}"
            )


def _evaluate_group(group: Group, labels: str, *, as_json: bool) -> None:
    """Print the means over a group's seeds, from their stored predictions."""
    labelled, rated = group.against(labels), votes_of(group.run)
    metrics = {part: evaluate_seeds(own) for part, own in _scored_parts(labelled).items()}
    voted = {
        part: vote_scores(own, rated)
        for part, own in _scored_parts(group).items()
        if rated and not own.labels_only
    }
    if as_json:
        print_json(_with_votes(metrics, voted))
        return
    print(f"{group.title}, means over the seeds' stored predictions")
    first = labelled.run
    votes.print_labels(first.labelling, len(first.stored_frame) - len(first.prediction_frame))
    print_metrics(metrics)
    votes.print_vote_scores(voted)
    for sentence in labelled.predictions(next(iter(metrics))).left_out:
        typer.secho(f"Left out: {sentence}", err=True)


def _scored_parts(group: Group) -> dict[str, GroupPredictions]:
    """By part; raises `RunError` where its seeds were scored on none."""
    found = {}
    for part in PARTS:
        with suppress(RunError):  # it was not scored on that one
            found[part] = group.predictions(part)
    return found or {"private": group.predictions("private")}


def _members_to_ask(group: Group) -> tuple[Run, ...]:
    """A run, or a group's seeds. Raises `RunError` where one of them cannot be asked: a group is
    scored on other images whole, or not at all.
    """
    without = [run for run in group.members if not _can_be_asked(run)]
    if group.single or not without:
        return group.members
    others = ", ".join(run.run_id for run in group.members if run not in without)
    instead = f"Ask one that has them: {others}." if others else "Choose one that has them."
    raise RunError(
        f"{len(without)} of the {group.count} seeds of '{group.name}' are trainings of a study, "
        "which kept their predictions and not their weights. A group is scored on other images "
        f"whole or not at all. {instead}"
    )


def _can_be_asked(run: Run) -> bool:
    try:
        run.model_file()
    except RunError:
        return False
    return True


def _afresh(run: Run, faces: FaceSet, data: str, part: str) -> _Scored:
    """What its weights say of other images, kept as `part` unless that is ''."""
    from fercore.predict.predictor import Predictor

    scored = faces.where(faces.usage != "Training")
    found, every = holding(run, scored), len(run.stored_frame)
    frame = prediction_frame(faces, Predictor.from_run(run).probs(scored.images))
    of = f"its weights on {data}"
    if 0 < found < every:
        of += f", which holds {count(found)} of the {count(every)} images that it was scored on"
    if part:
        tested = frame["row"].isin(tested_images(faces).row)
        keep_part(run, faces, frame.loc[tested, PROBABILITY_COLUMNS].to_numpy(), part)
    return _Scored(run, frame, faces.name, of)


def _metrics(scored: _Scored, labels: str, *, silent: bool) -> dict[str, Any]:
    """By part; printed, unless `silent`."""
    run, frame, dataset, of = scored
    laid = labelling(labels, dataset, frame)
    labelled = laid.frame(frame) if laid else frame
    metrics = evaluate_parts(labelled)
    voted = votes.scores_by_part(frame, votes_on(dataset, frame))
    if not silent:
        print(f"{group_of(run).title}, {of}")
        votes.print_labels(laid, len(frame) - len(labelled))
        print_metrics(metrics)
        votes.print_vote_scores(voted)
    return _with_votes(metrics, voted)


def _with_votes(metrics: dict[str, Any], voted: dict[str, VoteScores]) -> dict[str, Any]:
    return {
        part: scores | ({"votes": voted[part]._asdict()} if part in voted else {})
        for part, scores in metrics.items()
    }
