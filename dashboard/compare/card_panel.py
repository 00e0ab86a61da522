"""A run's model card on the page of runs."""

import re

import streamlit as st

from dashboard.base.failures import errors_told
from dashboard.base.plain import without_directives
from fercore.runs.artifacts import Run
from fercore.runs.words import run_title

_CHOSEN, _SHOWN = "card-run", "card-shown"


def card_panel(runs: list[Run]) -> None:
    """Folded: a run is chosen, its card shown or downloaded."""
    titles = {run.run_id: f"{run.run_id}: {run_title(run)}" for run in runs}
    with st.expander("A model card"):
        st.caption(
            "What a run is for and what it is not for, the data and their faults, and how often it "
            "is right on what: in Markdown, as model hubs expect it."
        )
        chosen = st.selectbox(
            "Whose card", list(titles), key=_CHOSEN, format_func=lambda name: titles.get(name, name)
        )
        run = next((run for run in runs if run.run_id == chosen), runs[0])
        st.download_button(
            "Download the card",
            data=lambda: _card(run).encode(),
            file_name=f"{run.run_id}.md",
            mime="text/markdown",
            icon=":material/download:",
            on_click="ignore",
        )
        if st.toggle("Show it here", key=_SHOWN):
            with errors_told("The card"):
                _, _, text = _card(run).split("---\n", 2)  # the front matter is for programs
                beneath = re.sub(r"^#", "###", text, flags=re.M)  # the page's own titles
                st.markdown(without_directives(beneath))


def _card(run: Run) -> str:
    from fercore.report.card import card

    return card(run)
