"""One's own photos on the screen: the form, and what was found in them, until they are kept."""

import re
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.base.failures import errors_kept
from dashboard.base.folders import allowed_path
from dashboard.base.plain import plain
from dashboard.base.tiles import tile
from dashboard.base.turns import out_of_turn
from dashboard.base.widgets import paged
from dashboard.own.faces_view import select_set
from fercore.data.class_names import COLLECTIONS, class_names
from fercore.data.own_faces import FOUND, PASSED_OVER, WHOLE, OwnFaces, OwnPhoto, split_faces
from fercore.data.own_photos import find_own_faces
from fercore.data.stored_faces import store
from fercore.errors import FerError
from fercore.faces.detection import NO_SEARCH, SEARCH
from fercore.labels import CLASSES
from fercore.paths import given_path
from fercore.wording import count

PER_PAGE = 60
UPLOAD_MEGABYTES = 100  # it lies in memory beside the picture that is read from it
EVERY_CLASS = "all"
_PHOTOS, _NAME = "own-photos", "own-photos-name"
_ZIP, _FIELD = "own-photos-kept-zip", "own-photos-zip"
_NAME_LENGTH = 40
_FACES = {
    SEARCH: "Look for the largest face of each photo",
    NO_SEARCH: "Each picture is itself a face",
}


class Asked(NamedTuple):
    """What the form says: where the photos are, and how they are to be read."""

    zip: UploadedFile | None
    folder: str
    faces: str  # a key of `_FACES`
    names: str


def photo_form() -> None:
    """A zip or a folder; what is found in its photos is kept for this session alone."""
    with st.container(border=True):
        upload = _zip_field()
        with st.form("own-photos-form", border=False):
            fields = _fields()
            pressed = st.form_submit_button("Find the faces", type="primary")
    asked = Asked(upload, *fields)
    if pressed and asked.zip is None and not asked.folder.strip():
        st.info("Choose a zip, or name a folder.")
    elif pressed and asked.zip and asked.folder.strip():
        st.info(
            f"{plain(asked.zip.name)} and a folder are both given: remove the zip, or empty the "
            "folder's field."
        )
    elif pressed:
        _find(asked)


def _zip_field() -> UploadedFile | None:
    """The field for a zip, and the zip: it stays in this session, on whatever page, until it is
    taken away or another one comes. Streamlit forgets an upload whose field is not drawn.
    """
    in_field = st.file_uploader(
        "A zip of your photos", type="zip", key=_FIELD, max_upload_size=UPLOAD_MEGABYTES,
        on_change=_take_zip,
    )  # fmt: skip
    kept: UploadedFile | None = st.session_state.get(_ZIP)
    if kept and not in_field:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{plain(kept.name)}, {kept.size / 1e6:.1f} MB", width="content")
            st.button(
                "Remove", icon=":material/close:", key="own-photos-forget", type="tertiary",
                help=f"Take {plain(kept.name)} away", on_click=_forget_zip,
            )  # fmt: skip
    return in_field or kept


@errors_kept("Taking the zip")
def _take_zip() -> None:
    st.session_state[_ZIP] = st.session_state[_FIELD]


@errors_kept("Taking the zip away")
def _forget_zip() -> None:
    st.session_state[_ZIP] = None


def _fields() -> tuple[str, str, str]:
    """The folder, how faces are found, and what the classes' names mean."""
    folder = st.text_input(
        "Or a folder on the machine that runs this app", key="own-photos-folder",
        persist_state="session",
        placeholder="~/Pictures/faces",
    )  # fmt: skip
    left, right = st.columns(2)
    faces = left.selectbox(
        "Faces", list(_FACES), format_func=_FACES.__getitem__, key="own-photos-faces",
        persist_state="session",
        help="Pictures that are cut to the face already, of any size, are faces themselves.",
    )  # fmt: skip
    names = right.text_input(
        "Class names", key="own-photos-names", persist_state="session",
        placeholder="1=happy, contempt=",
        help="Only where folders have other names than the expressions: `1=happy` says what "
        f"one stands for, `contempt=` leaves one out. Known: {', '.join(COLLECTIONS)}.",
    )  # fmt: skip
    return folder, faces, names


