"""Good enough: what is left of a model under thresholds, where it is weakest, what it costs."""

import shlex
import threading
from dataclasses import replace
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.plain import plain
from dashboard.base.selection import Selection
from dashboard.base.sureness import labels_alone
from dashboard.base.turns import out_of_turn
from dashboard.base.widgets import letter
from dashboard.compare.slices_view import model_slices
from fercore.errors import RunError
from fercore.groups.costs import Cost, measured_cost
from fercore.groups.group import Group
from fercore.groups.requirements import Bound, Requirement
from fercore.labels import CLASSES
from fercore.runs.words import seed_title
from fercore.scoring.grouped.intervals import Share
from fercore.scoring.grouped.thresholds import Wish, choose_thresholds, left_per_class, withhold
from fercore.scoring.slices import slice_title
from fercore.wording import (
    UNKNOWN,
    bounds_of,
    count,
    in_p,
    interval,
    megabytes,
    n_equals,
    percent,
    quantity,
    quantity_interval,
)

_ONE_AT_A_TIME = threading.Lock()  # two measurements at once would slow each other


class Left(NamedTuple):
    """What is left of a model on a part. table: `left_per_class`, and in `chosen_on` what was
    wanted as it is on PublicTest.
    """

    table: pd.DataFrame
    coverage: Share
    accuracy: Share


def off_public(selection: Selection) -> Selection:
    """The selection, on PrivateTest where it was on PublicTest, on which thresholds are chosen;
    says so. Stops the page where a model was not scored there.
    """
    if selection.part != "public":
        return selection
    st.info(
        "Thresholds are chosen on PublicTest, and what they give is not judged on the same images: "
        "shown is PrivateTest."
    )
    for key, model in selection.models.items():
        if not loading.is_scored(model, "private"):
            st.info(f"{key} was not scored on PrivateTest: choose another model in the sidebar.")
            st.stop()
    return replace(selection, part="private")


def why_no_threshold(model: Group, part: str) -> str:
    """A sentence where no threshold can be chosen for a model, or ''."""
    if unknown := labels_alone(model, part):
        return f"{unknown}, so nothing can be withheld by it. Import its probabilities."
    if not loading.is_scored(model.home, "public"):
        return (
            f"'{plain(model.name)}' was not scored on PublicTest, where thresholds are chosen: its "
            "dataset has no such images. Choose a model that was."
        )
    return ""


def wishes() -> tuple[Wish, ...]:
    """What the page's widgets say; of 0 % precision and 100 % false alarms nothing is wished."""
    state, sure = st.session_state, st.session_state["surely"]
    if state["wish"] == "precision":
        wanted = {k: state[f"precision-{name}"] / 100 for k, name in enumerate(CLASSES)}
        return tuple(Wish(k, "precision", value, sure) for k, value in wanted.items() if value > 0)
    wanted = {k: state[f"alarms-{name}"] / 100 for k, name in enumerate(CLASSES)}
    return tuple(Wish(k, "false_alarms", value, sure) for k, value in wanted.items() if value < 1)


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def left(model: Group, part: str, wished: tuple[Wish, ...]) -> Left:
    """With thresholds chosen on PublicTest. Raises what `withhold` does."""
    public = loading.predictions(model.home, "public")
    thresholds = choose_thresholds(public, wished)
    found = withhold(loading.predictions(model, part), thresholds)
    table = left_per_class(found, wished)
    there = left_per_class(withhold(public, thresholds), wished)
    metric = wished[0].metric if wished else "precision"
    return Left(table.assign(chosen_on=there[metric]), found.coverage(), found.accuracy())


def in_words(key: str, found: Left, part_name: str) -> str:
    answered, right = found.coverage, found.accuracy
    if not answered.value:
        return f"{letter(key)} answers nothing: no threshold gives what is wanted."
    return (
        f"{letter(key)} answers **{percent(answered.value)}** {interval(answered.interval)} of the "
        f"images of {part_name}, and **{percent(right.value)}** {interval(right.interval)} of its "
        f"answers are right ({n_equals(round(right.n))})."
    )


def cannot_be_met(key: str, model: Group, table: pd.DataFrame) -> str:
    """Which wishes hold at no threshold on PublicTest, as a sentence; '' where all hold at one."""
    never = table[table["silent"] > 0]
    if never.empty:
        return ""
    names = ", ".join(
        line["class"] + (f" (in {line['silent']} of its {model.count} seeds)" * (not model.single))
        for line in never.to_dict("records")
    )
    return (
        f"{key}: what is wanted of {names} is not reached on PublicTest at any threshold. It would "
        "have to say nothing of the kind, and so it is counted."
    )


