"""Verdicts on labels: the form for one face, the faces reviewed so far, import and export."""

import io

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.access import write_or_say_why
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.loading import Images
from dashboard.base.plain import plain
from dashboard.base.selection import FACE, Selection
from dashboard.base.widgets import paged, tile
from dashboard.faces.open_face import close, no_such_face, open_soon
from fercore.analysis import relabelling, review, review_csv
from fercore.analysis.review import NOTE_LENGTH, VERDICTS, Verdict
from fercore.errors import FerError
from fercore.labels import CLASSES

PER_PAGE = 40
_IMPORT = "review-import"
HELP = {
    "right": "The face shows what the label says.",
    "wrong": "It shows another expression: say which.",
    "ambiguous": "More than one label would do.",
    "unusable": "No face, a drawing, an empty or broken image.",
}


def verdict_form(sample_pixels: int, row: int, label: str, dataset: str) -> None:
    """The verdict on one image: what was said, and the fields to say it. For a page or a dialog.

    sample_pixels: the image's hash. row: its row in the dataset of that name. label: its class.
    """
    pixels = int(sample_pixels)
    owner = f"{pixels}-{label}"  # a copy of the image with another label has a form of its own
    current = _current(pixels)
    if current:
        st.markdown(f"Your verdict: **{verdict_words(current)}** · {_minute(current.updated)} UTC")
    if not write_or_say_why(f"review-{owner}"):
        return
    # A copy of the image may carry another label: of that one nothing has been said yet.
    earlier = current if current and current.label == label else None
    if current and not earlier:
        st.info(
            f"It was given where the same picture is labelled **{current.label}** "
            f"(row {current.row}); saving replaces it."
        )
    chosen = st.radio(
        f"Is the label {label} right?",
        list(VERDICTS),
        index=list(VERDICTS).index(earlier.verdict) if earlier else None,
        format_func=VERDICTS.get,
        captions=list(HELP.values()),
        key=_key("verdict", owner),
    )
    with st.container():
        if chosen == "wrong":
            others = [name for name in CLASSES if name != label]
            known = earlier and earlier.should_be
            st.selectbox(
                "Should be",
                others,
                index=others.index(known) if known else None,
                placeholder="Choose an expression",
                key=_key("should-be", owner),
            )
    # Ignored until something else is asked for: a click on Save takes along a note that is still
    # being written, and so does closing the dialog, which keeps it for the next look. It belongs to
    # the verdict it was written under: a newer one, of whomever, comes with its own note.
    note = _note_key(owner, current)
    st.text_area(
        "Note",
        value=current.note if current else "",
        max_chars=NOTE_LENGTH,
        height=80,
        key=note,
        on_change="ignore",
        persist_state="session",
    )
    with st.container(horizontal=True):
        st.button(
            "Save",
            type="primary",
            key=_key("save", owner),
            on_click=_save,
            args=(owner, note, pixels, int(row), label, dataset),
        )
        st.button(
            "Remove",
            disabled=current is None,
            key=_key("remove", owner),
            on_click=_remove,
            args=(owner, note, pixels),
        )
    _show_outcome(owner)


def _current(pixels: int) -> Verdict | None:
    """The verdict so far. Where it cannot be read the form stays, and what was typed with it."""
    seen = _key("seen", pixels)
    try:
        st.session_state[seen] = review.find(pixels)
    except FerError as error:
        st.error(plain(error))
    current: Verdict | None = st.session_state.get(seen)
    return current


def verdict_words(verdict: Verdict) -> str:
    """'Label wrong, should be sad'."""
    words = VERDICTS[verdict.verdict]
    return f"{words}, should be {verdict.should_be}" if verdict.should_be else words


def score_table(selection: Selection, verdicts: pd.DataFrame) -> pd.DataFrame:
    """A line per model: its scores on the selected images, stored_… and reviewed_…

    Columns: model (its key), stored_n, stored_accuracy with its interval, stored_macro_f1, the
    same with reviewed_, relabelled, left_out. Shares from 0 to 1.
    """
    lines = []
    for key, run in selection.runs.items():
        found = relabelling.rescore(loading.run_predictions(run, selection.part), verdicts)
        line: dict[str, str | float] = {"model": key}
        for name, scores in (("stored", found.stored), ("reviewed", found.reviewed)):
            low, high = scores.interval
            values = (scores.n, scores.accuracy, low, high, scores.macro_f1)
            fields = ("n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1")
            line |= {f"{name}_{field}": value for field, value in zip(fields, values)}
        lines.append(line | {"relabelled": found.relabelled, "left_out": found.left_out})
    return pd.DataFrame(lines)


