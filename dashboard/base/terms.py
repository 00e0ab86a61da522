"""The words of a page, each with its sentence of the glossary."""

import streamlit as st

from fercore.glossary import explained


def words_here(*terms: str) -> None:
    """A button that opens what the terms of this page mean."""
    with st.popover("Words", icon=":material/dictionary:", type="tertiary", key="words-here"):
        st.markdown(explained(*terms))
