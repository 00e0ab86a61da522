"""The sidebar's choice of models A and B, of the images, and of what is looked at among them."""

from collections.abc import Sequence

import streamlit as st

from dashboard.base import keys, loading
from dashboard.base.badges import titled
from dashboard.base.own_slices import own_slices
from dashboard.base.plain import plain
from dashboard.base.selection import ANY, NO_MODEL, WHOLE_RANGE, default_pair
from fercore.glossary import explained
from fercore.groups.group import Group
from fercore.labels import CLASSES
from fercore.scoring.labelling import LABELS
from fercore.scoring.slices import SLICES, slice_title

# One for all four: each is a stop of the Tab key, before the page.
_HELP = f"""**Model A, Model B**: A is drawn in blue, B in orange. The runs made
here follow the first pair.
{explained("group", "run")}

**Images**: {explained("PrivateTest", "without duplicates", "PublicTest")} Below them are other sets
that runs were scored on by `fercore evaluate RUN --data SET --keep`.

**Labels**: what counts as right: the label that comes with an image, the most frequent answer of
FER+'s ten raters, or your verdicts from Review. Images without such a label are left out."""


def model_pickers() -> None:
    """Widgets for A, B and the part; `parameters` has their values."""
    for problem in loading.unreadable_runs():
        st.warning(plain(problem))
    models = {model.name: model for model in loading.models()}
    if not models:
        return
    st.caption("Compared on every page", help=_HELP)
    for key, label, options in (
        (keys.MODEL_A, "Model A", names := _in_order(list(models.values()))),
        (keys.MODEL_B, "Model B", [*names, NO_MODEL]),
    ):
        chosen = st.selectbox(label, options, _at_first(options, key), key=key)
        model = models.get(chosen)
        st.caption("  \n".join(_about(model) if model else ["one model alone"]))
    parts = loading.every_part()
    st.selectbox(
        "Images",
        list(parts),
        _at_first(list(parts), keys.PART),
        format_func=lambda part: parts.get(part, part),
        key=keys.PART,
    )
    st.selectbox(
        "Labels",
        list(LABELS),
        _at_first(list(LABELS), keys.LABELS),
        format_func=LABELS.__getitem__,
        key=keys.LABELS,
    )


def _in_order(models: list[Group]) -> list[str]:
    """The pair that the app opens on, then the runs made on this machine, then the others."""
    own = [model.name for model in models if model.single and not model.members[0].shipped]
    names = [*default_pair(models), *own, *(model.name for model in models)]
    return [name for name in dict.fromkeys(names) if name != NO_MODEL]


def narrowing() -> None:
    """Widgets for what is selected among the images, folded; what is chosen stands on the page."""
    if not loading.runs():
        return
    with st.expander("Narrow down", icon=":material/filter_alt:", key="narrow-down"):
        _cell()
        _slice_and_confidence()


def _cell() -> None:
    alone = st.session_state[keys.MODEL_B] == NO_MODEL
    for label, key, meaning in (
        ("Label", keys.TRUE, "The expression the dataset says."),
        ("A says", keys.PREDICTED, "The expression that A finds most probable."),
        ("B says", keys.PREDICTED_B, "The expression that B finds most probable."),
    ):
        off = key == keys.PREDICTED_B and alone
        says = (ANY, *CLASSES)
        st.selectbox(label, says, _at_first(says, key), key=key, help=meaning, disabled=off)


def _slice_and_confidence() -> None:
    known = (slice_title(name, part) for name, parts in SLICES.items() for part in parts)
    slices = (ANY, *known, *own_slices().values())
    st.selectbox(
        "Slice",
        slices,
        _at_first(slices, keys.SLICE),
        key=keys.SLICE,
        help=f"{explained('slice')} The page Slices compares them all.",
    )
    st.slider(
        "Confidence, %",
        *WHOLE_RANGE,
        key=keys.CONFIDENCE,
        help=f"{explained('confidence')} A's, or B's where only what B says is chosen.",
    )


def _about(model: Group) -> list[str]:
    """A model's title, and what there is to say about it."""
    more = [model.run.note] if model.single else model.left_out
    return [titled(model), *(plain(sentence) for sentence in more if sentence)]


def _at_first(options: Sequence[str], key: str) -> int:
    """What the browser shows until it hears of the value; a click may come before that."""
    chosen = st.session_state[key]
    return options.index(chosen) if chosen in options else 0
