"""Seed ensembles: runs that differ in the seed alone, asked together.

After deep ensembles (Lakshminarayanan et al., 2017). An ensemble is a run with predictions and
without weights; its members are named in it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from fercore.errors import RunError
from fercore.files import writing_to
from fercore.runs.artifacts import Run
from fercore.runs.folders import local_folder
from fercore.runs.kinship import training_key
from fercore.runs.listing import find_run
from fercore.runs.writing import new_folder, write_scores
from fercore.scoring.predictions import PROBABILITY_COLUMNS


def make_ensemble(name: str, members: list[Run]) -> Run:
    """The members' mean probabilities as a run of that name, made on this machine.

    Raises `RunError` for fewer than two members, for two of one seed, for one that differs from the
    first in more than the seed, was scored on other images or has labels alone, and for a name that
    is taken.
    """
    _check_alike(members)
    first = members[0]
    frame = first.prediction_frame.copy()
    probs = [run.prediction_frame[PROBABILITY_COLUMNS].to_numpy() for run in members]
    frame[PROBABILITY_COLUMNS] = np.mean(probs, axis=0, dtype=np.float32)
    commits = [run.info.get("git_commit") for run in members]
    changed = [commit for run, commit in zip(members, commits) if run.uncommitted]
    own = {
        "git_commit": (changed or commits)[0],
        "parameters": _sum(run.info["parameters"] for run in members),
        "flops_per_image": _sum(run.info["flops_per_image"] for run in members),
        "seconds": _sum(run.info["seconds"] for run in members),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "members": [run.run_id for run in members],
        "seed": None,
        "best_epoch": None,
    }
    place = local_folder(name).parent
    refused = writing_to(place, f"'{name}' is not made", RunError, variable="FERCORE_ARTIFACTS")
    with refused, new_folder(name) as folder:
        write_scores(folder, {**first.info, **own}, frame)
    return find_run(name)


def members_of(run: Run) -> list[Run]:
    """The runs that an ensemble is the mean of. Raises `RunError` where one is gone."""
    members = []
    for name in run.members:
        try:
            members.append(find_run(name))
        except RunError as error:
            raise RunError(
                f"'{run.run_id}' is an ensemble of {len(run.members)} runs, and its member "
                f"'{name}' is not here: it has predictions, but cannot be asked. Choose another "
                "run."
            ) from error
    return members


def _sum(figures: Iterable[float | None]) -> float | None:
    """None where one of them is not known."""
    known = list(figures)
    return None if None in known else sum(filter(None, known))


def _check_alike(members: list[Run]) -> None:
    if len(members) < 2 or len({run.info["seed"] for run in members}) < len(members):
        raise RunError("An ensemble needs two runs or more, each of another seed.")
    for run in members:
        if run.members:
            raise RunError(f"'{run.run_id}' is an ensemble itself. Name its members instead.")
        if run.prediction_frame[PROBABILITY_COLUMNS].max(axis=1).eq(1).all():
            raise RunError(
                f"'{run.run_id}' says a class of each image and not how sure it is: there is no "
                "mean of that. Import its probabilities."
            )
    first, *others = members
    images = first.prediction_frame.drop(columns=PROBABILITY_COLUMNS)
    for run in others:
        if training_key(run) != training_key(first):
            raise RunError(
                f"'{run.run_id}' differs from '{first.run_id}' in more than the seed. Choose runs "
                "of one model, one recipe and one dataset."
            )
        if not images.equals(run.prediction_frame.drop(columns=PROBABILITY_COLUMNS)):
            raise RunError(f"'{run.run_id}' was scored on other images than '{first.run_id}'.")
