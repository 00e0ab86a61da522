"""What people add to the images: a selection saved under a name, tables of attributes, subsets."""

import pandas as pd
import streamlit as st

from dashboard.base.access import may_write, write_or_say_why
from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from dashboard.base.selection import Selection
from dashboard.compare.import_panel import known_sets
from fercore.analysis import marks
from fercore.analysis.attributes import ImportedMarks, import_attributes, import_subset
from fercore.analysis.marks import NAME_LENGTH, Mark
from fercore.csv_tables import csv_text
from fercore.errors import FerError
from fercore.importing.images import images_of_run
from fercore.wording import count

_KINDS = ["csv", "tsv", "txt", "parquet", "npz", "json", "jsonl", "ndjson"]
_SAVED, _TOLD = "subset-saved", "marks-told"
_MEGABYTES = 50
AN_ATTRIBUTE, A_SUBSET = "attributes, a column each", "a subset: its images"


def save_subset(lines: pd.DataFrame, selection: Selection, what: str = "") -> None:
    """A field for the name under which the faces shown are kept; nothing for who may not write.

    lines: of a sample table. what: what they are, where not the selection in words.
    """
    if saved := st.session_state.pop(_SAVED, ""):
        st.success(saved, icon=":material/check:")
    if not len(lines) or not may_write().allowed:
        return
    origin = what or selection.words.replace("**", "") or "all"
    with st.popover("Save as a subset", icon=":material/save:"):
        name = st.text_input(
            "Name", max_chars=NAME_LENGTH, key="subset-name",
            help="These faces under a name: a slice on every page, in links and in `fercore "
            "subsets`. One of that name is replaced.",
        )  # fmt: skip
        st.button(
            f"Save {count(len(lines))} faces", key="subset-save", disabled=not name.strip(),
            on_click=_save,
            args=(name, lines[["row", "pixels"]], selection.a.dataset, origin),
        )  # fmt: skip


@errors_kept("Saving the subset")
def _save(name: str, lines: pd.DataFrame, dataset: str, origin: str) -> None:
    name, table = name.strip(), lines.astype("int64").reset_index(drop=True)
    marks.store(Mark("subsets", name, table, dataset, origin[:200]))
    st.session_state[_SAVED] = (
        f"{plain(name)} is kept: under Slice in the sidebar, *subset: {plain(name)}*."
    )


def marks_panel() -> None:
    """Attributes and subsets: what there is, a table to upload, and what to delete."""
    for problem in marks.problems():
        st.warning(plain(problem))
    with st.expander("Attributes and subsets", icon=":material/sell:", key="marks"):
        if told := st.session_state.pop(_TOLD, ""):
            st.success(told, icon=":material/check:")
        every = [mark for kind in marks.KINDS for mark in marks.marks(kind)]
        if every:
            _listed(every)
        if write_or_say_why("marks"):
            _upload()
            _delete(every)


def _listed(every: list[Mark]) -> None:
    table = pd.DataFrame(
        {
            "kind": [mark.kind[:-1] for mark in every],
            "name": [mark.name for mark in every],
            "images of": [mark.dataset for mark in every],
            "images": [len(mark.table) for mark in every],
            "from": [mark.origin for mark in every],
            "guessed by a model": ["yes" if mark.guessed else "" for mark in every],
        }
    )
    st.dataframe(table, hide_index=True)
    subsets = {mark.name: mark for mark in every if mark.kind == "subsets"}
    if subsets:
        name = st.selectbox("Subset", list(subsets), key="subset-exported")
        st.download_button(
            "Download it as CSV", icon=":material/download:", key="subset-export",
            data=lambda: csv_text(subsets[name].table[["row", "pixels"]]).encode(),
            file_name=f"{name}.csv", mime="text/csv", on_click="ignore",
        )  # fmt: skip


def _upload() -> None:
    upload = st.file_uploader(
        "A table with a line for each image", type=_KINDS, key="marks-file",
        max_upload_size=_MEGABYTES,
        help="A column 'row' (the row in the original table), 'pixels' or 'file' says which image; "
        "every other column is an attribute: age group, skin tone, glasses, pose, source.",
    )  # fmt: skip
    if not upload:
        return
    sets = known_sets()
    with st.form("import-marks"):
        left, right = st.columns(2)
        kind = left.selectbox("It holds", (AN_ATTRIBUTE, A_SUBSET), key="marks-kind")
        chosen = right.selectbox("about the images of", list(sets), key="marks-set")
        name = left.text_input("Name of the subset", max_chars=NAME_LENGTH, key="marks-name")
        guessed = right.checkbox("guessed by a model, not said by people", key="marks-guessed")
        asked = st.form_submit_button("Import", type="primary")
    if not asked:
        return
    try:
        images, content = images_of_run(sets[chosen]), upload.getvalue()
        made = (
            import_subset(content, images, name, file=upload.name)
            if kind == A_SUBSET
            else import_attributes(content, images, file=upload.name, guessed=guessed)
        )
    except FerError as error:
        st.error(plain(error))
        return
    st.session_state[_TOLD] = _in_words(made)
    st.rerun()


def _in_words(made: ImportedMarks) -> str:
    return plain(f"Kept: {', '.join(made.names)}. {' '.join(made.notes)}")


def _delete(every: list[Mark]) -> None:
    if not every:
        return
    named = {f"{mark.kind[:-1]} {mark.name}": mark for mark in every}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Delete", list(named), None, key="marks-gone")
        st.button(
            "Delete", icon=":material/delete:", key="marks-delete", disabled=chosen not in named,
            on_click=_forget, args=(named.get(chosen or ""),),
        )  # fmt: skip


@errors_kept("Deleting it")
def _forget(mark: Mark) -> None:
    marks.remove(mark.kind, mark.name)
