"""Pieces that pages share: the heading, empty states, downloads, face tiles."""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image
from streamlit.delta_generator import DeltaGenerator

from dashboard.base import loading, theme
from dashboard.base.address import NOT_HERE, PAGE
from dashboard.base.badges import titled
from dashboard.base.parameters import class_link, link
from dashboard.base.plain import file_name, in_brackets, plain
from dashboard.base.selecting import clear, the_datasets_labels
from dashboard.base.selection import ANY, Selection
from dashboard.base.terms import words_here
from fercore import wording
from fercore.csv_tables import csv_text
from fercore.data import SYNTHETIC
from fercore.glossary import explained
from fercore.groups.group import Group
from fercore.labels import NOT_FOR, SIZE
from fercore.scoring.labelling import LABELS
from fercore.scoring.samples import selected_samples

CROSSED = "the interval holds for new seeds and new images alike"


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
    _labels_line(selection)
    if selection.words:
        _selection_line(selection, to_faces)
    seeds_left_out(selection)
    paired_or_say_so(selection)


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
            f"{theme.count(left_out)} images of this part have no such label and are left out.",
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
    return f": {theme.count(found)} face{'' if found == 1 else 's'}"


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


def letter(key: str) -> str:
    """'A' or 'B' in its colour, as Markdown."""
    return f":{'blue' if key == 'A' else 'orange'}[**{key}**]"


def one_of(
    label: str,
    options: Mapping[str, str] | Sequence[str],
    key: str,
    *,
    place: DeltaGenerator | None = None,
    help_: str | None = None,
) -> str:
    """A choice of one of `options`, in their words where they are given; `key` has its value."""
    words = options if isinstance(options, Mapping) else dict(zip(options, options))
    at_first = next(iter(words))
    if (value := st.session_state.get(key)) in words:
        at_first = str(value)  # what the browser shows until it hears of the value
    return (place or st).segmented_control(
        label, list(words), required=True, format_func=lambda name: words.get(name, name),
        default=at_first, key=key, help=help_,
    )  # fmt: skip


def explain_toggle(what: str) -> bool:
    """Whether the page's figure is explained; kept from one page to the next."""
    return st.toggle("Explain", key="explain", help=f"Marks and words for {what}.")


def csv_button(
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    *,
    models: Mapping[str, Group] | None = None,
    label: str = "Download as CSV",
    **about: str | None,
) -> None:
    """A download of the figures behind a page; a function is called only when they are wanted.

    models: by key, those that the table is about; `about` are more columns that say of what it
    is, as `part`, where they are not None. All of them are in the file's name.
    """
    models = models or {}
    more = {column: value for column, value in about.items() if value is not None}
    names = "_".join([name, *(model.name for model in models.values()), *more.values()])

    def text() -> bytes:
        lines = table() if callable(table) else table
        return csv_text(lines, **_columns_of(lines, models), **more).encode()

    st.download_button(
        label,
        data=text,
        file_name=file_name(names) + ".csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _columns_of(table: pd.DataFrame, models: Mapping[str, Group]) -> dict[str, Any]:
    """Columns that name the runs or groups and their dataset: by the line where it is one's."""
    laid = [model.labelling.name for model in models.values() if model.labelling]
    labels = {"labels": laid[0]} if laid else {}  # all are scored against the same
    if "model" in table:
        return labels | {
            "model": table["model"],
            "run": [models[key].name for key in table["model"]],
            "dataset": [models[key].dataset for key in table["model"]],
        }
    if not models:
        return {}
    first, *more = models.values()
    named = {f"run_{key.lower()}": model.name for key, model in models.items()}
    return (named if more else {"run": first.name}) | {"dataset": first.dataset} | labels


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The models' tables below each other, with a column that tells whose a line is."""
    return pd.concat(tables, names=["model"]).reset_index("model")


def paged(length: int, per_page: int, key: str, *, of: object = None) -> slice:
    """Page buttons for so many items, and the slice of them that is on the chosen page.

    `of` is what is paged, where no parameter of the URL says it: where it is another than before,
    the first page comes again.
    """
    state, known = st.session_state, f"{key}-of"
    if state.setdefault(known, of) != of:
        state[key] = 1
    state[known] = of
    pages = max(-(-length // per_page), 1)
    if state.get(key, 1) > pages:
        st.warning(f"There is no page {state[key]} here. Shown instead: page 1.", icon=NOT_HERE)
        state[key] = 1
    page = st.pagination(pages, key=key) if pages > 1 else 1
    return slice((page - 1) * per_page, page * per_page)


def enlarged(face: NDArray[np.uint8], factor: int) -> Image.Image:
    """A 48×48 face, each pixel a square: nothing is smoothed away or made up."""
    return Image.fromarray(face).resize((SIZE * factor, SIZE * factor), Image.Resampling.NEAREST)


def tile(face: NDArray[np.uint8], factor: int) -> str:
    """`enlarged` as a data URL, made once."""
    return _tile(face.tobytes(), factor)


@lru_cache(maxsize=4000)
def _tile(pixels: bytes, factor: int) -> str:
    return png_url(enlarged(np.frombuffer(pixels, np.uint8).reshape(SIZE, SIZE), factor))


def png_url(picture: Image.Image) -> str:
    """A picture as a data URL: given the picture, Streamlit encodes it anew each time, and one
    without colours as a JPEG.
    """
    file = BytesIO()
    picture.save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"


def score_card(key: str, model: Group, scores: Mapping[str, Any]) -> None:
    """One model's headline figures."""
    how = f"a mean over {len(model.members)} seeds; {CROSSED}" if not model.single else "Wilson"
    with st.container(border=True, height="stretch"):
        st.markdown(f"{letter(key)}  {titled(model)}")
        bounds = in_brackets(wording.interval(scores["accuracy_interval"]))
        st.subheader(
            f"{wording.percent(scores['accuracy'])} :gray[{bounds}]",
            anchor=False,
            help=f"{explained('accuracy', '95 % interval')} Here: {how}.",
        )
        st.caption(
            f"macro F1 {wording.percent(scores['macro_f1'])} · "
            f"macro AUC {wording.percent(scores['macro_auc'])} · {wording.n_equals(scores['n'])}",
            help=explained("macro F1", "macro AUC"),
        )
