"""An upload of a model as an ONNX file, which becomes a run: how it is fed, then its answers.

The model is asked step by step in this session. A click elsewhere interrupts a step, and the next
run of the page goes on; nothing is written before the last one.
"""

import time
from collections.abc import Generator
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.base import image_loading
from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from dashboard.base.stepwise import Stepwise
from dashboard.base.turns import out_of_turn
from dashboard.compare.import_panel import free_name, known_sets, more_fields, shown_next
from fercore.errors import ConfigError, FerError
from fercore.importing.answers import class_order
from fercore.importing.images import TestImages, images_of_run
from fercore.importing.onnx_run import OnnxSource, importing, onnx_source
from fercore.importing.table_run import Imported
from fercore.models.feeding import LAYOUTS, MAX_SIDE, OUTPUTS, SCALES, figures
from fercore.models.onnx_file import OnnxModel
from fercore.runs.artifacts import Run
from fercore.wording import count, duration

UPLOAD_MEGABYTES = 200
_FIELD, _READ, _WORK = "onnx-file", "onnx-read", "onnx-work"
_TRIED = "tried on PublicTest"
_BY_SUMS = "told by their sums"


class Work(Stepwise):
    """An import under way. Once it has ended: what was made, or in `problem` a sentence on why
    nothing was; neither where it was closed.
    """

    def __init__(self, name: str, steps: Generator[tuple[int, int], None, Imported]) -> None:
        super().__init__()
        self.name, self.begun, self.problem = name, time.monotonic(), ""
        self.made: Imported | None = None
        self._steps = steps

    def advance(self) -> tuple[int, int] | None:
        """How many images it was asked about by now, of how many; None where it has ended."""
        with self.one_step() as there_is_one:
            if there_is_one and not self.made:  # who made the last step may have been interrupted
                try:
                    return next(self._steps)
                except StopIteration as end:
                    self.made = end.value
                except FerError as error:
                    self.problem = str(error)
        return None

    def _let_go(self) -> None:
        self._steps.close()


def onnx_panel() -> None:
    """The field for a model, then how it is fed, then how far its scoring is."""
    if _WORK in st.session_state:
        _go_on(st.session_state[_WORK])
    uploads = st.file_uploader(
        "Or a model: its ONNX file, and the JSON that came with it", type=["onnx", "json"],
        key=_FIELD, accept_multiple_files=True, max_upload_size=UPLOAD_MEGABYTES,
        help="It is asked here about the test images and kept with the run, so that it stands in "
        "Predict and Webcam too. `fercore export` writes such a JSON. What a model computes runs "
        "on this machine: take files of people you trust.",
    )  # fmt: skip
    models = [upload for upload in uploads if upload.name.lower().endswith(".onnx")]
    if not models:
        st.session_state.pop(_READ, None)
        if uploads:
            st.info("A JSON alone is no model: add its ONNX file.")
        return
    if len(models) > 1:
        st.info("One model at a time: remove the others.")
        return
    notes = [upload for upload in uploads if upload not in models]
    try:
        source = _source(models[0], notes[0] if notes else None)
    except FerError as error:
        st.error(plain(error))
        return
    _form(source, models[0].file_id, known_sets())


def _source(upload: UploadedFile, note: UploadedFile | None) -> OnnxSource:
    """What the file tells, read once for as long as it lies in the field."""
    asked = (upload.file_id, note and note.file_id)
    if st.session_state.get(_READ, (None,))[0] != asked:
        content = upload.getvalue()
        source = onnx_source(
            upload.name, content, OnnxModel(content, upload.name),
            note.getvalue() if note else None, note.name if note else "",
        )  # fmt: skip
        st.session_state[_READ] = (asked, source)
    found: OnnxSource = st.session_state[_READ][1]
    return found


