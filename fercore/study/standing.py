"""How far a study is, which one answers the question, and how its trainings were made.

Without torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fercore.data.folds import fold_names
from fercore.runs.commit import from_uncommitted_code
from fercore.study.store import StudyStore
from fercore.study.variants import MAIN, STUDIES, Study, find_study
from fercore.training.recipes import Recipe, find_recipe

DATASET = "FER2013"


@dataclass(frozen=True)
class Standing:
    """Trainings of a study on FER2013: how many of those declared there are, and how many of them
    were scored on PrivateTest.
    """

    trained: int
    scored: int
    declared: int

    @property
    def complete(self) -> bool:
        return self.scored == self.declared


def stores_of(study: Study, recipe: Recipe, dataset: str) -> list[StudyStore]:
    """Where the study's tables on a dataset are: one, or one for each of its folds."""
    names = fold_names(dataset, study.folds) if study.folds else [dataset]
    return [StudyStore(study.folder_name(recipe, name)) for name in names]


def own_stores(study: Study) -> list[StudyStore]:
    """The study's tables by its own recipe on FER2013."""
    return stores_of(study, find_recipe(study.recipe), DATASET)


def standing(study: Study) -> Standing:
    """How far the study is."""
    names = {request.run_id for request in study.requests(None, find_recipe(study.recipe))}
    stores = own_stores(study)
    trained = sum(len(store.finished() & names) for store in stores)
    scored = sum(len(store.scored() & names) for store in stores)
    return Standing(trained, scored, len(names) * len(stores))


def can_be_told(study: Study) -> bool:
    """Whether there is a result to show. One that is scored last has none before its last score."""
    at = standing(study)
    return at.complete if study.scored_last else at.scored > 0


def study_shown() -> Study:
    """The planned study once it is scored; until then the one that was seen before, if any is."""
    main = find_study(MAIN)
    if can_be_told(main):
        return main
    earlier = [study for study in STUDIES.values() if study.before == MAIN]
    return next((study for study in earlier if can_be_told(study)), main)


def provenance(store: StudyStore) -> pd.DataFrame:
    """A line per training, in the order of their begin.

    Columns: run_id, created, git_commit, uncommitted (whether it was made by code that was in no
    commit), processor, precision_mode, scored (when PrivateTest was, the last time; None: never).
    """
    lines = [
        {
            "run_id": info["run_id"],
            "created": info["created"],
            "git_commit": info.get("git_commit"),
            "uncommitted": from_uncommitted_code(info.get("git_commit")),
            "processor": info["hardware"]["processor"],
            "precision_mode": info["hardware"]["precision"],
            "scored": scorings[-1] if scorings else None,
        }
        for info, scorings in _trainings(store)
    ]
    return pd.DataFrame(lines).sort_values(["created", "run_id"], ignore_index=True)


def times_scored(store: StudyStore) -> list[str]:
    """When PrivateTest was scored, once for every training and time, in order; ISO 8601."""
    return sorted(time for _, scorings in _trainings(store) for time in scorings)


def _trainings(store: StudyStore) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Each training's `run.json`, and when PrivateTest was scored with it, in order."""
    scored = store.scored()
    for run_id in store.finished():
        info = store.info(run_id)
        if "scored" in info:
            yield info, [scoring["at"] for scoring in info["scored"]]
        else:
            yield info, [info["created"]] if run_id in scored else []