def shown(tables: dict[str, pd.DataFrame], metric: str) -> pd.DataFrame:
    """The table under the figures, in words."""
    lines = []
    for place in range(len(CLASSES)):
        for key, table in tables.items():
            line = table.iloc[place]
            here, recall = (bounds_of(line, of) for of in (metric, "recall"))
            lines.append(
                {
                    "class": line["class"],
                    "model": key,
                    "threshold": _threshold(line["threshold"]),
                    "wanted": percent(line["wanted"]),
                    "on PublicTest": percent(line["chosen_on"]),
                    "here": percent(line[metric]),
                    "here, 95 %": interval(here),
                    "recall left": percent(line["recall"]),
                    "recall left, 95 %": interval(recall),
                    "recall of all": percent(line["recall_of_all"]),
                    "answers given": percent(line["answers"]),
                }
            )
    return pd.DataFrame(lines)


def _threshold(value: float) -> str:
    return "never said" if value == float("inf") else percent(value) if value else "none"


def command(model: Group, selection: Selection, wished: tuple[Wish, ...]) -> str:
    """The line of `fercore check` that states the same wish."""
    bounds: dict[str, Bound] = {"precision": "min", "false_alarms": "max"}
    wanted = [Requirement(bounds[wish.metric], wish.metric, wish.k, wish.value) for wish in wished]
    more = [f"--part {selection.part}"] if selection.part != "private" else []
    more += [f"--labels {selection.labels}"] if selection.labels != "dataset" else []
    more += ["--sure"] if wished[0].sure else []
    options = [*(one.option() for one in wanted), *more]
    return " \\\n    ".join([f"fercore check {shlex.quote(model.name)} --thresholds", *options])


def weakest(model: Group, part: str) -> list[dict[str, str]]:
    """A line each for the weakest class, slice and, of a group, seed; nothing is withheld here."""
    return [
        line
        for line in (_class(model, part), _slice(model, part), _seed(model, part))
        if line is not None
    ]


def _class(model: Group, part: str) -> dict[str, str] | None:
    table = loading.classes(model, part)
    known = table[table["support"] > 0].sort_values("recall", kind="stable")
    line = known.iloc[0]
    return {
        "weakest": "expression",
        "which": line["class"],
        "figure": f"recall {percent(line['recall'])}",
        "95 %": interval(bounds_of(line, "recall")),
        "images": count(line["support"]),
        "corrected p": UNKNOWN,
    }


def _slice(model: Group, part: str) -> dict[str, str] | None:
    table = model_slices(model, part).table
    if table.empty:
        return None
    table = table[(table["property"] != "class") & ~table["few"]]
    if table.empty:
        return None
    line = table.sort_values("accuracy", kind="stable").iloc[0]
    return {
        "weakest": "slice",
        "which": slice_title(line["property"], line["slice"]),
        "figure": f"accuracy {percent(line['accuracy'])}",
        "95 %": interval(bounds_of(line, "accuracy")),
        "images": count(line["n"]),
        "corrected p": in_p(line["p_holm"]),
    }


def _seed(model: Group, part: str) -> dict[str, str] | None:
    if model.single:
        return None
    answers = loading.predictions(model, part)
    right = answers.correct.mean(1)
    name = answers.names[int(right.argmin())]
    run = next(run for run in model.members if run.run_id == name)
    return {
        "weakest": "seed",
        "which": seed_title(run),
        "figure": f"accuracy {percent(right.min())}",
        "95 %": f"{percent(right.min())} to {percent(right.max())} in {len(right)} seeds",
        "images": count(len(answers)),
        "corrected p": UNKNOWN,
    }


def cost_row(key: str, model: Group) -> dict[str, str]:
    """What a model costs here, measured once in ten minutes. Raises what `measured_cost` does."""
    cost = _measured(model)
    memory = UNKNOWN if cost.memory is None else megabytes(cost.memory)
    parameters = model.run.info["parameters"]
    return {
        "model": f"{key} {model.run.run_id}",
        "one face": quantity(cost.milliseconds, "ms"),
        "95 %": quantity_interval(cost.interval, "ms"),
        "file": megabytes(cost.size),
        "memory": memory,
        "parameters": UNKNOWN if parameters is None else count(parameters),
    }


@st.cache_data(ttl=600, max_entries=20, show_spinner="Measuring …", hash_funcs=loading.KNOWN_BY)
@out_of_turn()
def _measured(model: Group) -> Cost:
    with _ONE_AT_A_TIME:
        return measured_cost(model)


def costs(models: dict[str, Group]) -> tuple[list[dict[str, str]], list[str]]:
    """A row for each model that could be measured, and a sentence for each other."""
    rows, problems = [], []
    for key, model in models.items():
        try:
            rows.append(cost_row(key, model))
        except RunError as error:
            problems.append(f"{key}: {plain(error)}")
    return rows, problems
