"""FER2013 in one click, wherever its images are missing: the button, how far it is, what to do by
hand. The work is another process's, so that a reload loses nothing.
"""

from datetime import timedelta

import streamlit as st

from dashboard.base.access import may_write
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.image_loading import Images
from dashboard.base.plain import plain
from fercore.data.download import BY_HAND, SIZE_IN_WORDS, TERMS
from fercore.jobs import getting
from fercore.jobs.getting import Download
from fercore.runs.artifacts import Run
from fercore.wording import megabytes

_REFRESH = timedelta(seconds=1)
_WATCHED = "fer2013-watched"  # whether it was under way when the whole page was last drawn
_ASK = (
    "Whoever runs this app can get them, with the button *Get FER2013* here or with "
    "`fercore data download` in a terminal."
)


def images_missing(run: Run, images: Images, more: str = "") -> None:
    """The empty state of whatever shows faces: why there are none, and the button that helps."""
    st.info(f"{images.missing} {more}".strip())
    offer_faces(run)


def offer_faces(run: Run, *, place: str = "page") -> None:
    """The button, where it would bring the images that a run was scored on."""
    if run.dataset == "FER2013":
        get_fer2013(place)


def get_fer2013(place: str) -> None:
    """The button, or how far the download is. `place` tells it from others on the screen."""
    busy = getting.current().alive
    st.session_state[_WATCHED] = busy
    st.fragment(_watch, run_every=_REFRESH if busy else None)(place, may_write().allowed)


@errors_told("The download of FER2013")
def _watch(place: str, writes: bool) -> None:
    """Redraws itself every second while it runs; the page follows with its faces at the end."""
    now = getting.current()
    if now.alive != st.session_state[_WATCHED]:
        st.rerun()
    if now.alive:
        _under_way(now, place, writes)
    elif writes:
        _offer(now, place)
    else:
        st.caption(_ASK)


def _under_way(now: Download, place: str, writes: bool) -> None:
    words = f"{now.message[:1].upper()}{now.message[1:]}"
    st.progress(now.share or 0.0, f"FER2013: {plain(words)}")
    if writes:
        st.button("Cancel", key=f"cancel-fer2013-{place}", on_click=_cancel)


def _offer(now: Download, place: str) -> None:
    if now.state in ("failed", "lost"):
        st.error(plain(now.message))
        st.markdown("\n".join(["By hand:", *(f"1. {step}" for step in BY_HAND)]))
    if now.kept:
        state = "Cancelled" if now.state == "cancelled" else "Broken off"
        st.caption(f"{state} after {megabytes(now.kept)}: it goes on from there.")
    with st.container(horizontal=True):
        st.button(
            "Get FER2013", key=f"get-fer2013-{place}", icon=":material/download:", type="primary",
            on_click=_start,
        )  # fmt: skip
        if now.kept:
            st.button("Delete what has come", key=f"forget-fer2013-{place}", on_click=_forget)
    st.caption(f"From Kaggle or Hugging Face, {SIZE_IN_WORDS}. {TERMS}")


@errors_kept("Beginning the download")
def _start() -> None:
    getting.start()


@errors_kept("Cancelling the download")
def _cancel() -> None:
    getting.cancel()


@errors_kept("Deleting what has come")
def _forget() -> None:
    getting.forget()
