"""A grid of faces with their labels and predictions; a click opens one."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.clicks import clickable_table
from dashboard.base.image_loading import Images
from dashboard.base.keys import FACE
from dashboard.base.selection import Selection
from dashboard.base.tiles import tile
from dashboard.faces import face_loading
from dashboard.faces.face_dialog import open_face, seeds_wrong
from dashboard.faces.face_row import order_of_open
from dashboard.faces.open_face import no_such_face, open_soon
from fercore.labels import CLASSES
from fercore.wording import count

PER_PAGE = 60
FIRST = 24  # where faces are not what the page is about
_FLAG = "⚑"


def face_grid(
    samples: pd.DataFrame, images: Images, selection: Selection, order: str | None = None
) -> None:
    """Tiles for the lines of a sample table, with the word of the model the selection is `of`, and
    how sure it is of it or, of a group, in how many seeds it is wrong.

    order: which one of `open_chosen` they are in, where it has several.
    """
    model = selection.of
    seeds = loading.predictions(selection.models[model.upper()], selection.part).seeds
    disputed = _disputed_rows(samples, selection)
    if disputed:
        st.caption(f"{_FLAG} FER+'s raters gave something else more votes than the label.")
    with st.grid(min_column_width=132, gap="small"):
        for sample in samples.to_dict("records"):
            face = images.get(sample["pixels"])
            with st.container(gap="xxsmall", key=f"tile-{sample['row']}"):
                if face is None:
                    st.caption(f"row {sample['row']}: not in this copy")
                else:
                    st.image(tile(face, 3), width="stretch", alt=f"The face of row {sample['row']}")
                said = sample[f"{model}_predicted"]
                how = _how_sure(sample[f"{model}_confidence"])
                if wrong := seeds_wrong(sample.get(f"{model}_wrong"), seeds):
                    how = f", {wrong}"
                flag = f" {_FLAG}" if sample["row"] in disputed else ""
                label = f"{sample['label']} → {said}{how}{flag}"
                st.button(
                    label, key=f"face-{sample['row']}", type="tertiary", width="stretch",
                    on_click=open_soon, args=(int(sample["row"]), order),
                )  # fmt: skip


def _how_sure(confidence: float) -> str:
    return "" if pd.isna(confidence) else f" {confidence:.2f}"


def open_chosen(
    samples: pd.DataFrame, images: Images, selection: Selection, **orders: Iterable[int]
) -> None:
    """The dialog for the face that was clicked or that a link names, if any.

    orders: by name, the rows among which one goes on from it, as the page has them; without any,
    those of `samples`.
    """
    row = st.session_state[FACE]
    if row is None:
        return
    found = samples[samples["row"] == row]
    if found.empty:
        no_such_face(f"of row {row}", f"the images of {selection.part_name}")
        return
    listed = {name: [int(each) for each in rows] for name, rows in orders.items()}
    faces = order_of_open(listed or {"": samples["row"].tolist()})
    open_face(samples, images, selection, faces)


def first_faces(
    samples: pd.DataFrame, images: Images, selection: Selection, order: str | None = None
) -> None:
    """`face_grid` of the first ones, and how many there are."""
    face_grid(samples.head(FIRST), images, selection, order)
    if len(samples) > FIRST:
        st.caption(
            f"The first {FIRST} of {count(len(samples))} faces. From one that is open you can go "
            "on through all of them."
        )


def _disputed_rows(samples: pd.DataFrame, selection: Selection) -> set[int]:
    """The rows whose label is not FER+'s plurality; none where its votes are not here."""
    votes = face_loading.votes(selection.a.run)
    if votes is None:
        return set()
    labels = samples["label"].map(CLASSES.index).to_numpy()
    rows = samples["row"].to_numpy()
    return set(rows[~votes.agreement_with(labels, rows)])


def face_table(samples: pd.DataFrame, selection: Selection) -> None:
    """The lines of a sample table, where their images are not here, without what is known of none;
    a click on one opens it.
    """
    known = samples.drop(columns="pixels").dropna(axis="columns", how="all")
    clickable_table(
        known, "samples", [int(row) for row in samples["row"]], open_soon,
        chosen=st.session_state[FACE],
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in known.select_dtypes("float")
        },
    )  # fmt: skip
