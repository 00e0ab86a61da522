"""The sidebar's training: start one, watch it, stop it, go on. The work is a process of its own."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import streamlit as st

from dashboard.data_panel import dataset_title
from dashboard.selection import MODEL_B
from fercore import data, jobs
from fercore.artifacts import list_runs
from fercore.data.cache import latest_fer2013
from fercore.durations import duration
from fercore.errors import FerError, RunError
from fercore.jobs import Job
from fercore.models import MODELS
from fercore.recipes import RECIPES, find_recipe
from fercore.request import Request, new_run_id

REFRESH = timedelta(seconds=1)
WATCHED = "watched_jobs"  # run ids under way when the panel was last drawn
FINISHED = "finished_run"


def training_panel() -> None:
    """A form for a new training, and every training that is under way or was broken off."""
    _finished()
    under_way = jobs.list_jobs()
    with st.expander("Retrain", icon=":material/model_training:", expanded=bool(under_way)):
        busy = any(job.alive for job in under_way)
        _form(busy)
        st.fragment(_progress, run_every=REFRESH if busy else None)()


def _form(busy: bool) -> None:
    with st.form("train", border=False):
        model = st.selectbox("Model", MODELS, format_func=lambda name: MODELS[name].title)
        recipe = st.selectbox(
            "Recipe",
            RECIPES,
            index=list(RECIPES).index("quick"),
            help="  \n".join(f"**{name}**: {recipe.summary}" for name, recipe in RECIPES.items()),
        )
        source = st.selectbox("Data", _sources(), format_func=dataset_title)
        seed = st.number_input("Seed", 0, 9999, help="Same seed, same machine, same result.")
        started = st.form_submit_button(
            "Start training",
            type="primary",
            width="stretch",
            disabled=busy,
            help="One training runs at a time on a machine." if busy else None,
        )
    if started:
        chosen = find_recipe(recipe)
        try:
            path = str(source) if source else None
            jobs.start(Request(new_run_id(model, chosen, seed), model, chosen, seed, path))
        except FerError as error:
            st.error(str(error))
            return
        st.rerun()


def _sources() -> list[Path | str | None]:
    """What can be trained on: the dataset that is found, if any, and the drawn faces."""
    source = data.find_source()
    there = source.exists() if isinstance(source, Path) else bool(source or latest_fer2013())
    return [source, data.SYNTHETIC] if there and source != data.SYNTHETIC else [data.SYNTHETIC]


def _progress() -> None:
    """Redraws itself every second while a training runs; the rest of the page stays as it is."""
    under_way = jobs.list_jobs()
    alive = {job.run_id for job in under_way if job.alive}
    ended = st.session_state.get(WATCHED, set()) - alive
    st.session_state[WATCHED] = alive
    if ended:
        complete = {run.run_id for run in list_runs()} & ended
        st.session_state[FINISHED] = next(iter(complete), None)
        st.rerun()
    for job in under_way:
        with st.container(border=True):
            _job(job)


def _job(job: Job) -> None:
    st.markdown(f"**{MODELS[job.request.model].title}** · {job.request.recipe.name}")
    if job.alive:
        _bar(job)
        st.button(
            "Cancel",
            key=f"cancel-{job.run_id}",
            width="stretch",
            on_click=_cancel,
            args=(job.run_id,),
        )
        return
    st.caption(f"{job.state.capitalize()}: {job.message}")
    left, right = st.columns(2)
    if left.button("Resume", key=f"resume-{job.run_id}", width="stretch"):
        _do(jobs.resume, job.run_id)
    if right.button("Discard", key=f"discard-{job.run_id}", width="stretch"):
        _do(jobs.discard, job.run_id)


def _bar(job: Job) -> None:
    at = job.progress
    if not at:
        st.progress(0.0, f"{job.message} …")
        return
    done = (at["epoch"] - 1 + at["step"] / at["steps"]) / at["epochs"]
    st.progress(
        min(done, 1.0),
        f"epoch {at['epoch']} of {at['epochs']} · at most {duration(at['seconds_left'])} left",
    )
    st.caption(
        f"loss {at['loss']:.3f} · accuracy {100 * at['accuracy']:.1f} % · "
        f"{at['images_per_second']:.0f} images/s"
    )


def _cancel(run_id: str) -> None:
    with suppress(RunError):  # it has ended meanwhile
        jobs.cancel(run_id)
        st.toast("The training stops at its next step.")


def _do(action, run_id: str) -> None:
    try:
        action(run_id)
    except FerError as error:
        st.error(str(error))
        return
    st.rerun()


def _finished() -> None:
    """What to do with a run that has just been completed."""
    run_id = st.session_state.get(FINISHED)
    if not run_id:
        return
    st.success(f"Finished: {run_id}", icon=":material/check:")

    def compare() -> None:
        st.session_state[MODEL_B] = run_id
        st.session_state[FINISHED] = None

    st.button("Look at it as model B", on_click=compare, width="stretch")
