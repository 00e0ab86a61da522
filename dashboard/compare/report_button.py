"""The report: all that the analysis pages say of two models, as one file to send."""

import streamlit as st

from dashboard.base.plain import file_name
from fercore.groups.group import Group


def report_button(a: Group, b: Group, part: str) -> None:
    """A download that is computed when it is wanted. It never shows a face."""

    def html() -> bytes:
        from fercore.report.page import report_html

        return report_html(a, b, part).encode()

    st.download_button(
        "Report to send",
        data=html,
        file_name=file_name(f"report_{a.name}_{b.name}_{part}") + ".html",
        mime="text/html",
        icon=":material/description:",
        on_click="ignore",
        help="One HTML file with the verdict, every figure and table, and how it all was made. It "
        "opens without a network and holds no face. It takes some seconds.",
    )
