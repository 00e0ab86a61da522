"""An error that nobody foresaw is one sentence where it happened; the rest of the app is there."""

import ast
import logging
import re
from dataclasses import replace

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.base.failures import errors_passed_on
from fercore.errors import DataError
from fercore.jobs.request import Request, prepare
from fercore.training.recipes import find_recipe
from tests.conftest import ROOT
from tests.test_live import predictors, video_frame  # noqa: F401
from tests.test_pages import no_video, open_page  # noqa: F401

FULL = OSError(28, "No space left on device", "/srv/faces/images.npy")
ERRORS = [KeyError("p_angry"), FULL, MemoryError(), RecursionError("too deep"), TypeError("None")]
PANELS = {
    "pickers.model_pickers": "The choice of models",
    "pickers.narrowing": "The panel Narrow down",
    "data_panel.data_panel": "The panel Data",
    "finished_view.finished_view": "The finished training",
    "training_panel.training_panel": "The panel Retrain",
}


def raising(error: Exception):
    def fail(*_, **__) -> None:
        raise error

    return fail


def told(app: AppTest) -> str:
    """The one sentence on what went wrong, and no red box beside it."""
    assert not app.exception, app.exception
    (sentence,) = (element.value for element in app.error)
    return sentence


def everything_else_is_there(app: AppTest) -> None:
    assert "Start training" in [button.label for button in app.button]
    assert {box.label for box in app.selectbox} >= {"Images", "Label", "A says", "B says", "Slice"}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_page_that_fails_is_a_sentence(two_runs, monkeypatch, caplog, error):
    monkeypatch.setattr("dashboard.base.loading.predictions", raising(error))
    app = open_page("confusion", retrain=True)
    sentence = told(app)
    assert sentence.startswith("The page Confusion could not be shown")
    assert "the rest works" in sentence
    reference = re.search(r"under ([0-9a-f]{8})\.$", sentence)[1]
    logged = [record for record in caplog.records if reference in record.getMessage()]
    assert logged[0].exc_info[1] is error
    everything_else_is_there(app)


def test_the_reason_is_told_where_something_can_be_done_about_it(two_runs, monkeypatch):
    for error, reason in (
        (FULL, "(No space left on device: `/srv/faces/images.npy`)"),
        (MemoryError(), "(there is not enough memory)"),
    ):
        monkeypatch.setattr("dashboard.base.loading.predictions", raising(error))
        assert f"could not be shown {reason}; the rest works" in told(open_page("confusion"))


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_that_fails_takes_no_page_with_it(two_runs, monkeypatch, panel):
    monkeypatch.setattr(f"dashboard.sidebar.{panel}", raising(KeyError("created")))
    app = open_page("confusion", retrain=True)
    assert told(app).startswith(f"{PANELS[panel]} could not be shown;")
    assert app.sidebar.error[0].value == app.error[0].value
    assert app.title[0].value == "Confusion"
    if panel != "training_panel.training_panel":
        assert "Start training" in [button.label for button in app.button]
    if panel != "pickers.model_pickers":
        assert "Images" in [box.label for box in app.selectbox]


def test_a_fragment_that_fails_is_a_sentence(two_runs, monkeypatch):
    recipe = replace(find_recipe("quick"), epochs=3)
    prepare(Request("broken", "cnn", recipe, data="synthetic"))
    monkeypatch.setattr("dashboard.sidebar.training_panel._broken_off", raising(KeyError("epoch")))
    app = open_page("confusion", retrain=True)
    assert told(app).startswith("The training under way could not be shown")
    assert app.title[0].value == "Confusion"
    everything_else_is_there(app)


def test_a_dialog_that_fails_is_a_sentence(two_runs, monkeypatch):
    app = open_page("misclassified", retrain=True)
    monkeypatch.setattr("dashboard.faces.face_loading.probabilities", raising(KeyError("row")))
    tiles = [button for button in app.button if (button.key or "").startswith("face-")]
    tiles[0].click().run()
    assert told(app).startswith("This face could not be shown")
    assert len([b for b in app.button if (b.key or "").startswith("face-")]) == len(tiles)
    everything_else_is_there(app)