def reviewed_faces(verdicts: pd.DataFrame, images: Images) -> None:
    """Tiles of the verdicts whose images are here, by the page; a click opens one."""
    here = verdicts[[pixels in images for pixels in verdicts["pixels"]]]
    if len(here) < len(verdicts):
        st.caption(
            f"{len(verdicts) - len(here)} of these {len(verdicts)} images are not in model A's "
            "dataset on this machine."
        )
    if here.empty:
        return
    grid = st.container()
    shown = paged(len(here), PER_PAGE, "verdict_page")
    with grid, st.grid(min_column_width=120, gap="small"):
        for one in here.iloc[shown].itertuples(index=False):
            verdict = Verdict(*one)
            with st.container(gap="xxsmall"):
                alt = f"The face of row {verdict.row}"
                st.image(tile(images[verdict.pixels], 3), width="stretch", alt=alt)
                outcome = verdict.should_be or verdict.verdict
                key = _key("open", verdict.pixels)
                title = f"{verdict.label}: {outcome}"
                st.button(
                    title, key=key, type="tertiary", width="stretch", on_click=open_soon,
                    args=(verdict.pixels,),
                )  # fmt: skip
    open_ = st.session_state[FACE]
    for one in here[here["pixels"] == open_].itertuples(index=False):
        _open(Verdict(*one), images)
        return
    if open_ is not None:
        no_such_face(f"with the pixels {open_}", "these verdicts")


def export_button() -> None:
    """A download of every verdict."""
    st.download_button(
        "Download all verdicts as CSV",
        data=_exported,
        file_name="verdicts.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def import_field() -> None:
    """An upload that takes over verdicts as soon as the file is there, and says what came."""
    if not write_or_say_why("review-import"):
        return
    st.file_uploader(
        "Import verdicts from a CSV",
        type="csv",
        key=_IMPORT,
        on_change=_import,
        help="A file downloaded from here. A verdict replaces one that is already here only where "
        "it is newer.",
    )
    if st.session_state.get(_IMPORT):
        _show_outcome(_IMPORT)


@st.dialog("One face", width="large", on_dismiss=close)
@errors_told("This face")
def _open(verdict: Verdict, images: Images) -> None:
    left, right = st.columns([2, 3])
    alt = f"The face of row {verdict.row}"
    left.image(tile(images[verdict.pixels], 7), width="stretch", alt=alt)
    left.markdown(f"Label: **{verdict.label}**  \nRow {verdict.row} of the dataset")
    with right:
        verdict_form(verdict.pixels, verdict.row, verdict.label, verdict.dataset)


@errors_kept("Saving the verdict")
def _save(owner: str, note: str, pixels: int, row: int, label: str, dataset: str) -> None:
    fields = {"verdict": _key("verdict", owner), "note": note}
    said = {name: st.session_state.get(key) or "" for name, key in fields.items()}
    if said["verdict"] == "wrong":
        said["should_be"] = st.session_state.get(_key("should-be", owner)) or ""
    try:
        review.save(Verdict(pixels, row, dataset, label, **said))
    except FerError as error:
        _keep_outcome(owner, problem=str(error))
    else:
        st.session_state[note] = ""  # it is the new verdict's now
        _keep_outcome(owner, success="Saved.")


@errors_kept("Removing the verdict")
def _remove(owner: str, note: str, pixels: int) -> None:
    try:
        review.remove(pixels)
    except FerError as error:
        _keep_outcome(owner, problem=str(error))
        return
    st.session_state[_key("verdict", owner)] = None
    for written in (note, _note_key(owner, None)):
        st.session_state[written] = ""
    _keep_outcome(owner, success="Removed.")


@errors_kept("The import")
def _import() -> None:
    upload = st.session_state[_IMPORT]
    if upload is None:
        return
    try:
        _keep_outcome(_IMPORT, success=review_csv.import_csv(upload).sentence)
    except FerError as error:
        _keep_outcome(_IMPORT, problem=str(error))


def _exported() -> bytes:
    stream = io.StringIO()
    review_csv.export_csv(stream)
    return stream.getvalue().encode()


def _keep_outcome(owner: str, *, success: str = "", problem: str = "") -> None:
    """Callbacks run before the page is drawn: what they have to say waits for it."""
    st.session_state[_key("outcome", owner)] = (success, problem)


def _show_outcome(owner: str) -> None:
    success, problem = st.session_state.pop(_key("outcome", owner), ("", ""))
    if success:
        st.success(plain(success), icon=":material/check:")
    if problem:
        st.error(plain(problem))


def _key(name: str, owner: int | str) -> str:
    return f"review-{name}-{owner}"


def _note_key(owner: str, current: Verdict | None) -> str:
    return _key("note", f"{owner}-{current.updated if current else ''}")


def _minute(updated: str) -> str:
    return updated[:16].replace("T", " ")
