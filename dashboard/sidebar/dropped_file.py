"""A dataset dropped into the browser: it goes to the cache's folder on disk, and out of memory.

Streamlit holds an upload in memory as long as its field does, so the field only hands it in.
"""

import shutil
from pathlib import Path
from tempfile import mkdtemp

import streamlit as st

from dashboard.base.failures import errors_kept
from fercore.data.cache import cache_folder
from fercore.errors import DataError
from fercore.files import remove_folder, replacing, safe_name, writing_to

UPLOAD_MEGABYTES = 300  # fer2013.csv is 287 of them, its zip a third
_FIELD, _PATH = "data-drop-field", "data-dropped"


def drop_field() -> None:
    """The field; each time anything was handed in it is a new, empty one."""
    key = f"data-drop-{st.session_state.get(_FIELD, 0)}"
    st.file_uploader(
        "Or drop the file here", type=["csv", "zip", "gz", "tgz"], key=key,
        max_upload_size=UPLOAD_MEGABYTES, on_change=_take, args=(key,),
    )  # fmt: skip


def dropped() -> Path | None:
    """The file that has just been handed in, once."""
    path: Path | None = st.session_state.pop(_PATH, None)
    return path


@errors_kept("Taking the file")
def _take(field: str) -> None:
    upload = st.session_state[field]
    st.session_state[_FIELD] = st.session_state.get(_FIELD, 0) + 1
    if upload is None:
        return
    name = upload.name if safe_name(upload.name) else f"dropped{_suffix(upload.name)}"
    folder = cache_folder() / "dropped"
    with writing_to(folder, "The file is not kept", DataError, variable="FERCORE_CACHE"):
        folder.mkdir(parents=True, exist_ok=True)
        path = Path(mkdtemp(dir=folder)) / name  # one of that name may be in use
        with replacing(path) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(upload, file)
    st.session_state[_PATH] = path


def discard(path: Path) -> None:
    """What was handed in and is no dataset goes, and nothing else."""
    remove_folder(path.parent)


def _suffix(name: str) -> str:
    """As the field's types are: it has let nothing else pass."""
    return Path(name).suffix if safe_name(f"x{Path(name).suffix}") else ""
