"""The model card of a run or a group: a panel that shows it, and a button."""

import re

import streamlit as st

from dashboard.base.failures import errors_told
from dashboard.base.plain import file_name, without_directives
from dashboard.base.turns import out_of_turn
from fercore.groups.group import Group

_CHOSEN, _SHOWN = "card-run", "card-shown"


def card_panel(models: list[Group]) -> None:
    """Folded: a group or a run is chosen, its card shown or downloaded."""
    titles = {model.name: f"{model.name}: {model.title}" for model in models}
    with st.expander("A model card"):
        st.caption(
            "What a model is for and what it is not for, the data and their faults, and how often "
            "it is right on what: in Markdown, as model hubs expect it. Of a group, figures are "
            "means over its seeds."
        )
        chosen = st.selectbox(
            "Whose card", list(titles), key=_CHOSEN, format_func=lambda name: titles.get(name, name)
        )
        model = next((model for model in models if model.name == chosen), models[0])
        card_button(model, "Download the card")
        if st.toggle("Show it here", key=_SHOWN):
            with errors_told("The card"):
                with out_of_turn():
                    _, _, text = _card(model).split("---\n", 2)  # the front matter is for programs
                beneath = re.sub(r"^#", "###", text, flags=re.M)  # the page's own titles
                st.markdown(without_directives(beneath))


def card_button(model: Group, label: str) -> None:
    """A download of a model's card, which is made when it is wanted."""
    st.download_button(
        label,
        data=lambda: _card(model).encode(),
        file_name=f"{file_name(model.name)}.md",
        mime="text/markdown",
        icon=":material/download:",
        on_click="ignore",
    )


def _card(model: Group) -> str:
    from fercore.report.card import card

    return card(model)
