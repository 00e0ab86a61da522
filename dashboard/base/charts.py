"""A figure on the page. Its title is a line of the page, which a narrow screen wraps; a figure of
several panels keeps its width there and is scrolled sideways (see `page.css`).
"""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard.base.figures import STATIC
from dashboard.base.plain import plain


def show_figure(figure: go.Figure, *, alt: str, **options: Any) -> None:
    """`options` are `st.plotly_chart`'s. `alt` says what is seen, without marks."""
    about = figure.layout.meta or {}
    place = f"{'wide' if about.get('wide') else 'figure'}-{options.get('key') or alt}"
    with st.container(key="".join(c if c.isalnum() else "-" for c in place), gap="xxsmall"):
        if about.get("title"):
            st.markdown(f"**{plain(about['title'])}**")
        st.plotly_chart(figure, alt=alt, **({"config": STATIC} | options))
