"""The sidebar's trainings: start one, watch it, stop it, go on. The work is another process's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import streamlit as st

from dashboard.base.access import may_write, write_or_say_why
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.keys import RETRAIN
from dashboard.base.plain import plain
from dashboard.sidebar.training_form import training_form
from fercore import jobs
from fercore.errors import FerError
from fercore.files import safe_name
from fercore.jobs.processes import Job
from fercore.models import MODELS
from fercore.wording import count, duration, number, percent

Action = Callable[[str], object]  # on a training, by its run's name

REFRESH = timedelta(seconds=1)
_PRESENT = "trainings-present"  # whether there were any when the whole page was last drawn
_WATCHED = "watched-jobs"  # run ids under way when the whole page was last drawn
_NEWS = "training-news"  # sentences to be shown once
_ASKED = "discard-asked"  # the training that is discarded once that is confirmed


def training_panel() -> None:
    """A form for a new training, and every training that is under way or was broken off."""
    under_way = jobs.list_jobs()
    st.session_state[_WATCHED] = busy = _alive_ids(under_way)
    # The panel opens for the first training. An `expanded` that changes would make it another
    # panel, which closes under who fills the form once the last one ends.
    if under_way and not st.session_state.get(_PRESENT):
        st.session_state[RETRAIN] = True
    st.session_state[_PRESENT] = bool(under_way)
    with st.expander(
        "Retrain", icon=":material/model_training:", key=RETRAIN, on_change="rerun"
    ) as panel:
        st.fragment(_progress, run_every=REFRESH if busy else None)(may_write().allowed)
        # A form takes as long as a light page: it is drawn for who opens it.
        if panel.open and write_or_say_why("train"):
            training_form(bool(busy))


@errors_told("The training under way")
def _progress(writes: bool) -> None:
    """Redraws itself every second while a training runs; the rest of the page stays as it is."""
    under_way = jobs.list_jobs()
    if _alive_ids(under_way) != st.session_state[_WATCHED]:
        st.rerun()
    for news in st.session_state.pop(_NEWS, []):
        st.toast(plain(news), duration="long")
    for name, problem in jobs.unreadable_jobs().items():
        with st.container(border=True):
            st.warning(plain(problem))
            if writes and safe_name(name):
                _offer(name, {"Discard …": _ask})
    for job in under_way:
        with st.container(border=True):
            st.markdown(f"**{MODELS[job.request.model].title}** · {plain(job.request.recipe.name)}")
            if job.alive:
                _alive(job, writes)
            else:
                _broken_off(job, writes)


def _alive_ids(under_way: list[Job]) -> set[str]:
    return {job.run_id for job in under_way if job.alive}


def _alive(job: Job, writes: bool) -> None:
    at = job.progress
    if job.state == "queued" or not at:
        st.progress(0.0, f"{plain(job.message[:1].upper() + job.message[1:])} …")
    else:
        done = (at["epoch"] - 1 + at["step"] / at["steps"]) / at["epochs"]
        st.progress(
            min(done, 1.0),
            f"epoch {at['epoch']} of {at['epochs']} · {duration(at['seconds_left'])} left",
        )
        st.caption(
            f"loss {at['loss']:.3f} · accuracy {percent(at['accuracy'])} · "
            f"{count(round(at['images_per_second']))} images/s"
        )
        _so_far(job)
    if writes:
        _button("Cancel", jobs.cancel, job.run_id)


def _so_far(job: Job) -> None:
    """The loss on Training and the accuracy on PublicTest, epoch by epoch; nothing before the first
    one ends, and no accuracy where there are no images to choose the epoch by.
    """
    epochs = job.history
    told = {
        "Loss": [line["train_loss"] for line in epochs],
        "PublicTest, %": [100 * line["val_accuracy"] for line in epochs if line["val_accuracy"]],
    }
    drawn = {label: values for label, values in told.items() if values}
    for place, (label, values) in zip(st.columns(2), drawn.items()):
        last = number(values[-1], 2 if label == "Loss" else 1)
        place.metric(label, last, chart_data=values if len(values) > 1 else None)


def _broken_off(job: Job, writes: bool) -> None:
    epochs = f"{job.epochs_done} of {job.request.recipe.epochs} epochs are done."
    st.caption(f"{job.state.capitalize()}: {plain(job.message)} {epochs}")
    if not writes:
        return
    actions: dict[str, Action] = {"Resume": jobs.resume, "Discard …": _ask}
    if job.epochs_done:
        actions["Keep best so far"] = jobs.keep_best
    _offer(job.run_id, actions)


def _offer(run_id: str, actions: dict[str, Action]) -> None:
    """Buttons for what may be done with a training; discarding asks first."""
    if st.session_state.get(_ASKED) == run_id:
        _confirm_discarding(run_id)
        return
    with st.container(horizontal=True):
        for label, action in actions.items():
            _button(label, action, run_id)


def _confirm_discarding(run_id: str) -> None:
    st.warning(f"Discard {plain(run_id)} with its checkpoint? That cannot be undone.")
    with st.container(horizontal=True):
        _button("Discard it", _discard, run_id, kind="primary")
        _button("Keep it", _keep, run_id)


def _ask(run_id: str) -> None:
    st.session_state[_ASKED] = run_id


def _keep(_run_id: str) -> None:
    st.session_state.pop(_ASKED, None)


def _discard(run_id: str) -> None:
    _keep(run_id)
    jobs.discard(run_id)


_HELP = {
    "Resume": "Goes on from the last checkpoint, to the same result as without the break.",
    "Discard …": "Deletes this training and its checkpoint.",
    "Keep best so far": "Makes a run of the best epoch so far, or of the last one where PublicTest "
    "has not been asked yet.",
}


def _button(
    label: str, action: Action, run_id: str, *, kind: Literal["primary", "secondary"] = "secondary"
) -> None:
    # A callback: the fragment may begin by running the whole page again, which loses other clicks.
    key = f"{label.split(' …')[0].lower().replace(' ', '-')}-{run_id}"
    about = _HELP.get(label)
    st.button(label, key=key, help=about, type=kind, on_click=_do, args=(action, run_id))


@errors_kept("What was asked of the training")
def _do(action: Action, run_id: str) -> None:
    try:
        action(run_id)
    except FerError as error:
        _tell(str(error))
    else:
        if action is jobs.cancel:
            _tell("The training stops at its next step.")


def _tell(sentence: str) -> None:
    st.session_state.setdefault(_NEWS, []).append(sentence)
