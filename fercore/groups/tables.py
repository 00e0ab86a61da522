"""What the pages show, a call each: from runs to tables. Without torch.

A run is given as a `Run` or by its name, a group of seeds as a `Group` or by its name
(`cnn@paper`); `part` is 'private', 'clean', 'public' or a further part, another set that it was
scored on; `labels`, what the predictions are scored against, is a key of `labelling.LABELS`. The
functions that these rest on take prediction tables and lie in `scoring.grouped` and `scoring`. All
raise `RunError` for what is not there, was not scored on that part, or has no such labels.
"""

from contextlib import suppress

import numpy as np
import pandas as pd

from fercore.analysis.marks import find, groups_by
from fercore.analysis.properties import known_properties
from fercore.data import FaceSet
from fercore.errors import DataError, RunError
from fercore.groups.cells import stored_accuracy
from fercore.groups.finding import find_group, list_groups
from fercore.groups.group import Group, group_of
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.runs.listing import list_runs
from fercore.runs.origin import faces_of, votes_of
from fercore.scoring import evaluation, metrics, statistics
from fercore.scoring import slices as sliced
from fercore.scoring.ece import BINS
from fercore.scoring.gaps import gaps as gaps_between
from fercore.scoring.grouped import calibration as of_group
from fercore.scoring.grouped import comparison
from fercore.scoring.grouped.bootstrap import crossed_bounds
from fercore.scoring.grouped.comparison import GroupComparison
from fercore.scoring.grouped.evaluation import comparison_table
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.grouped.slices import slices as sliced_by_seeds
from fercore.scoring.grouped.votes import vote_scores
from fercore.scoring.predictions import PARTS

Model = Run | Group | str


def compare(a: Model, b: Model, part: str = "private", *, labels: str = "dataset") -> pd.DataFrame:
    """Two runs image by image, or two groups of seeds: a line for accuracy, and one for each metric
    of each class. The columns are those of `grouped.evaluation.comparison_table`.
    """
    return comparison_table(_answers(a, part, labels), _answers(b, part, labels))


def difference(
    a: Model, b: Model, part: str = "private", *, labels: str = "dataset"
) -> GroupComparison:
    """A minus B in accuracy, with all that there is to say of it."""
    return comparison.compare(_answers(a, part, labels), _answers(b, part, labels))


def runs(found: list[Run] | None = None) -> pd.DataFrame:
    """A line for each run, by default for all that can be read: how it was made and what it scored.

    Columns: run, shipped, architecture ('imported' for one from elsewhere, of whose making nothing
    is known), recipe, start_from, seed (none for an ensemble), dataset, fingerprint, parameters,
    flops_per_image, best_epoch, epochs_done, epochs (asked for), seconds, processor,
    precision_mode, bytes, created, git_commit ('…-dirty' where the code was changed since), note;
    and for each part n, accuracy and macro_f1 with their intervals, as private_accuracy and
    private_accuracy_low, NaN where the run was not scored on it.
    """
    lines = [_line(run) for run in (list_runs() if found is None else found)]
    table = pd.DataFrame(lines)
    numbers = table.select_dtypes("number").convert_dtypes()  # whole where one is not known, too
    table[numbers.columns] = numbers
    return table


def _line(run: Run) -> dict[str, object]:
    info = run.info
    hardware = info["hardware"]
    line = {
        "run": run.run_id,
        "shipped": run.shipped,
        "architecture": info["model"],
        "recipe": run.recipe.name,
        "start_from": run.start_from,
        "seed": None if run.members else info["seed"],
        "dataset": run.dataset,
        "fingerprint": info["dataset"]["fingerprint"],
        "parameters": info["parameters"],
        "flops_per_image": info["flops_per_image"],
        "best_epoch": info["best_epoch"],
        "seconds": info["seconds"],
        "created": info["created"],
        "git_commit": info.get("git_commit"),
        "epochs_done": run.epochs_done if run.trained else None,
        "epochs": None if "imported" in info else run.recipe.epochs,
        "processor": hardware["processor"] if hardware else None,
        "precision_mode": hardware["precision"] if hardware else None,
        "bytes": run.bytes_on_disk,
        "note": run.note,
    }
    try:
        scored = run.metrics()
    except RunError:  # its other figures are still there
        scored = {}
    for part in PARTS:
        scores = scored.get(part, {})
        line[f"{part}_n"] = scores.get("n")
        for name in ("accuracy", "macro_f1"):
            low, high = scores.get(f"{name}_interval", (None, None))
            values = (scores.get(name), low, high)
            line |= {f"{part}_{name}{end}": v for end, v in zip(("", "_low", "_high"), values)}
    return line


def groups() -> pd.DataFrame:
    """A line for each group of two seeds or more, the paper's pair first.

    Columns: group, title, architecture, recipe, dataset, seeds; for each part the mean of the
    seeds' accuracies and their standard deviation, as private_accuracy and private_deviation, NaN
    where it is not known; asked (the run that is asked where weights are needed, '' without
    any), runs (a list), left_out (sentences).
    """
    return pd.DataFrame([_group_line(group) for group in list_groups()])


