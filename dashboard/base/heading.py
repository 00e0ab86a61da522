"""What stands at the top of a page: its title, A and B, what is selected, what cannot be said."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.address import PAGE
from dashboard.base.badges import titled
from dashboard.base.parameters import class_link, link
from dashboard.base.plain import plain
from dashboard.base.selecting import clear, the_datasets_labels
from dashboard.base.selection import ANY, Selection
from dashboard.base.sureness import labels_alone
from dashboard.base.terms import words_here
from dashboard.base.widgets import letter
from fercore.data import SYNTHETIC
from fercore.labels import NOT_FOR
from fercore.scoring.labelling import LABELS
from fercore.scoring.samples import selected_samples
from fercore.wording import count


def heading(title: str, explanation: str, *terms: str) -> None:
    """The page's title, a sentence on what it shows and how to read it, and what its terms mean."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False, width="stretch")
        if terms:
            words_here(*terms)
    st.caption(explanation)


def not_for() -> None:
    """What no answer of a model is to be used for."""
    st.caption(f":material/front_hand: {NOT_FOR}")


def models_line(selection: Selection, *, to_faces: bool = True) -> None:
    """Names A and B, the images they are looked at on, what is selected among them and, where the
    page does not show them, the way to its faces, and what that does not allow to say.
    """
    model_names(selection, f"images: {selection.part_name}")
    _sureness_line(selection)
    _labels_line(selection)
    with st.container():  # it keeps its place: the figures below are drawn anew where they move
        if selection.words:
            _selection_line(selection, to_faces)
    seeds_left_out(selection)
    paired_or_say_so(selection)


def _sureness_line(selection: Selection) -> None:
    """Says of which of them it is not known how sure they are."""
    for key, model in selection.models.items():
        unknown = loading.is_scored(model, selection.part) and labels_alone(model, selection.part)
        if unknown:
            st.caption(f"{letter(key)}: {unknown}.")


def _labels_line(selection: Selection) -> None:
    """Says what is right, and how many images have no such label, where it is not the dataset's."""
    if selection.labels == "dataset":
        return
    left_out = loading.left_out(selection.a.run, selection.part)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Labels: {LABELS[selection.labels]}", on_click=the_datasets_labels, key="chip-labels",
            icon=":material/close:", icon_position="right", help="Back to the dataset's labels.",
        )  # fmt: skip
        st.markdown(
            "1 image of this part has no such label and is left out."
            if left_out == 1
            else f"{count(left_out)} images of this part have no such label and are left out.",
            width="content",
        )


def seeds_left_out(selection: Selection) -> None:
    """Names the seeds of a group that are not among those shown, and why."""
    for model in selection.models.values():
        if not model.single and loading.is_scored(model, selection.part):
            for sentence in loading.predictions(model, selection.part).left_out:
                if sentence not in model.left_out:  # those the sidebar says
                    st.warning(plain(sentence))


def paired_or_say_so(selection: Selection) -> None:
    """Says where A and B were scored on different images."""
    if selection.b and not selection.pair:
        st.info(
            "A and B were scored on different images: their figures stand side by side, but "
            "nothing is compared image by image."
        )


def _selection_line(selection: Selection, to_faces: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        how_many = _how_many(selection) if to_faces else ""
        st.markdown(f"Selected: {selection.words}{how_many}", width="content")
        chips(selection)
        if to_faces:
            st.page_link(
                **link("misclassified"), label="See the faces", width="content",
                icon=":material/gallery_thumbnail:",
            )  # fmt: skip
            st.caption("It selects faces; the figures here are of all images.", width="content")
        if selection.true != ANY and st.session_state[PAGE] != "expression":
            way_to_class(selection.true)


def way_to_class(name: str) -> None:
    """A link from wherever a class is spoken of to what there is to say of it."""
    st.page_link(
        **class_link(name), label=f"{name} in depth", width="content",
        icon=":material/sentiment_dissatisfied:",
    )  # fmt: skip


def chips(selection: Selection) -> None:
    """A button for each thing that is selected, which takes it back, and one for all."""
    for key, words in selection.chips.items():
        st.button(
            words, on_click=clear, args=(key,), key=f"chip-{key}", icon=":material/close:",
            icon_position="right", help="Take it back.",
        )  # fmt: skip
    if len(selection.chips) > 1:
        st.button("Clear", on_click=clear, key="clear-selection", help="Take all of it back.")


def _how_many(selection: Selection) -> str:
    """': 112 faces'; nothing of a slice, whose images take time to find."""
    known = selection.pair or (selection.predicted_b == ANY and selection.of == "a")
    if selection.slice != ANY or not known or not loading.is_scored(selection.a, selection.part):
        return ""
    found = int(selected_samples(selection.samples, **selection.sample_filter).sum())
    return f": {count(found)} face{'' if found == 1 else 's'}"


def model_names(selection: Selection, *more: str) -> None:
    """Names A and B in their colours; warns where one learned from drawn faces."""
    models = selection.models
    names = [f"{letter(key)} {titled(model)}" for key, model in models.items()]
    st.markdown("  ·  ".join([*names, *more]))
    if any(model.dataset == SYNTHETIC for model in models.values()):
        st.warning(
            "Synthetic faces: drawn, not photographed. No accuracy on them says anything about "
            "real faces.",
            icon=":material/draw:",
        )
