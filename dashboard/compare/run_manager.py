"""All runs in one table, and what may be done with those made on this machine."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.base import loading, outcomes
from dashboard.base.badges import marks
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.keys import MODEL_A, MODEL_B
from dashboard.base.plain import plain
from dashboard.base.turns import out_of_turn
from fercore.errors import RunError
from fercore.files import safe_name
from fercore.groups.accuracies import group_accuracies
from fercore.groups.group import Group, group_of
from fercore.runs.artifacts import NOTE_LENGTH, Run
from fercore.runs.changes import annotate_run, delete_run, delete_unreadable, rename_run
from fercore.runs.folders import complete, local_folder
from fercore.runs.listing import find_run
from fercore.runs.words import cut_short, model_title, seed_title
from fercore.wording import UNKNOWN, bounds_of, count, interval, minute, percent

_BIN = ":material/delete:"
_CHOSEN, _NAME, _NOTE, _OUTCOME = "managed-run", "run-name", "run-note", "run-outcome"


def run_table(runs: list[Run]) -> pd.DataFrame:
    """A line per run, as a person reads it; a dash where its metrics cannot be read."""
    return pd.DataFrame([_line(run) for run in runs])


def _line(run: Run) -> dict[str, str | list[str]]:
    info, hardware = run.info, run.info["hardware"]
    recipe = group_of(run).recipe_name or UNKNOWN
    if short := cut_short(run):
        recipe += f", cut short at {short}"
    start = run.start_from
    return {
        "run": run.run_id,
        "PrivateTest": _accuracy(run, "private"),
        "marks": marks(run),
        "recipe": f"{recipe}, from {start}" if start else recipe,
        "model": model_title(run),
        "seed": seed_title(run).removeprefix("seed ").removeprefix("ensemble of ") or UNKNOWN,
        "PublicTest": _accuracy(run, "public"),
        "dataset": run.dataset,
        "note": run.note,
        "size": f"{run.bytes_on_disk / 1e6:.1f} MB",
        "created, UTC": minute(info["created"]),
        "on": f"{hardware['processor']}, {hardware['precision']}" if hardware else UNKNOWN,
    }


def name_column(names: "pd.Series[str]") -> Any:
    """A column of names, none of them cut: Streamlit measures the first lines alone."""
    return st.column_config.TextColumn(width=28 + 8 * int(names.str.len().max()))


def group_table(groups: list[Group]) -> pd.DataFrame:
    """A line per group, as a person reads it; accuracies are means over seeds."""
    scored = _accuracies(groups)
    return pd.DataFrame(
        {
            "group": group.name,
            "model": model_title(group.members[0]),
            "PrivateTest": scored[group.name, "private"],
            "PublicTest": scored[group.name, "public"],
            "seeds": ", ".join(map(str, group.seeds)),
            "dataset": group.dataset,
            "recipe": group.recipe_name,
        }
        for group in groups
    )


@st.cache_data(max_entries=4, show_spinner="Reading the groups …", hash_funcs=loading.KNOWN_BY)
@out_of_turn()
def _accuracies(groups: list[Group]) -> dict[tuple[str, str], str]:
    """Each group's accuracy by part, in words."""
    told = {}
    for line in group_accuracies(groups).to_dict("records"):
        known = percent(line["accuracy"])
        bounds = interval(bounds_of(line, "accuracy"))
        told[line["group"], line["part"]] = known if known == UNKNOWN else f"{known} {bounds}"
    return told


def _accuracy(run: Run, part: str) -> str:
    try:
        scores = loading.metrics(run).get(part)
    except RunError:
        return UNKNOWN
    if scores is None:
        return UNKNOWN
    return f"{percent(scores['accuracy'])} {interval(scores['accuracy_interval'])}"


def show_outcome() -> None:
    """What the last renaming, note or deletion has come to."""
    outcomes.tell(_OUTCOME)


def damaged_runs(problems: list[str], *, deletable: bool) -> None:
    """The runs that cannot be read, a sentence each, and a way to be rid of them."""
    for problem in problems:
        run_id = problem.partition(":")[0]
        st.warning(plain(problem))
        if not (deletable and safe_name(run_id) and complete(local_folder(run_id))):
            continue
        if st.button(f"Delete {plain(run_id)} …", icon=_BIN):
            _confirm(run_id, "It cannot be read. All of its files go.")


def run_manager(runs: list[Run]) -> None:
    """Rename, annotate or delete one of `runs`, which were all made on this machine."""
    titles = {run.run_id: f"{run.run_id}: {group_of(run).title}" for run in runs}
    chosen = st.selectbox(
        "Run", list(titles), format_func=lambda run_id: titles.get(run_id, run_id), key=_CHOSEN
    )
    run = find_run(chosen)
    left, right = st.columns(2)
    with left.form("annotate-run"):
        st.text_area(
            "Note", run.note, max_chars=NOTE_LENGTH, height=100, key=f"{_NOTE}-{chosen}",
            placeholder="What was this one for?",
        )  # fmt: skip
        st.form_submit_button("Save the note", on_click=_annotate, args=(chosen,))
    with right.form("rename-run"):
        st.text_input("Name", chosen, max_chars=80, key=f"{_NAME}-{chosen}")
        st.form_submit_button("Rename", on_click=_rename, args=(chosen,))
    if right.button("Delete …", icon=_BIN):
        confirm_deleting(run)


def confirm_deleting(run: Run) -> None:
    """A dialog that asks, and deletes a run that was made on this machine."""
    megabytes = f"{run.bytes_on_disk / 1e6:.1f} MB"
    what = f"{plain(group_of(run).title)}  \nIts weights, predictions and history go, {megabytes}."
    _confirm(run.run_id, what)


@st.dialog("Delete this run?")
@errors_told("The question")
def _confirm(run_id: str, what: str) -> None:
    st.markdown(f"**{plain(run_id)}**  \n{what} This cannot be undone.")
    with st.container(horizontal=True):
        deleted = st.button("Delete it", type="primary", on_click=_delete, args=(run_id,))
        if st.button("Keep it") or deleted:
            st.rerun()


@errors_kept("Saving the note")
def _annotate(run_id: str) -> None:
    def act() -> str:
        annotate_run(find_run(run_id), st.session_state[f"{_NOTE}-{run_id}"])
        return f"The note of {run_id} is saved."

    outcomes.keep_of(_OUTCOME, act)


@errors_kept("Renaming the run")
def _rename(run_id: str) -> None:
    def act() -> str:
        run = rename_run(find_run(run_id), st.session_state[f"{_NAME}-{run_id}"].strip())
        st.session_state[_CHOSEN] = run.run_id
        for key in (MODEL_A, MODEL_B):
            if st.session_state.get(key) == run_id:
                st.session_state[key] = run.run_id
        return f"{run_id} is now called {run.run_id}."

    outcomes.keep_of(_OUTCOME, act)


@errors_kept("Deleting the run")
def _delete(run_id: str) -> None:
    def act() -> str:
        readable = {run.run_id: run for run in loading.runs()}
        if run_id in readable:
            delete_run(readable[run_id])
        else:
            delete_unreadable(run_id)
        for key in (_CHOSEN, MODEL_A, MODEL_B):
            if st.session_state.get(key) == run_id:
                del st.session_state[key]
        return f"{run_id} is deleted."

    outcomes.keep_of(_OUTCOME, act)


def total_size(runs: list[Run]) -> str:
    """'4 runs, 12.3 MB'."""
    megabytes = sum(run.bytes_on_disk for run in runs) / 1e6
    return f"{count(len(runs))} run{'' if len(runs) == 1 else 's'}, {megabytes:.1f} MB"
