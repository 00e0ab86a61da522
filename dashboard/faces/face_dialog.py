"""One face, large: what both models say, what they look at, what people said, what is like it."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.base import loading
from dashboard.base.charts import show_figure
from dashboard.base.current import answers_or_say_so
from dashboard.base.downloads import csv_button
from dashboard.base.failures import errors_told
from dashboard.base.image_loading import Images
from dashboard.base.keys import FACE
from dashboard.base.parameters import link
from dashboard.base.selection import Selection
from dashboard.base.sureness import tells_how_sure
from dashboard.base.tiles import tile
from dashboard.base.widgets import letter
from dashboard.faces import face_loading
from dashboard.faces.face_row import row_of_faces
from dashboard.faces.get_faces import offer_faces
from dashboard.faces.looks import what_they_look_at
from dashboard.faces.open_face import close
from dashboard.faces.verdict_form import Labelled, verdict_buttons, verdict_note
from fercore.data.votes import CATEGORIES
from fercore.figures.parts import probability_figure
from fercore.labels import CLASSES

_FACTOR = 6


@st.dialog("One face", width="large", on_dismiss=close)
@errors_told("This face")
def open_face(
    samples: pd.DataFrame, images: Images, selection: Selection, faces: list[int]
) -> None:
    """The dialog for the line of a sample table whose face is open; `faces` are the rows among
    which one goes on. It is drawn anew without the page around it.
    """
    place = row_of_faces(faces)
    sample = samples[samples["row"] == st.session_state[FACE]].iloc[0]
    face = images.get(sample["pixels"])
    given = face_loading.given_label(selection.a.run, selection.part, int(sample["row"]))
    image = Labelled(int(sample["pixels"]), int(sample["row"]), selection.a.dataset, given)
    left, middle, right = st.columns([3, 3, 5])
    with left:
        _picture(sample, face, selection)
    with middle:
        other = "" if given == sample["label"] else f" (the dataset's: {given})"
        st.markdown(f"Label: **{sample['label']}**{other}  \nRow {sample['row']} of the dataset")
        verdict_buttons(image, place.go_on)
        st.page_link(
            **link("what_if", row=str(sample["row"]), **{"from": "images"}),
            label="What if it were darker, turned, covered?", icon=":material/tune:",
        )  # fmt: skip
    with right:
        _answers(sample, selection)
    _in_tabs(
        {
            "Other raters": partial(_votes, sample, selection),
            "What they look at": partial(_looks, sample, face, selection),
            "Alike": partial(_alike, face, selection),
            "Your verdict": partial(verdict_note, image),
        }
    )


def _in_tabs(drawn: dict[str, Callable[[], None]]) -> None:
    """Only the open one is drawn: it stays open, and the others ask no model, while one goes on."""
    for tab, draw in zip(st.tabs(list(drawn), on_change="rerun", key="face-tab"), drawn.values()):
        if tab.open:
            with tab:
                draw()


def _picture(sample: pd.Series, face: np.ndarray | None, selection: Selection) -> None:
    if face is not None:
        st.image(tile(face, _FACTOR), width="stretch", alt=f"The face of row {sample['row']}")
    else:
        st.caption("The image is not on this machine.")
        offer_faces(selection.a.run, place="dialog")


def _answers(sample: pd.Series, selection: Selection) -> None:
    """What the models say of it, and how sure they are, of those that tell."""
    probs = {}
    for key in _said_by(sample, selection):
        of = key.lower()
        word = "right" if sample[f"{of}_correct"] else "wrong"
        said = f"**{sample[f'{of}_predicted']}**"
        model = selection.models[key]
        seeds = loading.predictions(model, selection.part).seeds
        if wrong := seeds_wrong(sample.get(f"{of}_wrong"), seeds):
            said, word = f"{said} in most seeds", wrong
        st.markdown(f"{letter(key)} says {said}: {word}")
        if tells_how_sure(model, selection.part):
            probs[key] = face_loading.probabilities(model, selection.part, int(sample["row"]))
    if not probs:
        return
    show_figure(probability_figure(probs), alt="Seven probabilities")
    csv_button(
        lambda: _numbers(sample, probs, selection), f"face-{sample['row']}",
        models={key: selection.models[key] for key in probs}, part=selection.part,
    )  # fmt: skip


def _said_by(sample: pd.Series, selection: Selection) -> list[str]:
    """Those of 'A' and 'B' that the sample table holds."""
    return [key for key in selection.models if f"{key.lower()}_predicted" in sample]


def seeds_wrong(share: float | None, seeds: int) -> str:
    """'wrong in 18 of 20'; '' for a single run. share: of the seeds."""
    return "" if share is None else f"wrong in {round(share * seeds)} of {seeds}"


def _numbers(sample, probs: dict[str, np.ndarray], selection: Selection) -> pd.DataFrame:
    """The dialog's figures as a table: each model's probabilities, and the raters' votes."""
    votes = face_loading.votes(selection.a.run)
    table = pd.DataFrame({f"{key.lower()}_probability": values for key, values in probs.items()})
    if votes is not None:  # FER+ has the seven classes in this order, and three more categories
        table = table.reindex(range(len(CATEGORIES)))
        table["votes"] = votes.counts[int(sample["row"])]
    table.insert(0, "class", [*CLASSES, *CATEGORIES[len(CLASSES) :]][: len(table)])
    for name in ("label", "pixels", "row"):
        table.insert(0, name, sample[name])
    return table


def _looks(sample, face, selection: Selection) -> None:
    """Grad-CAM, and an LSTM's steps. Torch is loaded only when it is asked for."""
    if face is None:
        st.caption("The image is not on this machine.")
        return
    target = st.selectbox(
        "What speaks for",
        CLASSES,
        index=CLASSES.index(sample["a_predicted"]),
        key=f"look-for-{sample['row']}",
    )
    keys = _said_by(sample, selection)
    for key in keys:
        if not selection.models[key].single:
            st.caption(f"Of {key} it is {selection.models[key].asked_in_words}, that is asked.")
    asked = {
        key: selection.runs[key] for key in keys if answers_or_say_so(key, selection.models[key])
    }
    what_they_look_at(asked, face, CLASSES.index(target))


def _votes(sample, selection: Selection) -> None:
    votes = face_loading.votes(selection.a.run)
    if votes is None:
        st.caption(face_loading.no_votes(selection.a.run))
        return
    given = pd.Series(votes.counts[int(sample["row"])], index=list(CATEGORIES), name="votes")
    most = " and ".join(f"**{name}**" for name in given.index[given == given.max()])
    st.markdown(f"Ten raters of FER+ (Barsoum et al., 2016) said, most often {most}:")
    given = given[given > 0].sort_values(ascending=False, kind="stable")
    st.bar_chart(given, horizontal=True, x_label="", y_label="votes", sort=False, height=220)


def _alike(face, selection: Selection) -> None:
    neighbours = None if face is None else face_loading.nearest_training(selection.a.run.home, face)
    if neighbours is None:
        st.caption("The image is not on this machine.")
        return
    if neighbours.empty:
        st.caption("A picture of one grey value is like no other, and this one has no copy.")
        return
    st.caption(
        f"The nearest Training images by their pixels; {neighbours['exact'].sum()} of them are "
        "copies of this one. Similarity is the correlation of 12×12 thumbnails, 1 for equal."
    )
    for place, (_, line) in zip(st.columns(len(neighbours)), neighbours.iterrows()):
        place.image(tile(line["face"], 2), width="stretch", alt="A Training image like it")
        place.caption(f"{CLASSES[line['label']]}  \n{line['similarity']:.2f}")
