"""Verdicts on labels: the scores with them, the faces reviewed so far, import and export."""

import io

import pandas as pd
import streamlit as st

from dashboard.base import loading, outcomes
from dashboard.base.access import write_or_say_why
from dashboard.base.failures import errors_kept, errors_told
from dashboard.base.image_loading import Images
from dashboard.base.keys import FACE
from dashboard.base.selection import Selection
from dashboard.base.tiles import tile
from dashboard.base.widgets import paged
from dashboard.faces.face_row import row_of_faces
from dashboard.faces.open_face import close, no_such_face, open_soon
from dashboard.faces.verdict_form import (
    Labelled,
    verdict_buttons,
    verdict_note,
)
from fercore.analysis import relabelling, review_csv
from fercore.analysis.review import Verdict
from fercore.wording import count

PER_PAGE = 40
_IMPORT, _IMPORT_SAID = "review-import", "review-import-outcome"


def score_table(selection: Selection, verdicts: pd.DataFrame) -> pd.DataFrame:
    """A line per model: its scores on the selected images, stored_… and reviewed_…

    Columns: model (its key), stored_n, stored_accuracy with its interval, stored_macro_f1, the
    same with reviewed_, relabelled, left_out. Shares from 0 to 1.
    """
    lines = []
    for key, model in selection.models.items():
        found = relabelling.rescore(loading.predictions(model, selection.part), verdicts)
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
            f"{count(len(verdicts) - len(here))} of these {count(len(verdicts))} images are not in "
            "model A's dataset on this machine."
        )
    if here.empty:
        return
    grid = st.container()
    shown = paged(len(here), PER_PAGE, "verdict_page")
    with grid, st.grid(min_column_width=120, gap="small"):
        for one in here.iloc[shown].itertuples(index=False):
            verdict = Verdict(*one)
            with st.container(gap="xxsmall", key=f"tile-{verdict.pixels}"):
                alt = f"The face of row {verdict.row}"
                st.image(tile(images[verdict.pixels], 3), width="stretch", alt=alt)
                outcome = verdict.should_be or verdict.verdict
                key = f"review-open-{verdict.pixels}"
                title = f"{verdict.label}: {outcome}"
                st.button(
                    title, key=key, type="tertiary", width="stretch", on_click=open_soon,
                    args=(verdict.pixels,),
                )  # fmt: skip
    open_ = st.session_state[FACE]
    if open_ in here["pixels"].to_numpy():
        _open({one[0]: Verdict(*one) for one in here.itertuples(index=False)}, images)
    elif open_ is not None:
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
        outcomes.tell(_IMPORT_SAID, small=True)


@st.dialog("One face", width="large", on_dismiss=close)
@errors_told("This face")
def _open(verdicts: dict[int, Verdict], images: Images) -> None:
    """The verdicts by the pixels that they are about, in the order in which one goes on."""
    place = row_of_faces(list(verdicts))
    verdict = verdicts[st.session_state[FACE]]
    image = Labelled(verdict.pixels, verdict.row, verdict.dataset, verdict.label)
    left, right = st.columns([1, 2])
    alt = f"The face of row {verdict.row}"
    left.image(tile(images[verdict.pixels], 7), width="stretch", alt=alt)
    with right:
        st.markdown(f"Label: **{verdict.label}**  \nRow {verdict.row} of the dataset")
        verdict_buttons(image, place.go_on)
        verdict_note(image)


@errors_kept("The import")
def _import() -> None:
    upload = st.session_state[_IMPORT]
    if upload is None:
        return
    outcomes.keep_of(_IMPORT_SAID, lambda: review_csv.import_csv(upload).sentence)


def _exported() -> bytes:
    stream = io.StringIO()
    review_csv.export_csv(stream)
    return stream.getvalue().encode()
