"""A dataset dropped into the browser: it goes to the cache's folder on disk, and out of memory.

Streamlit holds an upload in memory as long as its field does, so the field only hands it in.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import streamlit as st

from dashboard.base.failures import errors_kept
from fercore import jobs
from fercore.data.cache import cache_folder
from fercore.data.settings import chosen_data
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
    folder = _folder()
    with writing_to(folder, "The file is not kept", DataError, variable="FERCORE_CACHE"):
        folder.mkdir(parents=True, exist_ok=True)
        path = Path(mkdtemp(dir=folder)) / name  # one of that name may be in use
        with replacing(path) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(upload, file)
    st.session_state[_PATH] = path


@contextmanager
def another_choice() -> Iterator[None]:
    """Over a choice of dataset: what was dropped and chosen before goes, if it is not any more."""
    before = _chosen()
    yield
    if before and before != _chosen():
        let_go(Path(before))


def _chosen() -> str | None:
    """None too where the settings are damaged: another choice mends them."""
    with suppress(DataError):
        return chosen_data()
    return None


def let_go(path: Path) -> None:
    """Delete what was dropped, if it was, unless an unfinished training has it as its dataset."""
    path = path.resolve()
    if path.parent.parent != _folder().resolve():
        return
    if str(path) not in {job.request.data for job in jobs.list_jobs()}:
        remove_folder(path.parent)


def _folder() -> Path:
    return cache_folder() / "dropped"


def _suffix(name: str) -> str:
    """As the field's types are: it has let nothing else pass."""
    return Path(name).suffix if safe_name(f"x{Path(name).suffix}") else ""
