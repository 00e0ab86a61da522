"""The pages, in the order of the menus. Adding one is a file in `pages/` and a line here."""

from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parents[2] / "pages"


class PageEntry(NamedTuple):
    """A page and the menu it is in; '' for the bar itself. former: its name of before, whose links
    still lead to it. compares: whether it sets A against B.
    """

    section: str
    title: str
    icon: str
    former: str = ""
    compares: bool = True

    @property
    def name(self) -> str:
        return self.title.lower().replace(" ", "_").replace("-", "_").rstrip("?")

    @property
    def path(self) -> Path:
        return _FOLDER / f"{self.name}.py"


PAGES = {
    entry.name: entry
    for entry in (
        PageEntry("", "Overview", ":material/dashboard:"),
        PageEntry(
            "", "Does the LSTM lose?", ":material/psychology_alt:", former="why_the_lstm_loses",
            compares=False,
        ),
        PageEntry("Compare", "Confusion", ":material/grid_on:"),
        PageEntry("Compare", "Per class", ":material/bar_chart:"),
        PageEntry("Compare", "ROC and PR", ":material/show_chart:"),
        PageEntry("Compare", "Calibration", ":material/balance:"),
        PageEntry("Compare", "Misclassified", ":material/gallery_thumbnail:"),
        PageEntry("Compare", "Training", ":material/trending_up:"),
        PageEntry("Compare", "Good enough?", ":material/verified:"),
        PageEntry("Understand", "Expression", ":material/sentiment_dissatisfied:"),
        PageEntry("Understand", "Slices", ":material/content_cut:"),
        PageEntry("Understand", "Robustness", ":material/blur_on:"),
        PageEntry("Understand", "Embedding", ":material/scatter_plot:"),
        PageEntry("Understand", "Pretraining", ":material/school:", compares=False),
        PageEntry("Data", "Data audit", ":material/fact_check:"),
        PageEntry("Data", "Review", ":material/rate_review:"),
        PageEntry("Data", "Runs", ":material/inventory_2:", compares=False),
        PageEntry("Try it", "Predict", ":material/add_a_photo:", compares=False),
        PageEntry("Try it", "What if", ":material/tune:", compares=False),
        PageEntry("Try it", "Webcam", ":material/videocam:", compares=False),
        PageEntry("Try it", "Your faces", ":material/face_retouching_natural:", compares=False),
    )
}  # fmt: skip


def page_at(path: str) -> str:
    """The name of the page at a path of the URL, which may be the one that it had before."""
    return next((entry.name for entry in PAGES.values() if entry.former == path != ""), path)


def page_path(name: str) -> str:
    """The path by which `st.page_link` and `st.switch_page` know a page."""
    return str(PAGES[name].path)
