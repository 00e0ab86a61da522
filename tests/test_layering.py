"""Imports run one way: pages → dashboard → fercore, and within fercore from the top down."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# From the top down; a module may import from its own layer and from those below.
LAYERS = [
    {"cli", "__main__"},
    {"study"},
    {"jobs", "experiment", "request", "turns", "transfer", "status", "predictor", "hardware"}
    | {"face_results", "saliency", "extras", "tables", "export", "ensemble"},
    {"artifacts"},
    {"training", "evaluation", "inference", "slices", "audit", "review", "calibration", "record"},
    {"models", "data", "metrics", "statistics", "predictions", "recipes", "references", "faces"}
    | {"photos", "precision", "sample_photos", "image_properties", "neighbours", "corruptions"}
    | {"video"},
    {"labels", "errors", "files", "durations", "wording"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
MODULES = sorted((ROOT / "fercore").rglob("*.py"))


def imported(path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer_of(path) -> str:
    relative = path.relative_to(ROOT / "fercore").parts
    return relative[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_fercore_imports_downwards(path):
    names = imported(path)
    assert not [name for name in names if name.split(".")[0] in ("streamlit", "dashboard", "pages")]
    layer = layer_of(path)
    if layer == "__init__":
        return
    assert layer in RANK, f"give '{layer}' a layer"
    used = {name.split(".")[1] for name in names if name.startswith("fercore.")} & set(RANK)
    above = {name for name in used if RANK[name] < RANK[layer]}
    assert not above


@pytest.mark.parametrize("folder", ["fercore", "dashboard"])
def test_nobody_imports_pages(folder):
    for path in (ROOT / folder).rglob("*.py"):
        assert not [name for name in imported(path) if name.split(".")[0] == "pages"]


ASKING_THE_MODEL = {"predict", "webcam"}
TABLES = ROOT / "fercore" / "tables.py"
OTHERS = [path for path in (ROOT / "pages").glob("*.py") if path.stem not in ASKING_THE_MODEL]


@pytest.mark.parametrize(
    "path", [*OTHERS, ROOT / "dashboard" / "app.py", TABLES], ids=lambda p: p.stem
)
def test_no_page_pays_for_torch_before_it_is_asked_for(path):
    tree = ast.parse(path.read_text())
    imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    lines = [*map(ast.unparse, imports), "import sys", "assert 'torch' not in sys.modules"]
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, cwd=ROOT)


def test_no_path_is_edited_and_no_pickle_is_read():
    for path in [*MODULES, *(ROOT / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        text = path.read_text()
        assert "sys.path" not in text
        assert "pickle.load" not in text
