"""What a callback has come to: a callback runs before the page is drawn, so what it has to say is
kept until then, and told once. `owner` is the session's key under which it waits.
"""

from collections.abc import Callable

import streamlit as st

from dashboard.base.plain import plain
from fercore.errors import FerError


def keep(owner: str, sentence: str, *, well: bool = True) -> None:
    st.session_state[owner] = (well, sentence)


def keep_of(owner: str, act: Callable[[], str]) -> bool:
    """Do it, and keep the sentence that it returns, or that of the error which it raises; whether
    it went well.
    """
    try:
        keep(owner, act())
    except FerError as error:
        keep(owner, str(error), well=False)
        return False
    return True


def tell(owner: str, *, small: bool = False) -> bool:
    """Whether there was anything to tell. small: in a line, where it went well."""
    well, sentence = st.session_state.pop(owner, (True, ""))
    if not sentence:
        return False
    if not well:
        st.error(plain(sentence))
    elif small:
        st.caption(f":green[:material/check: {plain(sentence)}]")
    else:
        st.success(plain(sentence), icon=":material/check:")
    return True
