"""Overview's three ways in, one for each who comes."""

from typing import NamedTuple

import streamlit as st

from dashboard.base.parameters import link


class Way(NamedTuple):
    """Who it is for, what they ask, and the page that answers; changes: of its view, as the URL
    has them.
    """

    reader: str
    icon: str
    question: str
    page: str
    changes: dict[str, str]


WAYS = (
    Way(
        "teacher, student", ":material/school:", "What does a confusion matrix say?",
        "confusion", {"explain": "on"},
    ),
    Way(
        "researcher", ":material/science:", "Is the difference the architecture's?",
        "does_the_lstm_lose", {},
    ),
    Way("engineer", ":material/build:", "Is it good enough?", "good_enough", {}),
)  # fmt: skip


def start_here() -> None:
    """A card for each reader, with the page to begin at."""
    for place, way in zip(st.columns(len(WAYS)), WAYS):
        with place.container(border=True, gap="xxsmall"):
            st.caption(f"Start here: {way.reader}")
            st.page_link(**link(way.page, **way.changes), label=way.question, icon=way.icon)
