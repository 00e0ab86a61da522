"""An ONNX file of ours or of another library comes back as a run that answers as the file does."""

import importlib.util
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.linear_model import LogisticRegression

from dashboard.base import turns
from fercore import data
from fercore.errors import ConfigError, FerError, RunError
from fercore.importing.images import images_of_data
from fercore.importing.onnx_run import import_onnx
from fercore.importing.table_run import Named
from fercore.labels import CLASSES
from fercore.models import onnx_file
from fercore.predict.export import export_onnx
from fercore.predict.predictor import Predictor
from fercore.runs.artifacts import Run
from fercore.runs.listing import find_run, list_runs
from fercore.runs.writing import verify_run
from tests.conftest import ROOT
from tests.driving import named, press
from tests.test_cli import run
from tests.test_pages import no_video, open_page, said  # noqa: F401


@pytest.fixture(scope="session")
def sets():
    return images_of_data("synthetic")


def enlarged(faces: np.ndarray) -> np.ndarray:
    """float (N, 64, 64) from 0 to 1, as a program with Pillow makes it."""
    large = [Image.fromarray(face).resize((64, 64), Image.Resampling.BILINEAR) for face in faces]
    return np.stack([np.asarray(face) for face in large]).astype(np.float32) / 255


def pooled(faces: np.ndarray) -> np.ndarray:
    return enlarged(faces).reshape(len(faces), 8, 8, 8, 8).mean((2, 4)).reshape(len(faces), 64)


@pytest.fixture(scope="session")
def regression() -> LogisticRegression:
    """scikit-learn's, on the drawn faces; its classes in alphabetical order."""
    faces = data.synthetic().part("Training")
    order = sorted(range(7), key=lambda k: CLASSES[k])
    labels = np.array([order.index(k) for k in faces.labels])
    return LogisticRegression(max_iter=300).fit(pooled(faces.images), labels)


