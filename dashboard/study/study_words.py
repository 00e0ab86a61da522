"""What the study's page says of the study itself: which one it is, and how it came about."""

import re

import pandas as pd

from fercore.places import PROJECT
from fercore.study.standing import Standing
from fercore.study.variants import MAIN, Study
from fercore.wording import NO_BREAK, NO_BREAK_HYPHEN, count

_PROTOCOL = PROJECT / "docs" / "protocol.md"
_SECTION = re.compile(r"^## What was seen before\n(.*?)^## ", re.M | re.S)


def which_study(study: Study, at: Standing) -> str:
    """Which study the page shows while the planned one is not scored; '' when it is that one.

    at: how far the planned one is.
    """
    far = (
        f"`{MAIN}`, the study that [the plan](#how-it-was-done) declares: {at.trained} of "
        f"{at.declared} trainings are finished here. PrivateTest is scored when all of them are."
    )
    if study.name == MAIN:
        return "" if at.complete else far
    seeds = max(variant.seeds for variant in study.variants)
    return (
        f"**{seeds} seeds, seen before the plan: descriptive.** This is the study `{study.name}`, "
        "whose results gave the questions, so it cannot answer them: the words below say what its "
        f"table shows, and decide nothing. {far}"
    )


def what_was_seen() -> str:
    """How the recipes came about: that section of the protocol, as it was committed."""
    section = _SECTION.search(_PROTOCOL.read_text(encoding="utf-8"))
    return section[1].strip() if section else ""


def how_it_was_run(trainings: pd.DataFrame) -> str:
    """Commits, machines and scorings, from `standing.provenance`."""
    commits = trainings["git_commit"].fillna("none known").value_counts(sort=False)
    listed = ", ".join(f"`{commit}` ({count(number)})" for commit, number in commits.items())
    uncommitted = int(trainings["uncommitted"].sum())
    dirty = (
        f" **{count(uncommitted)} of them are from code that was in no commit** ('-dirty')."
        if uncommitted
        else " None of them is from code that was in no commit."
    )
    return (
        f"{count(len(trainings))} trainings, begun {_day(trainings['created'].min())} to "
        f"{_day(trainings['created'].max())}, by the commits {listed}.{dirty} "
        f"{_kinds(trainings, 'processor')}; {_kinds(trainings, 'precision_mode')}."
    )


def when_it_was_scored(times: list[str]) -> str:
    """How often PrivateTest was, from `standing.times_scored`."""
    if not times:
        return "PrivateTest was not scored yet."
    return (
        f"PrivateTest was scored {count(len(times))} times, once for each training and pass, "
        f"{_day(times[0])} to {_day(times[-1])}."
    )


def _kinds(trainings: pd.DataFrame, column: str) -> str:
    kinds = trainings[column].value_counts()
    return ", ".join(f"{kind} ({count(number)})" for kind, number in kinds.items())


def _day(moment: str) -> str:
    return moment[:16].replace("T", NO_BREAK).replace("-", NO_BREAK_HYPHEN)
