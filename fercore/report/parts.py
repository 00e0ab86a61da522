"""What a report is made of: sections of sentences, tables, figures and faces. Plain data.

Nothing here is escaped; the template does that.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import plotly.graph_objects as go

_FONT = {"family": "system-ui, sans-serif", "size": 12, "color": "#1a1a1a"}


@dataclass(frozen=True)
class Text:
    """A paragraph; `strong` comes before `text`, in bold."""

    text: str
    strong: str = ""
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Table:
    """The first column names a row, the others stand to the right. fold: its title, where it is
    to be unfolded.
    """

    columns: list[str]
    rows: list[list[str]]
    caption: str = ""
    fold: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Drawing:
    """A figure as JSON, every '<' escaped: none can close the page's script. half: two to a row."""

    title: str
    json: str
    height: int
    half: bool = False
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Tile:
    """A face as a PNG in a data URL, and a word on it."""

    image: str
    words: str


@dataclass(frozen=True)
class Faces:
    title: str
    tiles: list[Tile]
    kind: ClassVar[str] = "faces"


Part = Text | Table | Drawing | Faces


@dataclass(frozen=True)
class Section:
    """name: what a link calls it."""

    name: str
    title: str
    parts: list[Part] = field(default_factory=list)


def drawing(figure: go.Figure, *, half: bool = False, height: int | None = None) -> Drawing:
    """A figure of `fercore.figures`, on paper: light, as wide as its place."""
    told = figure.layout.meta
    size = 10 if half else 12
    figure.update_layout(
        template="plotly_white", font=_FONT | {"size": size}, autosize=True,
        height=height or figure.layout.height, paper_bgcolor="white",
    )  # fmt: skip
    return Drawing(
        told["title"], figure.to_json().replace("<", "\\u003c"), figure.layout.height, half
    )
