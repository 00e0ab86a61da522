"""All that a page shows of a study, computed once and kept."""

from dataclasses import dataclass

import pandas as pd

from fercore.data.kept import Tables, kept
from fercore.errors import RunError
from fercore.study import analysis
from fercore.study.analysis import Conclusion
from fercore.study.store import StudyStore
from fercore.study.variants import Study, find_study

STRONGER = "best"  # the study in which both architectures are trained by that recipe


@dataclass(frozen=True)
class StudyResults:
    """A study on one part of the images; see `fercore.study.analysis` for the tables' columns."""

    study: Study
    gaps: pd.DataFrame
    conditions: pd.DataFrame
    class_effect: pd.DataFrame
    conclusions: list[Conclusion]

    @property
    def unfinished(self) -> int:
        """Variants without a training."""
        return len(self.study.variants) - len(self.gaps)


def heads(gaps: pd.DataFrame) -> pd.DataFrame:
    """The lines of a gap table whose variants differ from the CNN in the head alone."""
    return gaps[(gaps["condition"] == "") & (gaps["variant"] != analysis.REFERENCE)]


def study_results(name: str, part: str) -> StudyResults:
    """A study's tables and conclusions, with what the study of the recipe `best` adds to them."""
    inputs = [name, part, *(StudyStore(study).digest() for study in (name, STRONGER))]
    tables = kept(f"study-{name}", inputs, lambda: _tables(name, part))
    told = tables.pop("conclusions").itertuples(index=False)
    return StudyResults(
        find_study(name), **tables, conclusions=[Conclusion(*line) for line in told]
    )


def _tables(name: str, part: str) -> Tables:
    store, study = StudyStore(name), find_study(name)
    gaps = analysis.gap_table(store, study, part)
    stronger = _stronger(part)
    told = [*analysis.conclusions(store, gaps, part), *([stronger] if stronger else [])]
    return {
        "gaps": gaps,
        "conditions": analysis.condition_table(store, study, part),
        "class_effect": analysis.class_effect(store, list(heads(gaps)["variant"]), part),
        "conclusions": pd.DataFrame(told, columns=["question", "answer"], dtype=str),
    }


def _stronger(part: str) -> Conclusion | None:
    try:
        return analysis.stronger_training(StudyStore(STRONGER), find_study(STRONGER), part)
    except RunError as error:  # that study's file is damaged, and not this one's
        return Conclusion(analysis.STRONGER_QUESTION, f"This cannot be told. {error}")
