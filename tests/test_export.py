"""An exported model gives what torch gives, fed by what its note says and nothing else."""

import importlib.util
import json
import re

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

from fercore.cli import app
from fercore.errors import ConfigError, RunError
from fercore.labels import CLASSES
from fercore.predict import export
from fercore.predict.predictor import Predictor
from fercore.runs.listing import find_run
from tests.conftest import ROOT
from tests.test_cli import run


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))


@pytest.mark.parametrize("name", ["cnn-s0", "cnn_lstm-s0", "cnn-fast", "cnn-best"])
def test_the_file_gives_torchs_probabilities_for_any_number_of_faces(
    name, shipped, faces, tmp_path
):
    path = tmp_path / "new" / "model.onnx"
    result = CliRunner().invoke(app, ["export", name, "--output", str(path)])
    assert result.exit_code == 0, result.output
    assert "at most" in result.stdout
    note = json.loads(path.with_suffix(".json").read_text())
    assert note["output"]["classes"] == list(CLASSES)
    assert note["input"]["dtype"] == "uint8"
    assert note["input"]["shape"] == ["N", 48, 48]
    assert f"\n# {name}\n" in path.with_suffix(".md").read_text(encoding="utf-8")

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    images = faces.images[::4]
    expected = Predictor.from_run(name).probs(images)
    assert len(set(expected.argmax(1))) > 2
    for count in (1, 3, len(images)):
        (given,) = session.run([note["output"]["name"]], {note["input"]["name"]: images[:count]})
        np.testing.assert_allclose(given, expected[:count], atol=1e-4)


def test_a_file_that_differs_from_torch_is_not_kept(two_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_write", lambda model, path: path.write_bytes(b"another model"))
    monkeypatch.setattr(export, "largest_difference", lambda model, path: float("nan"))
    with pytest.raises(RunError, match="was not kept"):
        export.export_onnx(find_run("first"), tmp_path / "model.onnx", "CNN")
    assert not list(tmp_path.glob("*model*"))


def test_without_the_extra_a_sentence_says_what_to_install(two_runs, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"onnxruntime.*pip install 'fercore\[export\]'"):
        export.export_onnx(find_run("first"), tmp_path / "model.onnx", "CNN")


@pytest.mark.parametrize("name", ["mine.json", "mine.md"])
def test_what_is_no_exports_is_not_overwritten(two_runs, tmp_path, name):
    mine, model = tmp_path / name, tmp_path / "mine.onnx"
    mine.write_text('{"name": "mine"}')
    with pytest.raises(ConfigError, match=f"{name} would be overwritten"):
        export.export_onnx(find_run("first"), model, "CNN")
    assert mine.read_text() == '{"name": "mine"}'
    assert not model.exists()
    mine.unlink()
    for _ in range(2):  # its own it may
        run("export", "first", "--output", str(model))


def test_a_model_is_not_named_like_its_description(two_runs, tmp_path):
    with pytest.raises(ConfigError, match=r"Name the file '\.onnx'"):
        export.export_onnx(find_run("first"), tmp_path / "model.json", "CNN")


def test_the_note_names_functions_where_they_are(two_runs, tmp_path):
    note = export.describe(find_run("first"), tmp_path / "model.onnx", 0.0, "CNN")
    told = " ".join(note["from_a_photo_to_a_face"])
    path = re.search(r"find_faces and preprocess in (fercore/\S+\.py)", told)[1]
    for name in ("find_faces", "preprocess"):
        assert f"def {name}(" in (ROOT / path).read_text()


def test_another_format_is_refused(shipped):
    result = CliRunner().invoke(app, ["export", "cnn-s0", "--format", "tflite"])
    assert isinstance(result.exception, ConfigError)
    assert "Choose: onnx" in str(result.exception)
