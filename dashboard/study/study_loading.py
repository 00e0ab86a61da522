"""Cached results of a study. Only its page needs them, so only it imports them."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from fercore.study import analysis
from fercore.study.analysis import Conclusion
from fercore.study.store import StudyStore
from fercore.study.variants import find_study

STRONGER = "best"  # the study in which both architectures are trained by that recipe


@dataclass(frozen=True)
class StudyResults:
    """A study on one part of the images; see `fercore.study.analysis` for the columns."""

    gaps: pd.DataFrame
    conditions: pd.DataFrame
    class_effect: pd.DataFrame
    class_titles: list[str]
    conclusions: list[Conclusion]
    unfinished: int  # variants without a training


def study_finished(name: str) -> bool:
    """Whether a study has results to show."""
    return bool(StudyStore(name).finished())


def study(name: str, part: str) -> StudyResults:
    """A study's tables and conclusions, with what the study of the recipe `best` adds to them."""
    return _study(name, part, (StudyStore(name).changed(), StudyStore(STRONGER).changed()))


@st.cache_data(max_entries=6, show_spinner="Comparing the variants …")
def _study(name: str, part: str, changed: tuple[float, float]) -> StudyResults:
    store, declared = StudyStore(name), find_study(name)
    gaps = analysis.gap_table(store, declared, part)
    heads = gaps[(gaps["condition"] == "") & (gaps["variant"] != analysis.REFERENCE)]
    stronger = analysis.stronger_training(StudyStore(STRONGER), find_study(STRONGER), part)
    told = [*analysis.conclusions(store, gaps, part), stronger]
    return StudyResults(
        gaps,
        analysis.condition_table(store, declared, part),
        analysis.class_effect(store, list(heads["variant"]), part),
        list(heads["title"]),
        [conclusion for conclusion in told if conclusion],
        len(declared.variants) - len(gaps),
    )


def study_curves(name: str, variant: str) -> pd.DataFrame:
    """Accuracy by epoch of one variant, the mean over its seeds."""
    return _study_curves(name, variant, StudyStore(name).changed())


@st.cache_data(max_entries=60, show_spinner=False)
def _study_curves(name: str, variant: str, changed: float) -> pd.DataFrame:
    return analysis.curves(StudyStore(name), variant)
