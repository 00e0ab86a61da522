"""What a run is beyond a model of a seed, as badges: a colour and always a word."""

from dashboard.base.plain import plain
from fercore.data import SYNTHETIC
from fercore.groups.group import Group, group_of
from fercore.runs.artifacts import Run
from fercore.runs.words import CUT_SHORT, ENSEMBLE, IMPORTED, UNCOMMITTED

# Not blue and not orange: those are A's and B's.
LOOKS = {
    SYNTHETIC: ("violet", ":material/draw:"),
    ENSEMBLE: ("green", ":material/stacks:"),
    IMPORTED: ("gray", ":material/input:"),
    CUT_SHORT: ("yellow", ":material/content_cut:"),
    UNCOMMITTED: ("red", ":material/commit:"),
}


def titled(model: Group) -> str:
    """A model's title as Markdown, with a badge for each thing to know of it."""
    return " · ".join(badge(part.words, part.mark) for part in model.title_pieces)


def badge(words: str, mark: str) -> str:
    """Words in the look of a mark; as they are without one."""
    if not mark:
        return plain(words)
    colour, icon = LOOKS[mark]
    return f":{colour}-badge[{icon} {plain(words)}]"


def marks(run: Run) -> list[str]:
    """Those of `LOOKS` that hold for a run."""
    return [part.mark for part in group_of(run).title_pieces if part.mark]
