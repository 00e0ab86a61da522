"""Pieces that pages share: choices, pages of a list, a model's headline figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.base.address import choose_instead
from dashboard.base.badges import titled
from dashboard.base.plain import in_brackets, plain
from fercore import wording
from fercore.glossary import explained
from fercore.groups.group import Group


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


def one_of_these(key: str, options: Sequence[str], words: Callable[[str], str] = str) -> None:
    """Choose the first of `options` where what is chosen is none of them; says so where a link, or
    the choice on other images or models, named it. words: an option as the screen has it.
    """
    chosen = st.session_state.get(key, "")
    if chosen in options:
        return
    if not chosen:
        st.session_state[key] = options[0]
        return
    no, instead = plain(words(chosen)), plain(words(options[0]))
    choose_instead(key, options[0], f"There is no “{no}” here. Shown instead: {instead}.")


def explain_toggle(what: str) -> bool:
    """Whether the page's figure is explained; kept from one page to the next."""
    return st.toggle("Explain", key="explain", help=f"Marks and words for {what}.")


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
        choose_instead(key, 1, f"There is no page {state[key]} here. Shown instead: page 1.")
    page = st.pagination(pages, key=key) if pages > 1 else 1
    return slice((page - 1) * per_page, page * per_page)


def score_card(key: str, model: Group, scores: Mapping[str, Any]) -> None:
    """One model's headline figures."""
    how = "Wilson"
    if not model.single:
        how = (
            f"a mean over {len(model.members)} seeds; the interval holds for new seeds and new "
            "images alike"
        )
    with st.container(border=True, height="stretch"):
        st.markdown(f"{letter(key)}  {titled(model)}")
        bounds = in_brackets(wording.interval(scores["accuracy_interval"]))
        st.subheader(
            f"{wording.percent(scores['accuracy'])} :gray[{bounds}]",
            anchor=False,
            help=f"{explained('accuracy', '95 % interval')} Here: {how}.",
        )
        more = (_figure(scores, name) for name in ("macro F1", "macro AUC"))
        st.caption(
            f"{' · '.join(more)} · {wording.n_equals(scores['n'])}",
            help=explained("macro F1", "macro AUC"),
        )


def _figure(scores: Mapping[str, Any], name: str) -> str:
    """'macro F1 57.7 % [55.6, 59.8]', without an interval where none is kept."""
    key = name.lower().replace(" ", "_")
    told = f"{name} {wording.percent(scores[key])}"
    if bounds := scores.get(f"{key}_interval"):
        told += f"{wording.NO_BREAK}{in_brackets(wording.interval(bounds))}"
    return told