def _find(asked: Asked) -> None:
    """Look for the faces, and keep what is found for `preview`."""
    bar, stop = st.progress(0.0, "Looking for faces …"), st.empty()
    stop.button("Stop", key="own-photos-stop")  # any click ends what this run does

    def tell(done: int, total: int = 1) -> None:
        words = f"{count(done)} of {count(total)} photos" if done else "Looking for files …"
        bar.progress(done / total, words)

    try:
        source: bytes | Path
        if asked.zip:
            source, name = asked.zip.getvalue(), asked.zip.name
        else:
            path = given_path(asked.folder)
            source, name = allowed_path(path, searched=lambda files: tell(0)), path.name
        with out_of_turn():
            photos = find_own_faces(
                source, name=name, names=class_names(asked.names), faces=asked.faces, progress=tell
            )
    except FerError as error:
        st.error(plain(error))
        return
    finally:
        bar.empty()
        stop.empty()
    st.session_state[_PHOTOS] = photos
    usual = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(name).stem).strip("-_")
    st.session_state[_NAME] = usual[:_NAME_LENGTH] or "my-faces"


def preview() -> None:
    """What was found, how it is split, and the button that keeps it."""
    photos: list[OwnPhoto] | None = st.session_state.get(_PHOTOS)
    if photos is None:
        return
    st.subheader("What was found", anchor=False)
    left, right = st.columns([1, 3])
    seed = left.number_input(
        "Seed of the split", 0, 9999, key="own-photos-seed", persist_state="session",
        help="Which face goes into which part. Folders named train, val and test decide instead.",
    )  # fmt: skip
    own = split_faces(photos, seed=seed)
    with right, st.container(horizontal=True):
        _figures(own)
    for note in own.notes:
        st.warning(plain(note))
    st.table(own.counts().rename_axis("faces"))
    if own.problem:
        st.error(plain(own.problem))
    else:
        _keep_form(own)
    _grid(own)
    _not_kept(own)


def _figures(own: OwnFaces) -> None:
    outcomes = [photo.outcome for photo in own.photos]
    st.metric("Photos", count(len(outcomes) - outcomes.count(PASSED_OVER)))
    st.metric("Face found", count(outcomes.count(FOUND)))
    st.metric(
        "Whole picture taken",
        count(outcomes.count(WHOLE)),
        help="Small, tight pictures in which no face is found count as a face themselves, and all "
        "pictures where nothing is looked for.",
    )
    st.metric("Not kept", count(len(own.photos) - len(own.kept)))


def _keep_form(own: OwnFaces) -> None:
    with st.form("keep-faces", border=False):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        name = left.text_input(
            "Name of these faces", max_chars=_NAME_LENGTH, key=_NAME, persist_state="session"
        )
        kept = right.form_submit_button(
            f"Keep these {count(len(own.kept))} faces", type="primary", width="stretch"
        )
    if not kept:
        return
    try:
        folder = store(own, name.strip())
    except FerError as error:
        st.error(plain(error))
        return
    del st.session_state[_PHOTOS]
    st.session_state.pop(_ZIP, None)
    select_set(folder.name, f"Kept {count(len(own.kept))} faces in {folder}.")
    st.rerun()


def _grid(own: OwnFaces) -> None:
    kept = [
        (photo, CLASSES[photo.label], photo.face)
        for photo in own.kept
        if photo.label is not None and photo.face is not None
    ]
    present = sorted({name for _, name, _ in kept}, key=CLASSES.index)
    if not present:
        return
    chosen = st.segmented_control(
        "Expression", [EVERY_CLASS, *present], default=EVERY_CLASS, required=True,
        key="own-photos-class", persist_state="session",
    )  # fmt: skip
    shown = [entry for entry in kept if chosen in (EVERY_CLASS, entry[1])]
    shown.sort(key=lambda entry: (CLASSES.index(entry[1]), entry[0].usage, entry[0].file))
    tiles = st.container()
    on_page = paged(len(shown), PER_PAGE, "own-photos-page", of=(chosen, len(shown)))
    with tiles, st.grid(min_column_width=110, gap="small"):
        for photo, name, face in shown[on_page]:
            with st.container(gap="xxsmall"):
                st.image(tile(face, 3), width="stretch", alt=f"A face, {name}")
                whole = " · whole" if photo.outcome == WHOLE else ""
                st.caption(f"{name} · {photo.usage}{whole}")


def _not_kept(own: OwnFaces) -> None:
    lost = own.table()[[not photo.kept for photo in own.photos]]
    if lost.empty:
        whole = sum(photo.outcome == WHOLE for photo in own.photos)
        st.caption(
            f"Every photo is kept, {count(whole)} of them whole."
            if whole
            else "A face was found in every photo."
        )
        return
    what = "file" if PASSED_OVER in set(lost["outcome"]) else "photo"
    photos = f"{what} is" if len(lost) == 1 else f"{what}s are"
    st.markdown(f"**{count(len(lost))} {photos} not kept:**")
    st.dataframe(lost[["file", "class", "outcome", "reason"]], hide_index=True)