def _group_line(group: Group) -> dict[str, object]:
    line: dict[str, object] = {
        "group": group.name,
        "title": group.title,
        "architecture": group.model,
        "recipe": group.recipe_name,
        "dataset": group.dataset,
        "seeds": group.count,
    }
    for part in PARTS:
        known = [stored_accuracy(run, part) for run in group.members]
        accuracies = np.array([np.nan if one is None else one for one in known])
        line[f"{part}_accuracy"] = accuracies.mean()
        line[f"{part}_deviation"] = accuracies.std(ddof=1)
    runs = [run.run_id for run in group.members]
    asked = group.run.run_id if group.has_weights else ""
    return line | {"asked": asked, "runs": runs, "left_out": list(group.left_out)}


def bootstrap_interval(
    model: Model,
    part: str = "private",
    *,
    labels: str = "dataset",
    resamples: int = statistics.CLASS_RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Accuracy, macro F1, and precision, recall and F1 of each class, with bootstrap intervals: of
    a run's images, or of a group's images and seeds (`crossed_bounds`).

    Columns: metric, class ('all' for the first two), value, low, high, from 0 to 1. All metrics
    are taken of the same resamples.
    """
    group = _answers(model, part, labels)
    counts = [metrics.confusion_matrix(group.labels, said) for said in group.predicted]
    values = np.mean([evaluation.metrics_of(own) for own in counts], axis=0)
    if group.single:
        bounds = statistics.bootstrap_bounds(
            counts[0], evaluation.metrics_of, resamples=resamples, seed=seed
        )
    else:
        bounds = crossed_bounds(group, evaluation.metrics_of, resamples=resamples, seed=seed)
    names = [("accuracy", "all"), ("macro_f1", "all")]
    names += [(name, k) for name in ("precision", "recall", "f1") for k in CLASSES]
    frame = pd.DataFrame(names, columns=["metric", "class"])
    return frame.assign(value=values, low=bounds[0], high=bounds[1])


def reliability(
    model: Model,
    part: str = "private",
    bins: int = BINS,
    *,
    labels: str = "dataset",
) -> pd.DataFrame:
    """Confidence against accuracy in bins of as many images; see `calibration.reliability`."""
    return of_group.reliability(_answers(model, part, labels), bins)


def slices(
    model: Model,
    part: str = "private",
    *,
    labels: str = "dataset",
    faces: FaceSet | None = None,
    crossed: sliced.Crossed = None,
) -> pd.DataFrame:
    """Accuracy and macro F1 on each slice of the images, the worst first; see `slices.slices`.

    Slices by light, contrast and sharpness are of the images that are on this machine: in `faces`,
    or wherever `faces_of` finds them. Those by FER+'s raters are there for FER2013. crossed: two
    properties, as ('class', 'age group'), whose slices are crossed.
    """
    group = _group(model).on(part).against(labels)
    answers = group.predictions(part)
    run = group.first_of(answers)
    if faces is None:
        with suppress(DataError):  # then there are no slices by what is measured in an image
            faces = faces_of(run)
    properties = known_properties(run, answers.tables[0], faces=faces, votes=votes_of(run))
    return sliced_by_seeds(answers, properties, crossed=crossed)


def gaps(
    model: Model, attribute: str, part: str = "private", *, labels: str = "dataset"
) -> pd.DataFrame:
    """The widest gap between the groups that an attribute makes, a line for recall and one for the
    false alarms of each class; see `gaps.gaps`. Raises `DataError` for an unknown one.
    """
    answers = _answers(model, part, labels)
    return gaps_between(answers, groups_by(find("attributes", attribute), answers.pixels)).table


def against_votes(model: Model, part: str = "private") -> pd.DataFrame:
    """A model's probabilities against FER+'s votes, a line: the fields of `vote_scores.VoteScores`.

    The intervals are two columns each, `probability_low` and so on. Raises `RunError` where FER+'s
    raters have not seen the model's images, or where it has labels alone.
    """
    group = _group(model).on(part)
    votes = votes_of(group.run)
    if votes is None:
        raise RunError(f"FER+'s raters have not seen the images that {group.name} was scored on.")
    answers = group.predictions(part)
    if answers.labels_only:
        raise RunError(f"{group.name} has predicted labels alone: how sure it is is not known.")
    scores = vote_scores(answers, votes)._asdict()
    for name in ("probability", "loss"):
        scores[f"{name}_low"], scores[f"{name}_high"] = scores.pop(f"{name}_interval")
    return pd.DataFrame([scores])


def _answers(model: Model, part: str, labels: str = "dataset") -> GroupPredictions:
    return _group(model).on(part).against(labels).predictions(part)


def _group(model: Model) -> Group:
    if isinstance(model, str):
        return find_group(model)
    return model if isinstance(model, Group) else group_of(model)
