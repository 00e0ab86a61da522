"""The picture of the house in `architecture.md`, drawn from the imports.

python docs/house.py

A box is a room: a folder, or a file beside the folders. An arrow means 'imports'. Arrows that
follow from others are left out, and the rooms that hold no logic of the field, which nearly all
others use, are one box.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = Path(__file__).with_name("architecture.md")
PICTURE = re.compile(r"```mermaid\n.*?```", re.S)
UNDER_ALL = "ground"  # fercore's files beside its folders


def rooms(house: str) -> dict[str, set[str]]:
    """Each room, and those of the same house that it imports."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / house).rglob("*.py")):
        place = path.relative_to(ROOT / house)
        if place.name.startswith("__") and len(place.parts) == 1:
            continue
        room = _room(house, place.parts[0].removesuffix(".py"))
        modules = (name.split(".") for name in _imported(path))
        below = {_room(house, parts[1]) for parts in modules if parts[0] == house and parts[1:]}
        found[room] = found.get(room, set()) | below
    return {room: (below & found.keys()) - {room} for room, below in found.items()}


def _room(house: str, name: str) -> str:
    beside = house == "fercore" and (ROOT / house / f"{name}.py").exists()
    return UNDER_ALL if beside else name


def _imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def arrows(found: dict[str, set[str]]) -> list[tuple[str, str]]:
    """From room to room, without those that follow from others."""

    def reached(room: str) -> set[str]:
        return found[room].union(*map(reached, found[room]))

    return [
        (room, one)
        for room, below in found.items()
        for one in sorted(below)
        if not any(one in reached(other) for other in below - {one})
    ]


def picture() -> str:
    """The Mermaid block as it should stand."""
    lines = ["```mermaid", "flowchart TD", "    pages --> dashboard --> fercore"]
    for house in ("dashboard", "fercore"):
        lines.append(f"    subgraph {house}")
        for above, below in arrows(rooms(house)):
            lines.append(f"        {_box(house, above)} --> {_box(house, below)}")
        lines.append("    end")
    return "\n".join([*lines, "```"])


def _box(house: str, room: str) -> str:
    """Both houses have a room `study` and a room `faces`: a box has its house in its name."""
    return f"{house}_{room}[{room}]"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PICTURE.sub(lambda _: picture(), text, count=1), encoding="utf-8")
