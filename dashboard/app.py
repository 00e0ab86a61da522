"""The app: `streamlit run dashboard/app.py`. Router and sidebar; the pages lie in `pages/`."""

from collections import defaultdict
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard.base.navigation import PAGES, page_at

HOME = "overview"

# No trace on the screen, also where the settings of another folder hold.
st.set_option("client.showErrorDetails", "none")
st.set_page_config(
    page_title="fercore", page_icon=Path(__file__).with_name("icon.svg"), layout="wide"
)

st.html(Path(__file__).with_name("page.css"))

sections: dict[str, list[StreamlitPage]] = defaultdict(list)
for entry in PAGES.values():
    default = entry.name == HOME
    page = st.Page(
        entry.path,
        title=entry.title,
        icon=entry.icon,
        url_path="" if default else entry.name,
        default=default,
    )
    sections[entry.section].append(page)
    # Streamlit knows the first one by '/' alone; its own name is to lead to it as well
    for path in filter(None, (entry.name if default else "", entry.former)):
        sections[entry.section].append(
            st.Page(entry.path, title=entry.title, url_path=path, visibility="hidden")
        )
chosen = st.navigation(sections, position="top", expanded=True)

# Pandas comes with these: the browser draws the navigation meanwhile.
from dashboard.base import address, fields, figure_menus, parameters, tab_stops  # noqa: E402
from dashboard.base.failures import errors_told  # noqa: E402
from dashboard.base.loading import listed_once  # noqa: E402
from dashboard.base.turns import in_turn  # noqa: E402
from dashboard.sidebar.data_panel import data_panel  # noqa: E402
from dashboard.sidebar.finished_view import finished_view  # noqa: E402
from dashboard.sidebar.pickers import model_pickers, narrowing  # noqa: E402
from dashboard.sidebar.training_panel import training_panel  # noqa: E402

PANELS = {
    "The choice of models": model_pickers,
    "The finished training": finished_view,
    "The panel Retrain": training_panel,
    "The panel Narrow down": narrowing,
    "The panel Data": data_panel,
}

scripts = address.STEPS + fields.LEFT_BY_ESCAPE + tab_stops.MENUS_ONCE + figure_menus.MENUS
st.html(scripts, unsafe_allow_javascript=True)
with in_turn(), listed_once():
    with errors_told("What the link says"):
        parameters.follow(page_at(chosen.url_path) or HOME)
    address.say_what_is_not_here()
    with st.sidebar:
        for name, panel in PANELS.items():
            with errors_told(name):
                panel()
    with errors_told(f"The page {chosen.title}"):
        chosen.run()