def converted(regression: LogisticRegression, *, batch: int | str = "N") -> onnx.ModelProto:
    """The regression as a graph of RGB pictures, channels last, that gives logits."""
    weights = numpy_helper.from_array(regression.coef_.T.astype(np.float32), "weights")
    bias = numpy_helper.from_array(regression.intercept_.astype(np.float32), "bias")
    nodes = [
        helper.make_node("Transpose", ["picture"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["first"], ["small"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("ReduceMean", ["small"], ["grey"], axes=[1], keepdims=0),
        helper.make_node("Flatten", ["grey"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["scores"]),
    ]
    given = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [batch, 64, 64, 3])
    made = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 7])
    graph = helper.make_graph(nodes, "regression", [given], [made], [weights, bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


ALPHABETICAL = {"classes": sorted(CLASSES)}


def test_an_export_of_ours_comes_back(tmp_path, monkeypatch, sets):
    folder = tmp_path / "known" / "shipped"
    folder.mkdir(parents=True)
    (folder / "cnn_small").symlink_to(ROOT / "artifacts" / "shipped" / "cnn_small")
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(folder.parent))
    export_onnx(find_run("cnn_small"), tmp_path / "small.onnx", "CNN small")
    made = import_onnx(tmp_path / "small.onnx", sets, Named("back"))
    assert "How it is fed is told by small.json." in made.notes
    faces = data.synthetic().images[made.run.predictions().rows]
    ours = Predictor.from_run("cnn_small").probs(faces)
    np.testing.assert_allclose(made.run.predictions().probs, ours, atol=1e-5)
    np.testing.assert_allclose(Predictor.from_run("back").probs(faces), ours, atol=1e-5)
    assert verify_run(made.run) == []


@pytest.mark.parametrize("batch", ["N", 16])
def test_another_library_s_model_answers_as_it_does(two_runs, tmp_path, sets, regression, batch):
    onnx.save(converted(regression, batch=batch), tmp_path / "sk.onnx")
    made = import_onnx(tmp_path / "sk.onnx", sets, Named("sk", "sklearn"), told=ALPHABETICAL)
    assert "64×64 grey in three channels, channels last, values 0..1; gives logits" in made.notes[0]
    assert "0..1 is taken" in made.notes[1]
    assert_answers_are(regression, made.run)
    assert verify_run(made.run) == []


def assert_answers_are(regression: LogisticRegression, run: Run) -> None:
    table = run.predictions()
    theirs = regression.predict_proba(pooled(data.synthetic().images[table.rows]))
    ours = table.probs[:, [CLASSES.index(name) for name in sorted(CLASSES)]]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_it_is_asked_about_photos(two_runs, tmp_path, sets, regression):
    onnx.save(converted(regression), tmp_path / "sk.onnx")
    import_onnx(tmp_path / "sk.onnx", sets, Named("sk"), told=ALPHABETICAL)
    app = open_page("predict", a="sk", b="first", sample="drawn happy face")
    assert not app.error
    assert "no weights" not in said(app)
    assert ":blue[**A**]" in said(app)
    assert not open_page("webcam", a="sk", b="first").error
    words = said(open_page("embedding", a="sk", b="first"))
    assert (
        "'sk' was imported as an ONNX file: it can be asked about photos, but has no weights"
        in (words)
    )


def test_the_command_takes_how_it_is_fed(two_runs, tmp_path, sets, regression):
    onnx.save(converted(regression), tmp_path / "sk.onnx")
    (tmp_path / "fed.json").write_text(json.dumps({"scale": "-1..1", "output": "logits"}))
    asked = ["runs", "import", str(tmp_path / "sk.onnx"), "--data", "synthetic", "--name"]
    told = ["--order", "alphabetical", "--feeding", str(tmp_path / "fed.json")]
    printed = run(*asked, "sk", *told, "--mean", "-1", "--deviation", "2")  # that is 0 to 1
    assert "values -1..1, less -1, divided by 2" in printed
    told_alike = import_onnx(tmp_path / "sk.onnx", sets, Named("alike"), told=ALPHABETICAL)
    probs = find_run("sk").predictions().probs
    np.testing.assert_allclose(probs, told_alike.run.predictions().probs, atol=1e-5)


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path, sets, monkeypatch):
    (tmp_path / "m.onnx").write_bytes(b"x")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'fercore\[onnx\]'"):
        import_onnx(tmp_path / "m.onnx", sets, Named("m"))


def elsewhere(model: onnx.ModelProto) -> onnx.ModelProto:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return model


def of_a_shape(model: onnx.ModelProto, *sides: int) -> onnx.ModelProto:
    for dim, side in zip(model.graph.input[0].type.tensor_type.shape.dim[1:], sides):
        dim.dim_value = side
    return model


def failing(model: onnx.ModelProto) -> onnx.ModelProto:
    """One that loads, and raises when it is asked."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim in dims[1:3]:
        dim.Clear()
        dim.dim_param = "side"
    return model


ODD = {
    "no model": (lambda model: b"something else", "is not one that can be read"),
    "empty": (lambda model: b"", "is not one that can be read|it has 0 nodes"),
    "cut short": (lambda model: model.SerializeToString()[:-900], "is not one that can be read"),
    "numbers elsewhere": (lambda m: elsewhere(m).SerializeToString(), "lie in another file"),
    "no picture": (
        lambda m: of_a_shape(m, 64, 64, 5).SerializeToString(),
        "no grey or RGB|that can",
    ),
    "no square": (lambda m: of_a_shape(m, 64, 32, 3).SerializeToString(), "squares of 8|that can"),
    "raises": (lambda m: failing(m).SerializeToString(), "cannot be asked"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_file_that_is_no_such_model_ends_in_a_sentence(
    two_runs, tmp_path, sets, regression, name
):
    content, told = ODD[name]
    (tmp_path / "odd.onnx").write_bytes(content(converted(regression)))
    with pytest.raises(FerError, match=told) as raised:
        import_onnx(tmp_path / "odd.onnx", sets, Named("odd"), told=ALPHABETICAL)
    assert len(str(raised.value)) < 400
    assert len(list_runs()) == 2


@pytest.mark.parametrize(
    "told",
    [
        {"side": 4}, {"layout": "CHWN"}, {"scale": "0..2"}, {"mean": [0, 0]}, {"deviation": [0]},
        {"classes": ["happy"]}, {"colour": "red"}, {"layout": "NHW", "channels": 3}, [1],
        {"input": {}, "output": {}},
    ],
    ids=str,
)  # fmt: skip
def test_what_no_model_is_fed_with_is_refused(tmp_path, sets, regression, told):
    onnx.save(converted(regression), tmp_path / "sk.onnx")
    (tmp_path / "sk.json").write_text(json.dumps(told))
    with pytest.raises(ConfigError):
        import_onnx(tmp_path / "sk.onnx", sets, Named("sk"))


@pytest.mark.parametrize("content", ['{"epochs": 30}', "[" * 100_000, "\ufeff{"])
def test_a_json_that_tells_something_else_is_named(tmp_path, sets, regression, content):
    model = tmp_path / "model.onnx"
    model.write_bytes(converted(regression).SerializeToString())
    model.with_suffix(".json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"model\.json: "):
        import_onnx(model, sets, Named("theirs"))


def test_a_large_file_is_not_read(tmp_path, sets, monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_BYTES", 10)
    (tmp_path / "large.onnx").write_bytes(bytes(11))
    with pytest.raises(RunError, match="and not read"):
        import_onnx(tmp_path / "large.onnx", sets, Named("large"))


def uploaded(*files: tuple[str, bytes]):
    """The page Runs after files were dropped into the field for models."""
    app = open_page("runs")
    field = next(each for each in app.file_uploader if "ONNX" in each.label)
    for name, content in files:
        field.upload(name, content, "application/octet-stream")
    return app.run()


def field(app, label: str):
    every = (*app.selectbox, *app.text_input, *app.number_input)
    return named(every, label)


def test_an_upload_is_asked_and_becomes_a_run(two_runs, regression):
    app = uploaded(("sk.onnx", converted(regression).SerializeToString()))
    told = {
        "Side, pixels": 64,
        "Colours": 3,
        "Layout": "NHWC",
        "Grey values": "tried on PublicTest",
    }
    assert {label: field(app, label).value for label in told} == told
    field(app, "Order of the classes").set_value("alphabetical")
    app = press(app, "Ask it and import")
    assert not app.error
    assert "sk is imported. The model takes 64×64 grey in three channels" in app.success[0].value
    assert_answers_are(regression, find_run("sk"))


def test_the_json_beside_an_upload_fills_the_form(two_runs, regression):
    told = {"scale": "-1..1", "mean": [-1], "deviation": [2], "output": "logits"} | ALPHABETICAL
    model = converted(regression).SerializeToString()
    app = uploaded(("sk.onnx", model), ("n.json", json.dumps(told).encode()))
    assert "How it is fed is told by n.json" in said(app)
    assert field(app, "Mean, taken away then").value == "-1"
    assert field(app, "Order of the classes").value == ", ".join(sorted(CLASSES))
    press(app, "Ask it and import")
    assert_answers_are(regression, find_run("sk"))


@pytest.mark.parametrize(
    ("label", "value", "sentence"),
    [
        ("Order of the classes", "happy, sad", "names each of the seven once"),
        ("Mean, taken away then", "much", "is no number"),
        ("Deviation, divided by then", "0", "leaves nothing to see"),
        ("Layout", "NHW", "has one channel"),
    ],
)
def test_a_wrong_form_is_a_sentence(two_runs, regression, label, value, sentence):
    app = uploaded(("sk.onnx", converted(regression).SerializeToString()))
    field(app, label).set_value(value)
    app = press(app, "Ask it and import")
    assert not app.exception
    assert sentence in app.error[0].value
    assert len(list_runs()) == 2


def test_odd_uploads_are_sentences(two_runs, regression):
    assert "is not one that can be read" in uploaded(("a.onnx", b"nothing")).error[0].value
    assert "A JSON alone is no model" in said(uploaded(("a.json", b"{}")))
    wrong = uploaded(("a.onnx", converted(regression).SerializeToString()), ("a.json", b"{"))
    assert "cannot be read as JSON" in wrong.error[0].value


def test_an_import_is_cancelled_and_writes_nothing(two_runs, regression, monkeypatch):
    from dashboard.compare import onnx_panel

    def broken_off(*_, **__):
        assert turns._TURNS._value == turns.AT_A_TIME  # others' pages are drawn meanwhile
        yield 64, 700
        raise RunError("as a click would")

    monkeypatch.setattr(onnx_panel, "importing", lambda *_: broken_off())
    app = uploaded(("sk.onnx", converted(regression).SerializeToString()))
    app = press(app, "Ask it and import")
    assert "as a click would" in app.error[0].value
    assert "onnx-work" not in app.session_state
    assert len(list_runs()) == 2
