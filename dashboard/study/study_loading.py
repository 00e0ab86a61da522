"""Cached results of a study. Only its page needs them, so only it imports them."""

import pandas as pd
import streamlit as st

from fercore.study import analysis
from fercore.study.results import STRONGER, StudyResults, study_results
from fercore.study.store import StudyStore


def study_finished(name: str) -> bool:
    """Whether a study has results to show."""
    return bool(StudyStore(name).finished())


def scored_everywhere(name: str) -> tuple[int, int]:
    """How many of a study's test images every training was scored on, and of how many."""
    return StudyStore(name).scored_everywhere()


def study(name: str, part: str) -> StudyResults:
    """A study's tables and conclusions, with what the study of the recipe `best` adds to them."""
    return _study(name, part, (StudyStore(name).changed(), StudyStore(STRONGER).changed()))


@st.cache_data(max_entries=6, show_spinner="Comparing the variants …")
def _study(name: str, part: str, changed: tuple[float, float]) -> StudyResults:
    return study_results(name, part)


def study_curves(name: str, variant: str) -> pd.DataFrame:
    """Accuracy by epoch of one variant, the mean over its seeds."""
    return _study_curves(name, variant, StudyStore(name).changed())


@st.cache_data(max_entries=60, show_spinner=False)
def _study_curves(name: str, variant: str, changed: float) -> pd.DataFrame:
    return analysis.curves(StudyStore(name), variant)
