"""The sidebar's word on the dataset: what is there, and how to get it."""

import os
from pathlib import Path

import streamlit as st

from dashboard.base.access import write_or_say_why
from dashboard.base.loading import found_source
from dashboard.base.theme import count
from fercore import data
from fercore.data.cache import latest_fer2013, read_entry, source_key
from fercore.data.settings import choose_data
from fercore.errors import FerError


def data_panel() -> None:
    """One line of status, and a field for the dataset's path."""
    summary, present = _status()
    icon = ":material/check_circle:" if present else ":material/info:"
    with st.expander(f"Data: {summary}", icon=icon):
        if not present:
            st.caption(
                "Everything works without the images but the pages that show them. To get them: "
                "`fercore data download`, or give a path here."
            )
        try:
            data.find_source()
        except FerError as error:
            st.error(str(error))
        if os.environ.get("FERCORE_DATA"):
            st.caption("`FERCORE_DATA` names the dataset. Unset it to choose another here.")
            return
        if not write_or_say_why("data"):
            return
        path = st.text_input(
            "Path of FER2013, or of your own `<split>/<class>/` folder",
            placeholder="~/fer2013.csv",
            key="data_path",
        )
        if st.button("Use this dataset", disabled=not path.strip(), width="stretch"):
            _use(Path(os.path.expanduser(path.strip())))


def _use(source: Path) -> None:
    bar = st.progress(0.0, "Reading …")
    try:
        faces = data.load(
            source, progress=lambda n: bar.progress(min(n / 36_000, 1.0), f"{count(n)} images read")
        )
        choose_data(source)
    except FerError as error:
        bar.empty()
        st.error(str(error))
        return
    st.cache_data.clear()
    st.cache_resource.clear()
    bar.progress(1.0, f"{faces.name}: {count(len(faces))} images")
    st.rerun()


def _status() -> tuple[str, bool]:
    source = found_source()
    if source is None:
        return ("FER2013", True) if latest_fer2013() else ("no FER2013 yet", False)
    if isinstance(source, Path) and not os.path.exists(source):
        return f"{source.name} is gone", False
    return dataset_title(source), True


@st.cache_data(ttl=60, show_spinner=False)
def dataset_title(source: Path | str | None) -> str:
    """A dataset's name, with its size once it has been read."""
    if not isinstance(source, Path):
        return "synthetic faces" if source == data.SYNTHETIC else "FER2013"
    faces = read_entry(source_key(source))
    return f"{faces.name}, {count(len(faces))} images" if faces else source.name
