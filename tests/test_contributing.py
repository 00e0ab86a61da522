"""What CONTRIBUTING.md says to add is added, line by line, to a copy of the project, and works."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from fercore.scoring.metrics import confusion_matrix
from tests.conftest import ROOT
from tests.test_data_sources import csv_text

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```python\n# ([\w/]+\.py)(?:, (after|before): ([^\n]*))?\n(.*?)```", re.S)
ADDITIONS = ("A model", "A page", "A dataset source", "A metric")
OPEN_PAGE = """
import os
from streamlit import config
from streamlit.testing.v1 import AppTest
config._main_script_path = os.path.abspath("dashboard/app.py")
app = AppTest.from_file(os.path.abspath("dashboard/app.py"), default_timeout=120).run()
app.switch_page(os.path.abspath("pages/counts.py")).run()
assert not app.exception, app.exception
(shown,) = app.metric
print(shown.value)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The project with all that the page says to add."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("fercore", "dashboard", "pages"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path, where, anchor, lines in BLOCK.findall(PAGE):
        add(copy / path, where, anchor, lines)
    return copy


def add(file: Path, where: str, anchor: str, lines: str) -> None:
    """The lines as a new file, or at the one line that begins as `anchor` says."""
    if not where:
        assert not file.exists()
        file.write_text(lines, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    (line,) = re.findall(rf"^ *{re.escape(anchor.strip())}.*\n", text, re.M)
    file.write_text(text.replace(line, line + lines if where == "after" else lines + line), "utf-8")


def told(copy: Path, *arguments: str) -> str:
    """What Python prints in the copy."""
    environment = os.environ | {"PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_takes_five_lines():
    for title in ADDITIONS:
        section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        blocks = [[*filter(str.strip, lines.splitlines())] for *_, lines in BLOCK.findall(section)]
        assert blocks
        assert all(len(lines) <= 5 for lines in blocks), title


def test_a_model_trains(copy, tmp_path, faces):
    (tmp_path / "few.csv").write_text(csv_text(faces))
    settings = f"--recipe quick --epochs 1 --data {tmp_path / 'few.csv'} --threads 1 --json"
    run = json.loads(told(copy, "-m", "fercore", "train", "cnn_wide_head", *settings.split()))
    assert run["model"] == "cnn_wide_head"


def test_a_page_opens(copy, two_runs):
    assert told(copy, "-c", OPEN_PAGE).split() == [str(len(two_runs[0].predictions()))]


def test_a_dataset_source_is_read(copy, tmp_path, faces):
    np.savez(tmp_path / "mine.npz", images=faces.images, labels=faces.labels, usage=faces.usage)
    command = ("-m", "fercore", "data", "info", "--json", "--data", str(tmp_path / "mine.npz"))
    info = json.loads(told(copy, *command))
    assert (info["name"], info["counts"]["Training"]) == (
        "mine", dict.fromkeys(info["counts"]["Training"], 6),
    )  # fmt: skip
    assert info["fingerprint"] == faces.fingerprint


def test_a_metric_agrees_with_scikit_learn(copy):
    labels, predicted = np.random.default_rng(0).integers(0, 7, (2, 200))
    confusion = confusion_matrix(labels, predicted).tolist()
    code = f"import numpy; from fercore.scoring import metrics; c = numpy.array({confusion})"
    value = float(told(copy, "-c", f"{code}; print(metrics.balanced_accuracy(c))"))
    assert value == pytest.approx(balanced_accuracy_score(labels, predicted))