def _form(source: OnnxSource, key: str, sets: dict[str, Run]) -> None:
    if not sets:
        st.info("No run is here that knows a dataset's test images. Train one first.")
        return
    for note in source.notes:
        st.caption(plain(note))
    with st.form("import-onnx"):
        left, right = st.columns(2)
        name = left.text_input("Name", free_name(source.name), max_chars=80, key=f"onnx-name-{key}")
        chosen = right.selectbox("It is asked about", list(sets), key="onnx-set")
        fields = _feeding_fields(source, key)
        with st.expander("More", icon=":material/tune:"):
            named = more_fields(name, "onnx")
        asked = st.form_submit_button("Ask it and import", type="primary")
    if not asked:
        return
    try:
        images = _images(sets[chosen])
        steps = importing(source, images, named, _told(fields))
        st.session_state[_WORK] = Work(named.name, steps)
    except FerError as error:
        st.error(plain(error))
        return
    st.rerun()


def _feeding_fields(source: OnnxSource, key: str) -> dict[str, Any]:
    """How the model is fed, by `Feeding`'s names, as the form says it: guessed at first."""
    feeding, fields = source.feeding, dict[str, Any]()
    scales = [*SCALES] if "scale" in source.known else [_TRIED, *SCALES]
    outputs = [*OUTPUTS] if "output" in source.known else [_BY_SUMS, *OUTPUTS]
    places = st.columns(3)
    fields["side"] = places[0].number_input(
        "Side, pixels", 8, MAX_SIDE, feeding.side, key=f"onnx-side-{key}"
    )
    fields["channels"] = places[1].selectbox(
        "Colours", [1, 3], [1, 3].index(feeding.channels), key=f"onnx-channels-{key}",
        format_func=lambda channels: "grey" if channels == 1 else "RGB",
    )  # fmt: skip
    fields["layout"] = places[2].selectbox(
        "Layout", list(LAYOUTS), list(LAYOUTS).index(feeding.layout), key=f"onnx-layout-{key}",
        format_func=lambda layout: f"{layout}: {LAYOUTS[layout]}",
    )  # fmt: skip
    at_first = scales.index(feeding.scale) if "scale" in source.known else 0
    fields["scale"] = places[0].selectbox("Grey values", scales, at_first, key=f"onnx-scale-{key}")
    fields["mean"] = places[1].text_input(
        "Mean, taken away then", _listed(feeding.mean), key=f"onnx-mean-{key}",
        help="One number, or one for each channel with commas.",
    )  # fmt: skip
    fields["deviation"] = places[2].text_input(
        "Deviation, divided by then", _listed(feeding.deviation), key=f"onnx-deviation-{key}"
    )
    at_first = outputs.index(feeding.output) if "output" in source.known else 0
    fields["output"] = places[0].selectbox(
        "Its outputs are", outputs, at_first, key=f"onnx-output-{key}"
    )
    fields["classes"] = st.text_input(
        "Order of the classes", ", ".join(feeding.classes), key=f"onnx-classes-{key}",
        help="As the model gives them, or 'alphabetical'.",
    )  # fmt: skip
    return fields


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """The form's words as `importing` takes them; what is to be tried is left out."""
    told = {name: value for name, value in fields.items() if value not in (_TRIED, _BY_SUMS)} | {
        "classes": list(class_order(fields["classes"]))
    }
    for name in ("mean", "deviation"):
        told[name] = figures(fields[name])
        if not told[name]:
            raise ConfigError(f"The {name} is empty: give a number, or one for each channel.")
    return told


def _images(run: Run) -> TestImages:
    known = images_of_run(run)
    return TestImages(known.dataset, known.frame, known.file_rows, image_loading.dataset(run))


def _go_on(work: Work) -> None:
    """Ask on, until all is answered; then the page shows the run."""
    bar = st.progress(0.0, f"{plain(work.name)}: it is asked how it is fed …")
    st.button("Cancel", key="onnx-cancel", on_click=_cancel)
    with out_of_turn():
        while asked := work.advance():
            done, total = asked
            left = (time.monotonic() - work.begun) * (total - done) / done
            bar.progress(  # where a click interrupts it
                done / total,
                f"{plain(work.name)}: {count(done)} of {count(total)} images · "
                f"{duration(left)} left",
            )
    _cancel()
    if work.made:
        st.session_state.pop(_READ, None)  # 200 MB perhaps, and a session
        shown_next(work.made)
    if work.problem:
        st.error(plain(work.problem))


@errors_kept("Cancelling the import")
def _cancel() -> None:
    if work := st.session_state.pop(_WORK, None):
        work.close()


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)
