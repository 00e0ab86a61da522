"""An upload of another program's answers, which becomes a run."""

import re
from pathlib import PurePath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.base import loading
from dashboard.base.keys import MODEL_A, MODEL_B
from dashboard.base.parameters import link
from dashboard.base.plain import plain
from dashboard.base.turns import out_of_turn
from dashboard.sidebar.finished_view import counterpart
from fercore.errors import FerError
from fercore.importing.images import images_of_run
from fercore.importing.table_run import READ_AS, TITLE_LENGTH, Imported, Named, import_table
from fercore.runs.artifacts import NOTE_LENGTH, Run
from fercore.runs.listing import find_run

UPLOAD_MEGABYTES = 50
_KINDS = ["csv", "tsv", "txt", "parquet", "npz", "npy", "json", "jsonl", "ndjson"]
_FIELD, _MADE = "import-file", "import-made"


def import_panel() -> None:
    """The field for a table, and once there is one, what the run is to be called."""
    _made()
    upload = st.file_uploader(
        "A table of answers: CSV, Parquet, NPZ or JSON lines", type=_KINDS, key=_FIELD,
        max_upload_size=UPLOAD_MEGABYTES,
        help="A line for each test image: seven probabilities or logits under the expressions' "
        "names, or one column 'predicted'; and a column 'row', the row in the original table. "
        "Without it the lines stand in the dataset's order.",
    )  # fmt: skip
    if upload:
        _form(upload, known_sets())


def known_sets() -> dict[str, Run]:
    """The datasets whose test images are known, each by a run that was scored on it."""
    known: dict[tuple[str, str], Run] = {}
    for run in loading.runs():
        known.setdefault((run.dataset, run.info["dataset"]["fingerprint"]), run)
    names = [name for name, _ in known]
    return {
        name if names.count(name) == 1 else f"{name} ({fingerprint[:6]})": run
        for (name, fingerprint), run in known.items()
    }


def _form(upload: UploadedFile, sets: dict[str, Run]) -> None:
    if not sets:
        st.info("No run is here that knows a dataset's test images. Train one first.")
        return
    with st.form("import-run"):
        left, right = st.columns(2)
        name = left.text_input(
            "Name", free_name(upload.name), max_chars=80, key=f"import-name-{upload.file_id}"
        )
        chosen = right.selectbox("Its answers are about", list(sets), key="import-set")
        with st.expander("More", icon=":material/tune:"):
            named = more_fields(name, "import")
            left, right = st.columns(2)
            order = left.text_input(
                "Order of the classes", placeholder="angry, disgust, … or alphabetical",
                key="import-order", help="Only where columns have numbers for names.",
            )  # fmt: skip
            values = right.selectbox("Its figures are", READ_AS, key="import-values")
        asked = st.form_submit_button("Import", type="primary")
    if not asked:
        return
    try:
        with st.spinner("Reading the table and scoring it …"), out_of_turn():
            images = images_of_run(sets[chosen])
            made = import_table(
                upload.getvalue(), images, named, file=upload.name, order=order, values=values
            )
    except FerError as error:
        st.error(plain(error))
        return
    shown_next(made)


def shown_next(made: Imported) -> None:
    """Run the page anew with the new run in it, and say what has come of it."""
    st.session_state[_MADE] = (made.run.run_id, made.notes)
    st.rerun()


def more_fields(name: str, key: str) -> Named:
    """What else a run may be kept with. key: tells the fields from another form's."""
    left, right = st.columns(2)
    title = left.text_input("Title", key=f"{key}-title", max_chars=TITLE_LENGTH)
    recipe = left.text_input(
        "Group", key=f"{key}-recipe", max_chars=TITLE_LENGTH,
        help="The name that several seeds of one training have in common.",
    )  # fmt: skip
    seed = right.number_input("Seed", 0, None, None, key=f"{key}-seed", placeholder="unknown")
    note = right.text_input("Note", key=f"{key}-note", max_chars=NOTE_LENGTH)
    return Named(name.strip(), title.strip(), note, seed, recipe.strip())


def free_name(file: str) -> str:
    """A name for a run that no other has, after the file's."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(file).stem).strip("-_")[:60] or "imported"
    taken = {run.run_id for run in loading.runs()}
    names = [stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def _made() -> None:
    """What the last import has come to, and the way to its comparison."""
    run_id, notes = st.session_state.pop(_MADE, ("", []))
    runs = loading.runs()
    if run_id not in {run.run_id for run in runs}:
        return
    st.success(plain(f"{run_id} is imported. {' '.join(notes)}"), icon=":material/check:")
    other = counterpart(find_run(run_id), [run for run in runs if not run.imported])
    if other:
        st.page_link(
            **link("overview", **{MODEL_A: run_id, MODEL_B: other.run_id}),
            label=f"Compare it with {plain(other.run_id)}, image by image",
            icon=":material/compare_arrows:",
        )