def test_a_callback_that_fails_is_a_sentence_once(two_runs, monkeypatch):
    app = open_page("misclassified", retrain=True)
    app.text_input(key="subset-name").input("hard ones").run()
    with monkeypatch.context() as patched:
        patched.setattr("fercore.analysis.marks.store", raising(FULL))
        app.button(key="subset-save").click().run()
    assert told(app).startswith("Saving the subset did not work (No space left on device")
    assert app.title[0].value == "Misclassified"
    everything_else_is_there(app)
    app.run()
    assert not app.error


def test_what_the_app_foresaw_keeps_its_own_words(two_runs, monkeypatch):
    monkeypatch.setattr("dashboard.base.loading.predictions", raising(DataError("Give a path.")))
    assert told(open_page("confusion")) == "Give a path."


def test_the_same_error_is_logged_once(caplog):
    sentences: list[str] = []
    for _ in range(3):
        with errors_passed_on(sentences.append, "A frame could not be looked at"):
            raise KeyError("again and again")
    assert len(set(sentences)) == 1
    assert len(caplog.records) == 1
    assert caplog.records[0].levelno == logging.ERROR


def test_a_frame_that_fails_leaves_the_video_running(predictors, monkeypatch):  # noqa: F811
    from dashboard.live.live import FrameAnnotator, LiveSettings

    annotator = FrameAnnotator(LiveSettings(predictors, 0.0, mirror=False))
    monkeypatch.setattr("dashboard.live.live.preprocess", raising(ValueError("odd frame")))
    monkeypatch.setattr(annotator, "_follower", lambda picture: (0, 0, 10))
    frame = video_frame(Image.new("RGB", (64, 48)))
    assert annotator(frame) is frame
    assert annotator.failure.startswith("A frame could not be looked at")
    annotator.clear()
    assert not annotator.failure


SOURCES = [*(ROOT / "dashboard").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
TREES = {path: ast.parse(path.read_text()) for path in SOURCES}
HARMLESS = {"st.login", "st.logout", "lambda: None", "'ignore'", "'rerun'"}


def nodes(kind: type, *trees: ast.AST) -> list:
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, kind)]


def maker(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]


def decorators(function: ast.FunctionDef) -> list[str]:
    calls = (one.func if isinstance(one, ast.Call) else one for one in function.decorator_list)
    return [ast.unparse(call) for call in calls]


GUARDED = {
    function.name
    for function in nodes(ast.FunctionDef, *TREES.values())
    if {"errors_kept", "errors_told"} & set(decorators(function))
}

MAKERS = {  # of guarded functions
    function.name
    for function in nodes(ast.FunctionDef, *TREES.values())
    if {ast.unparse(made.value) for made in nodes(ast.Return, function) if made.value} <= GUARDED
    and nodes(ast.Return, function)
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_streamlit_calls_stands_behind_the_boundary(path):
    for function in nodes(ast.FunctionDef, TREES[path]):
        names = decorators(function)
        if {"st.fragment", "st.dialog"} & set(names):
            assert names[-1] == "errors_told", f"{function.name}: @errors_told is to come last"
    called = []
    for call in nodes(ast.Call, TREES[path]):
        called += [word.value for word in call.keywords if (word.arg or "").startswith("on_")]
        called += call.args if ast.unparse(call.func) == "st.fragment" else []
    for options in nodes(ast.Dict, TREES[path]):
        for key, value in zip(options.keys, options.values):
            called += [value] if key and ast.unparse(key).startswith("'on_") else []
    asked = {ast.unparse(one) for one in called} - HARMLESS
    made = {
        ast.unparse(one) for one in called if isinstance(one, ast.Call) and maker(one) in MAKERS
    }
    unguarded = {name for name in asked - made if name.split(".")[-1] not in GUARDED}
    assert not unguarded, f"{unguarded}: put @errors_kept over a callback"
