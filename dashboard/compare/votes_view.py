"""The Overview's lines on FER+'s votes: the ceiling, and the probabilities against the votes."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.loading import KNOWN_BY
from dashboard.base.plain import in_brackets
from dashboard.base.sureness import tells_how_sure
from dashboard.base.widgets import letter
from dashboard.faces import face_loading
from fercore.groups.group import Group
from fercore.scoring.grouped.votes import ceiling, vote_scores
from fercore.scoring.vote_scores import Ceiling, VoteScores
from fercore.wording import count, interval, n_equals, number, percent


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def _scores(model: Group, part: str) -> VoteScores | None:
    """None where there are no votes, or it is not known how sure the model is."""
    votes = face_loading.votes(model.run)
    if votes is None or not tells_how_sure(model, part):
        return None
    return vote_scores(loading.predictions(model, part), votes)


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def _ceiling(model: Group, part: str) -> Ceiling | None:
    votes = face_loading.votes(model.run)
    return None if votes is None else ceiling(loading.predictions(model, part), votes)


def ceiling_in_words(model: Group, part: str) -> str | None:
    """How many of A's errors remain where raters agree with the label; None without votes, or
    where other labels than the dataset's are right.
    """
    found = None if model.labelling else _ceiling(model, part)
    if found is None or not found.errors:
        return None
    undisputed, every = count(round(found.undisputed)), count(round(found.errors))
    mean = "" if model.single else ", in the mean over seeds,"
    return (
        f"{undisputed} of A's {every} errors{mean} remain where more than half of FER+'s raters "
        f"agree with the label; one rater alone agrees with {percent(found.rater_agreement)}"
    )


def votes_in_words(models: dict[str, Group], part: str) -> str | None:
    """How probable each model finds what a rater says, beside one more rater; None without votes.

    Of all rated images, whatever labels are right.
    """
    found = {key: _scores(model.labelled(None), part) for key, model in models.items()}
    lines = [
        f"{letter(key)} {percent(of.probability)} {in_brackets(interval(of.probability_interval))} "
        f"(cross-entropy {number(of.loss, 2)})"
        for key, of in found.items()
        if of is not None
    ]
    first = next((of for of in found.values() if of is not None), None)
    if first is None:
        return None
    rater = f"{percent(first.rater_probability)} ({number(first.rater_loss, 2)})"
    return (
        f"Probability given to what a rater of FER+ says: {', '.join(lines)}; one more rater "
        f"{rater}, {n_equals(first.n)}."
    )
