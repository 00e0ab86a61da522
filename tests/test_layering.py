"""Imports run one way: pages → dashboard → fercore, and within fercore from the top down."""

import ast
import re
import subprocess
import sys
from contextlib import suppress
from importlib import import_module

import pytest

from tests.conftest import ROOT

# From the top down; a file may import from its own room and from those below.
FLOORS = {
    "fercore": [
        *("__main__", "cli", "report", "groups", "study", "jobs", "analysis", "importing"),
        *("predict", "runs", "training", "figures"),
        *("scoring", "models", "data", "faces", "wording", "csv_tables", "files", "paths"),
        *("shapes", "places", "glossary", "labels", "errors"),
    ],
    "dashboard": [
        *("app", "compare", "sidebar", "study", "live", "own", "faces", "base"),
    ],
}
MODULES, DASHBOARD = (sorted((ROOT / name).rglob("*.py")) for name in ("fercore", "dashboard"))


def imported(path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(path) -> str:
    return path.relative_to(ROOT).parts[1].removesuffix(".py")


@pytest.mark.parametrize(
    "path", [*MODULES, *DASHBOARD], ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_go_down_the_house(path):
    house, room = path.relative_to(ROOT).parts[0], room_of(path)
    if room == "__init__":
        return
    floors = FLOORS[house]
    assert room in floors, f"give '{room}' a floor"
    used = {name.split(".")[1] for name in imported(path) if name.startswith(f"{house}.")}
    assert not used & set(floors[: floors.index(room)])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_knows_nothing_of_the_dashboard(path):
    above = {"streamlit", "dashboard", "pages"}
    assert not above & {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("folder", ["fercore", "dashboard"])
def test_nobody_imports_pages(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert not [name for name in imported(path) if name.split(".")[0] == "pages"]


ASKING_THE_MODEL = {"predict", "webcam", "what_if"}
TABLES = ROOT / "fercore" / "groups" / "tables.py"
OTHERS = [path for path in (ROOT / "pages").glob("*.py") if path.stem not in ASKING_THE_MODEL]


def test_no_page_pays_for_torch_before_it_is_asked_for():
    """In one process, for what all of them read takes a second and a half."""
    lines = ["import sys"]
    for path in (*OTHERS, ROOT / "dashboard" / "app.py", TABLES):
        tree = ast.parse(path.read_text())
        lines += [ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        lines.append(f"assert 'torch' not in sys.modules, {path.name!r}")
    assert len(lines) > 2 * len(OTHERS) > 30
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, cwd=ROOT)


def test_a_command_pays_for_what_it_does_alone():
    """What each of them reads at its start: half of that was SciPy once."""
    heavy = {"torch", "scipy", "sklearn", "streamlit", "plotly"}
    line = f"import sys, fercore.cli; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", line], check=True, cwd=ROOT)


def test_no_path_is_edited_and_no_pickle_is_read():
    for path in [*MODULES, *DASHBOARD, *(ROOT / "pages").glob("*.py")]:
        text = path.read_text()
        assert "sys.path" not in text
        assert "pickle.load" not in text


@pytest.mark.parametrize(
    "path",
    [*MODULES, *DASHBOARD, *(ROOT / "pages").glob("*.py")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_cache_is_bounded(path):
    """What is kept by what was asked for grows with whoever asks, in a process that goes on."""
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef) and function.args.args:
            for decorator in map(ast.unparse, function.decorator_list):
                if decorator.startswith(("st.cache_", "lru_cache")):
                    assert re.search(r"max_entries=|maxsize=\d", decorator), function.name
                assert decorator not in ("cache", "functools.cache"), function.name


def test_what_a_text_names_is_there():
    for path in [*MODULES, *DASHBOARD]:
        for name in re.findall(r"`((?:fercore|dashboard)(?:\.\w+)+)`", path.read_text()):
            assert is_there(name), f"{path}: {name}"


def is_there(name: str) -> bool:
    """A module, a package, or what one of them has."""
    inner, _, last = name.rpartition(".")
    for place, wanted in ((name, None), (inner, last)):
        with suppress(ModuleNotFoundError):
            module = import_module(place)
            return wanted is None or hasattr(module, wanted)
    return False
