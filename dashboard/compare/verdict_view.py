"""Who is right more often, what that is about, and what it rests on."""

import streamlit as st

from dashboard.base import loading
from dashboard.base.parameters import link
from dashboard.base.plain import plain
from fercore.glossary import explained
from fercore.groups.finding import is_the_papers
from fercore.groups.group import Group
from fercore.groups.verdict import (
    any_imported,
    compares_architectures,
    paper_in_words,
    power_in_words,
    same,
    subject,
    verdict,
)
from fercore.scoring.predictions import PARTS
from fercore.study.contrasts import PLANNED_PART


def verdict_in_words(a: Group, b: Group, part: str, *, beside_paper: bool) -> None:
    """The verdict on a pair; of a model against itself, that it is one.

    beside_paper: whether the published pair was scored as these are.
    """
    about = plain(subject(a, b))
    if is_the_papers(a, b) and part != PLANNED_PART:
        about += (
            f" The study's plan compares them on {PARTS[PLANNED_PART]} (*Images* in the sidebar)."
        )
    if same(a, b):
        st.markdown(f"**{about}**")
        return
    result = loading.comparison(a, b, part)
    claim, evidence = verdict(result)
    st.markdown(f"**{claim}** {evidence}", help=explained("paired interval", "p", "beyond chance"))
    st.caption(about)
    architectures = not any_imported(a, b) and compares_architectures(a, b)
    told = [power_in_words(result), paper_in_words(a, b) if beside_paper else ""]
    if not any(told) and not architectures:
        return
    with st.expander("What this rests on", icon=":material/rule:"):
        for words in filter(None, told):
            st.markdown(words)
        if architectures:
            st.page_link(
                **link("does_the_lstm_lose"),
                label="Does the LSTM lose? Over all seeds",
                icon=":material/psychology_alt:",
            )
