"""The app: `streamlit run dashboard/app.py`. Router and sidebar; the pages lie in `pages/`."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.base.navigation import PAGES
from fercore.errors import FerError

st.set_page_config(page_title="fercore", page_icon=":material/sentiment_satisfied:", layout="wide")

sections: dict[str, list] = defaultdict(list)
for entry in PAGES.values():
    page = st.Page(
        entry.path,
        title=entry.title,
        icon=entry.icon,
        url_path=entry.name,
        default=entry.name == "overview",
    )
    sections[entry.section].append(page)
chosen = st.navigation(sections, expanded=True)

# Pandas comes with these: the browser draws the navigation meanwhile.
from dashboard.base.selection import follow_link  # noqa: E402
from dashboard.sidebar.data_panel import data_panel  # noqa: E402
from dashboard.sidebar.finished_view import finished_view  # noqa: E402
from dashboard.sidebar.pickers import pickers  # noqa: E402
from dashboard.sidebar.training_panel import training_panel  # noqa: E402


@contextmanager
def errors_told() -> Iterator[None]:
    try:
        yield
    except FerError as error:
        st.error(str(error))


follow_link(chosen.url_path)
with st.sidebar:
    for part in (pickers, data_panel, finished_view, training_panel):
        with errors_told():
            part()
with errors_told():
    chosen.run()
