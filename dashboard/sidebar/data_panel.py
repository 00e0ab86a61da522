"""The sidebar's word on the dataset: what is there, and how to get it."""

import os
from pathlib import Path

import streamlit as st

from dashboard.base.access import may_write, write_or_say_why
from dashboard.base.failures import errors_kept
from dashboard.base.folders import allowed_path
from dashboard.base.image_loading import found_source
from dashboard.base.loading import KNOWN_BY
from dashboard.base.plain import plain
from dashboard.base.turns import out_of_turn
from dashboard.faces.get_faces import get_fer2013
from dashboard.sidebar.dropped_file import another_choice, drop_field, dropped, let_go
from fercore import data
from fercore.data import FaceSet
from fercore.data.cache import latest_fer2013
from fercore.data.class_names import COLLECTIONS, class_names
from fercore.data.download import other_than
from fercore.data.settings import choose_data, chosen_data, forget_data
from fercore.errors import FerError
from fercore.jobs import getting
from fercore.paths import given_path
from fercore.wording import count

_CHOSEN = "data-chosen"  # what to know of a new choice, until the panel has said it once


def data_panel() -> None:
    """One line of status, the button for FER2013, and fields for a dataset of one's own."""
    summary, present = _status()
    icon = ":material/check_circle:" if present else ":material/info:"
    news = st.session_state.pop(_CHOSEN, None)
    with st.expander(f"Data: {plain(summary)}", icon=icon, expanded=news is not None):
        if not present:
            st.caption("Everything works without the images but the pages that show them.")
        if latest_fer2013() is None or getting.current().alive:
            get_fer2013("data")
        try:
            source, chosen = data.find_source(), chosen_data()
        except FerError as error:
            source, chosen = None, "damaged settings"
            st.error(plain(error))
        if may_write().allowed:  # they name files
            for note in dataset_notes(source):
                st.caption(plain(note))
        if news:
            st.warning(plain(news))
        if os.environ.get("FERCORE_DATA"):
            st.caption("`FERCORE_DATA` names the dataset. Unset it to choose another here.")
        elif write_or_say_why("data"):
            _choice(bool(chosen))


def _choice(chosen: bool) -> None:
    """The fields for a path, a file and class names, and the way back."""
    path = st.text_input(
        "Path of FER2013, or of your own `<split>/<class>/` folder",
        placeholder="~/fer2013.csv",
        key="data_path",
        help="Or the word `synthetic`, for drawn faces.",
    )
    names = st.text_input(
        "Class names",
        placeholder="1=happy, contempt=",
        key="data_names",
        help="Only where they are not the expressions' own: `1=happy` says what a name stands "
        f"for, `contempt=` leaves a class out. Known by name: {', '.join(COLLECTIONS)}.",
    )
    if st.button("Use this dataset", disabled=not path.strip(), width="stretch"):
        _use(path.strip(), names)
    drop_field()
    if file := dropped():
        _use(file, names)
    if chosen:
        st.button("Forget this choice", on_click=_forget, width="stretch", help=_FORGET)


_FORGET = (
    "FER2013 is then looked for as if nothing had been chosen. No file of yours is deleted; a copy "
    "that was dropped here is."
)


@errors_kept("Forgetting the choice")
def _forget() -> None:
    with another_choice():
        forget_data()
    st.cache_data.clear()
    st.cache_resource.clear()


def _use(given: str | Path, names: str) -> None:
    """Read what lies at a path that was typed, or in a file that was dropped, and choose it."""
    bar, stop = st.progress(0.0, "Reading …"), st.empty()
    stop.button("Stop", key="data-stop", width="stretch")  # any click ends what this run does

    def tell(read: int) -> None:
        words = f"{count(read)} images read" if read else "Looking for files …"
        bar.progress(min(read / 36_000, 1.0), words)

    try:
        source: Path | str = given
        if isinstance(given, str) and given != data.SYNTHETIC:
            source = allowed_path(given_path(given), searched=lambda files: tell(0))
        meant = class_names(names)
        with out_of_turn():
            faces = data.load(source, names=meant, progress=tell)
        with another_choice():
            choose_data(source, str(meant))
    except FerError as error:
        bar.empty()
        stop.empty()
        st.error(plain(error))
        if isinstance(given, Path):
            let_go(given)
        return
    st.cache_data.clear()
    st.cache_resource.clear()
    st.session_state[_CHOSEN] = _unexpected(faces) if isinstance(given, Path) else ""
    bar.progress(1.0, f"{plain(faces.name)}: {count(len(faces))} images")
    st.rerun()


def _unexpected(faces: FaceSet) -> str:
    """What to know of a dropped file that is not the FER2013 that is asked for."""
    other = other_than(faces)
    return other and f"{faces.name} is not FER2013. {other} It is used as a set of its own."


def _status() -> tuple[str, bool]:
    source = found_source()
    if source is None:
        return ("FER2013", True) if latest_fer2013() else ("no FER2013 yet", False)
    if isinstance(source, Path) and not os.path.exists(source):
        return f"{source.name} is gone", False
    return dataset_title(source), True


@st.cache_data(ttl=60, max_entries=100, show_spinner=False, hash_funcs=KNOWN_BY)
def dataset_title(source: Path | str | None) -> str:
    """A dataset's name, with its size once it has been read."""
    if not isinstance(source, Path):
        return "synthetic faces" if source == data.SYNTHETIC else "FER2013"
    faces = data.read_before(source)
    if not faces:
        return source.name
    chosen_by = "" if (faces.usage == "PublicTest").any() else ", none for validation"
    return f"{faces.name}, {count(len(faces))} images{chosen_by}"


@st.cache_data(ttl=60, max_entries=100, show_spinner=False, hash_funcs=KNOWN_BY)
def dataset_notes(source: Path | str | None) -> tuple[str, ...]:
    """What to know of a dataset that has been read: what it lacks, what was left out."""
    if not isinstance(source, Path) or not os.path.exists(source):
        return ()
    faces = data.read_before(source)
    return faces.notes if faces else ()
