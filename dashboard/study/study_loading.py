"""Cached results of a study. Only its page needs them, so only it imports them."""

import pandas as pd
import streamlit as st

from dashboard.base.turns import out_of_turn
from fercore.study import analysis, standing
from fercore.study.pretraining import Pretraining
from fercore.study.pretraining import pretraining as find_pretraining
from fercore.study.results import StudyResults, study_results
from fercore.study.scored import Scored
from fercore.study.standing import own_stores
from fercore.study.store import StudyStore
from fercore.study.variants import FRESH, OTHERS, STRONGER, TRANSFER, find_study


def changed(name: str) -> tuple[float, ...]:
    """When the study, or one of those that add to its answers, was last written."""
    stores = [own for other in (FRESH, STRONGER, OTHERS) for own in own_stores(find_study(other))]
    return tuple(store.changed() for store in (StudyStore(name), *stores))


def study(name: str, part: str) -> StudyResults:
    """A study's tables and answers."""
    return _study(name, part, changed(name))


@st.cache_data(max_entries=6, show_spinner="Comparing the variants …")
@out_of_turn()
def _study(name: str, part: str, changed: tuple[float, ...]) -> StudyResults:
    return study_results(find_study(name), StudyStore(name), part)


def pretraining(part: str) -> Pretraining:
    """The tables and answers of the study of pretraining."""
    return _pretraining(part, StudyStore(TRANSFER).changed())


@st.cache_data(max_entries=4, show_spinner="Comparing the variants …")
@out_of_turn()
def _pretraining(part: str, changed: float) -> Pretraining:
    return find_pretraining(find_study(TRANSFER), StudyStore(TRANSFER), part)


def provenance(name: str) -> pd.DataFrame:
    """How each of a study's trainings was made."""
    return _provenance(name, StudyStore(name).changed())


@st.cache_data(max_entries=6, show_spinner=False)
def _provenance(name: str, changed: float) -> pd.DataFrame:
    return standing.provenance(StudyStore(name))


def times_scored(name: str) -> list[str]:
    """When PrivateTest was scored; see `standing.times_scored`."""
    return _times_scored(name, StudyStore(name).changed())


@st.cache_data(max_entries=6, show_spinner=False)
def _times_scored(name: str, changed: float) -> list[str]:
    return standing.times_scored(StudyStore(name))


def study_curves(name: str, variant: str) -> pd.DataFrame:
    """Accuracy by epoch of one variant, the mean over its seeds."""
    return _study_curves(name, variant, StudyStore(name).changed())


@st.cache_data(max_entries=60, show_spinner=False)
def _study_curves(name: str, variant: str, changed: float) -> pd.DataFrame:
    store = StudyStore(name)
    return analysis.curves(store, Scored(store, "public").runs(variant))
