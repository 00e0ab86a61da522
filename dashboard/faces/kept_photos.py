"""One's own photos in Predict: they stay in this session, on whatever page, until taken away.

Streamlit forgets an upload as soon as its field is not drawn, so the field only hands photos in.
"""

from functools import partial
from typing import NamedTuple

import streamlit as st

from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from dashboard.faces.photo_view import Source
from fercore.faces.photos import NAMED, opened_photo
from fercore.predict.sample_photos import SAMPLE_PHOTOS, sample_photo

MOST, MOST_BYTES = 24, 200 * 10**6  # photos of one session; the oldest go first
UPLOAD_MEGABYTES = 50
_PHOTOS, _FIELD, _GONE = "photos-kept", "photos-field", "photos-gone"


class KeptPhoto(NamedTuple):
    """A file as it was handed in; `key` tells it from any other, one of the same name included."""

    key: str
    name: str
    content: bytes


def photo_field() -> None:
    """The field for files; each time anything was handed in it is a new, empty one."""
    key = f"photos-{st.session_state.get(_FIELD, 0)}"
    st.file_uploader(
        f"Photos: {NAMED}", accept_multiple_files=True, key=key, max_upload_size=UPLOAD_MEGABYTES,
        on_change=_take_files, args=(key,),
    )  # fmt: skip


def camera_field() -> None:
    """The camera's single shots."""
    st.camera_input("A picture of your face", key="shot", on_change=_take_shot)


def sample_field() -> str | None:
    """The name of the sample that is chosen."""
    return st.pills("Or try a sample", list(SAMPLE_PHOTOS), key="sample")


def photo_sources(sample: str | None) -> list[Source]:
    """The photos of this session, oldest first, and that sample; says which had to go."""
    sources = [
        Source(photo.key, photo.name, partial(opened_photo, photo.content, photo.name), forget)
        for photo in _kept_photos()
    ]
    if sample:
        name = f"{sample}: {SAMPLE_PHOTOS[sample]}"
        sources.append(Source(sample, name, partial(opened_photo, sample_photo(sample))))
    return sources


def _kept_photos() -> list[KeptPhoto]:
    if gone := st.session_state.pop(_GONE, []):
        st.warning(
            f"At most {MOST} photos and {MOST_BYTES // 10**6} MB are kept. The oldest made room: "
            f"{plain(', '.join(gone))}."
        )
    return st.session_state.get(_PHOTOS, [])


@errors_kept("Taking the photo away")
def forget(key: str) -> None:
    """Take a photo away."""
    kept = st.session_state.get(_PHOTOS, [])
    st.session_state[_PHOTOS] = [photo for photo in kept if photo.key != key]


@errors_kept("Taking the photos")
def _take_files(field: str) -> None:
    _keep(st.session_state[field])
    st.session_state[_FIELD] = st.session_state.get(_FIELD, 0) + 1


@errors_kept("Taking the picture")
def _take_shot() -> None:
    if shot := st.session_state["shot"]:
        _keep([shot])


def _keep(uploads: list) -> None:
    handed = [KeptPhoto(upload.file_id, upload.name, upload.getvalue()) for upload in uploads]
    kept, gone = [*st.session_state.get(_PHOTOS, []), *handed], []
    while len(kept) > MOST or (sum(len(one.content) for one in kept) > MOST_BYTES):
        gone.append(kept.pop(0).name)
    st.session_state[_PHOTOS], st.session_state[_GONE] = kept, gone
