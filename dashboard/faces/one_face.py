"""Which face What if is about: one of the images, or one in a photo."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from dashboard.base import image_loading, loading
from dashboard.base.address import NOT_HERE
from dashboard.base.failures import errors_kept
from dashboard.base.plain import plain
from dashboard.base.selection import Selection
from dashboard.faces.get_faces import images_missing
from dashboard.faces.kept_photos import photo_field, photo_sources, sample_field
from dashboard.faces.photo_view import forget_others, remove_button, seen
from fercore.errors import ImageError
from fercore.faces.detection import remarks
from fercore.scoring.samples import selected_samples

ROW = "row"  # of the image, also in the URL
# By how much the first face's label is ahead: what a slider takes away, and is not gone at once.
_TELLING = 0.3


class OneFace(NamedTuple):
    """A face uint8 (48, 48), and what to call it."""

    face: NDArray[np.uint8]
    about: str


def of_the_images(selection: Selection, place: DeltaGenerator) -> OneFace | None:
    """The image of the chosen row; without one, that of the selection whose label is ahead by
    nearest to `_TELLING`. None, and why, where it is not here. place: of the button for another.
    """
    if not loading.is_scored(selection.a, selection.part):
        st.info("A was not scored on these images. Choose others in the sidebar, or take a photo.")
        return None
    images = image_loading.images(selection.a.run)
    if images.missing:
        images_missing(selection.a.run, images, "A photo does as well.")
        return None
    samples = selection.samples
    here = samples[[pixels in images for pixels in samples["pixels"]]]
    row = st.session_state[ROW]
    chosen = here[here["row"] == row]
    if row is not None and chosen.empty:
        st.warning(f"The face of row {row} is not among these images.", icon=NOT_HERE)
    fitting = here[selected_samples(here, **selection.sample_filter)]
    fitting = fitting if len(fitting) else here
    far = (fitting["a_margin"] - _TELLING).abs()
    telling = fitting.loc[far.sort_values(kind="stable").index]
    sample = chosen.iloc[0] if len(chosen) else telling.iloc[0]
    place.button(
        "Another face", icon=":material/shuffle:", on_click=_choose,
        args=(_next(telling, int(sample["row"])),),
        help="Of what is selected, those first of whose label A is right, but not sure.",
    )  # fmt: skip
    about = f"Row {sample['row']}, labelled **{sample['label']}**"
    return OneFace(images[sample["pixels"]], about)


def _next(samples: pd.DataFrame, row: int) -> int:
    rows = [int(each) for each in samples["row"]]
    return rows[(rows.index(row) + 1) % len(rows)] if row in rows else rows[0]


@errors_kept("Choosing another face")
def _choose(row: int) -> None:
    st.session_state[ROW] = row


def in_a_photo() -> OneFace | None:
    """A face in one of the session's photos, or in a sample."""
    photo_field()
    sources = {source.key: source for source in photo_sources(sample_field())}
    if not sources:
        st.info("Drop a photo above, or choose a sample.")
        return None
    key = list(sources)[-1]
    if len(sources) > 1:
        key = st.selectbox(
            "Photo", list(sources), index=len(sources) - 1,
            format_func=lambda each: sources[each].name,
        )  # fmt: skip
    forget_others(list(sources.values()))
    try:
        photo = seen(sources[key])
    except ImageError as error:
        st.error(plain(error))
        remove_button(sources[key])
        return None
    for remark in (*photo.notes, *remarks(photo.found, photo.size)):
        st.info(plain(remark))
    if not len(photo.faces):
        return None
    number = 1
    if len(photo.faces) > 1:
        number = st.number_input("Face", 1, len(photo.faces), key=f"what-if-face-{key}")
    return OneFace(photo.faces[number - 1], f"Face {number} in {plain(sources[key].name)}")
