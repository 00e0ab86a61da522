"""The sets of faces that were kept: counts, fine-tuning on them, what it changed, deletion."""

from collections.abc import Hashable, Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard.base import outcomes
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.plain import plain
from fercore import data, jobs
from fercore.data.stored_faces import delete_faces
from fercore.errors import FerError
from fercore.groups.group import group_of
from fercore.jobs.request import Request
from fercore.jobs.transfer import before_and_after
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.training.recipes import find_recipe
from fercore.wording import bounds_of, count, p_value, percent, points, points_interval

RECIPE = "finetune"
_SET, _SAID = "own-faces-set", "own-faces-said"


def select_set(name: str, sentence: str) -> None:
    """Show that set from now on, and once the sentence."""
    st.session_state[_SET] = name
    outcomes.keep(_SAID, sentence)


def stored_view(folders: list[Path], runs: list[Run]) -> None:
    """The sets that were kept: counts, fine-tuning, what it changed, deletion."""
    outcomes.tell(_SAID)
    if not folders:
        st.info("No faces are kept yet. Choose photos above.")
        return
    by_name = {folder.name: folder for folder in folders}
    if st.session_state.get(_SET) not in by_name:
        st.session_state.pop(_SET, None)
    name = st.selectbox("Faces", list(by_name), key=_SET)
    try:
        faces = data.load(by_name[name])
    except FerError as error:
        st.error(plain(error))
    else:
        counts = pd.DataFrame(faces.counts(), CLASSES)
        st.table(counts[counts.sum(axis=1) > 0].rename_axis("faces"))
        st.caption(f"They lie in {plain(by_name[name])}.")
        _finetune_form(by_name[name], runs)
        _changes([run for run in runs if run.dataset == name])
    if st.button("Delete these faces …", icon=":material/delete:"):
        _confirm(name)


def _finetune_form(folder: Path, runs: list[Run]) -> None:
    runs = [run for run in runs if run.trained]
    if not runs:
        st.info("There is no run to start from yet. Train one in the sidebar.")
        return
    titles = {run.run_id: f"{run.run_id}: {group_of(run).title}" for run in runs}
    recipe = find_recipe(RECIPE)
    with st.form("finetune"):
        left, right = st.columns([3, 1])
        start = left.selectbox(
            "Start from the weights of",
            list(titles),
            format_func=lambda run_id: titles.get(run_id, run_id),
            key="finetune-start",
        )
        seed = right.number_input("Seed", 0, 9999, key="finetune-seed")
        asked = st.form_submit_button("Fine-tune", type="primary")
        st.caption(
            f"Recipe {recipe.name}: {recipe.summary}, {recipe.epochs} epochs. The epoch is chosen "
            "on PublicTest, and PrivateTest is scored once, at the end."
        )
    if not asked:
        return
    model = next(run.info["model"] for run in runs if run.run_id == start)
    request = Request(
        "", model, recipe, seed, str(folder), start_from=start, threads=jobs.spare_threads(),
        low_priority=True,
    )  # fmt: skip
    try:
        name = jobs.start(request)
    except FerError as error:
        st.error(plain(error))
        return
    outcomes.keep(_SAID, f"{name} is on its way: the sidebar shows it under Retrain.")
    st.rerun()


def _changes(runs: list[Run]) -> None:
    """Before and after, for the runs that were fine-tuned on these faces."""
    for run in runs:
        with errors_told(f"What {run.run_id} changed"):
            _changed(run, before_and_after(run))


def _changed(run: Run, table: pd.DataFrame) -> None:
    if table.empty:
        return
    st.markdown(f"**What fine-tuning {plain(run.start_from)} to {plain(run.run_id)} changed**")
    lines = [
        {
            "images": f"{plain(line['dataset'])} {line['part']}",
            "n": _n_of(line["n"], line["of"]),
            "before": percent(line["before"]),
            "after": percent(line["after"]),
            "change": _change(line),
        }
        for line in table.to_dict("records")
    ]
    st.table(pd.DataFrame(lines).set_index("images"))
    st.caption(
        "Paired on the same images, with the 95 % interval and exact McNemar. PublicTest chose "
        "the epoch, so judge by PrivateTest."
    )


def _n_of(n: int, of: int) -> str:
    return count(n) if n == of else f"{count(n)} of {count(of)}"


def _change(line: Mapping[Hashable, float]) -> str:
    bounds = points_interval(bounds_of(line, "difference"))
    return f"{points(line['difference'])} {bounds}, {p_value(line['p_value'])}"


@st.dialog("Delete these faces?")
@errors_told("The question")
def _confirm(name: str) -> None:
    st.markdown(
        f"**{plain(name)}** cannot be brought back. Runs that were trained on "
        "them stay, without their pictures."
    )
    with st.container(horizontal=True):
        deleted = st.button("Delete them", type="primary", on_click=_delete, args=(name,))
        if st.button("Keep them") or deleted:
            st.rerun()


@errors_kept("Deleting the faces")
def _delete(name: str) -> None:
    st.cache_resource.clear()  # its files are held open there

    def act() -> str:
        delete_faces(name)
        return f"{name} is deleted."

    outcomes.keep_of(_SAID, act)
