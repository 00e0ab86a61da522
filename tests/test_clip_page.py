"""A clip on the page Predict: looked at in steps, drawn over time, cancelled, forgotten."""

import io
import threading

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.base import turns
from dashboard.faces.clip_work import ClipWork
from fercore.errors import ImageError
from fercore.predict.predictor import Predictor
from fercore.runs.ensemble import make_ensemble
from tests.driving import named, press
from tests.moving import clip_of, scene, walk
from tests.test_pages import copy_of, open_page, said


@pytest.fixture(scope="module")
def walked() -> bytes:
    return clip_of(walk(1))


@pytest.fixture
def predictors(two_runs) -> dict[str, Predictor]:
    return {"A": Predictor.from_run("first"), "B": Predictor.from_run("second")}


def upload(content: bytes, name: str = "me.mp4", **state) -> AppTest:
    page = open_page("predict", **({"a": "first", "b": "second"} | state))
    page.session_state["look"] = "clip"
    page.run()
    page.file_uploader[0].upload(name, content, "video/mp4")
    return page.run()


def test_both_models_answers_are_drawn_over_time(two_runs, walked):
    page = upload(walked)
    assert not page.exception
    assert "One face, 0.0 to 0.8 s, in 5 frames" in said(page)
    work, drawn = page.session_state["clip-work"], page.get("plotly_chart")
    assert len(drawn) == 2
    for key, run in (("A", "first"), ("B", "second")):
        predictor = Predictor.from_run(run)
        assert len(work.answers(predictor)) == 5
        share = 100 * float(work.answers(predictor)[0].max())
        assert f"{share:.1f} %" in said(page)
        assert f":{'blue' if key == 'A' else 'orange'}[**{key}**]" in said(page)
    page.select_slider[0].set_value(0.4).run()
    later = 100 * float(work.answers(Predictor.from_run("first"))[2].max())
    assert f"{later:.1f} %" in said(page)


def test_another_model_is_asked_about_the_same_faces(two_runs, walked):
    page = upload(walked, b="none")
    work = page.session_state["clip-work"]
    page.session_state["a"] = "second"
    page.run()
    assert page.session_state["clip-work"] is work
    assert len(work.answers(Predictor.from_run("second"))) == 5


def test_an_ensemble_looks_by_its_members(two_runs, walked):
    members = [two_runs[0], copy_of(two_runs[0], seed=1)]
    both = Predictor.from_run(make_ensemble("both", members))
    work = upload(walked, a="both", b="first").session_state["clip-work"]
    assert len(work.answers(both)) == len(work.answers(Predictor.from_run("first"))) == 5


def test_each_of_two_faces_can_be_chosen(two_runs):
    page = upload(clip_of(scene((10, 80), (250, 80)) for _ in range(4)), b="none")
    face = named(page.selectbox, "Face")
    assert [words.split(",")[0] for words in face.options] == ["face 1", "face 2"]
    face.set_value(2).run()
    assert not page.exception


def test_work_goes_in_steps_that_say_how_far_it_is(predictors, walked, monkeypatch):
    monkeypatch.setattr("dashboard.faces.clip_work.STEP", 1e-9)
    work, told = ClipWork(io.BytesIO(walked), "me.mp4"), []
    while work.step(predictors):
        told.append(work.how_far(predictors))
    looking = [words for _, words in told if words.startswith("Looking for faces")]
    asking = [words for _, words in told if words.startswith("Asking")]
    assert looking[1].startswith("Looking for faces: 0.2 of 1.0 s")
    assert "left" in looking[-1]
    assert asking[-1] == "Asking the models: 10 of 10 answers"
    assert all(0 <= share <= 1 for share, _ in told)


def test_two_runs_of_the_page_ask_about_each_face_once(predictors, walked, monkeypatch):
    """One is within a question while the other comes."""
    work = ClipWork(io.BytesIO(walked), "me.mp4")
    while not work.seen:
        work.step({})
    asked, go_on, probs = threading.Event(), threading.Event(), Predictor.probs

    def slow(predictor, faces):
        asked.set()
        assert go_on.wait(60)
        return probs(predictor, faces)

    monkeypatch.setattr(Predictor, "probs", slow)
    one = {"A": predictors["A"]}
    runs = [threading.Thread(target=work.step, args=(one,)) for _ in range(2)]
    for run in runs:
        run.start()
    assert asked.wait(60)
    go_on.set()
    for run in runs:
        run.join(60)
    while work.step(one):
        pass
    assert len(work.answers(predictors["A"])) == len(work.found)


@pytest.fixture
def broken_off(monkeypatch):
    """The third step ends the script's run, as a click elsewhere does. All are out of turn."""
    monkeypatch.setattr("dashboard.faces.clip_work.STEP", 1e-9)
    steps, whole = [], ClipWork.step

    def step(work, predictors):
        steps.append(work)
        assert turns._TURNS._value == turns.AT_A_TIME
        if len(steps) == 3:
            raise ImageError("as a click would")
        return whole(work, predictors)

    monkeypatch.setattr(ClipWork, "step", step)


def test_a_click_interrupts_and_the_next_run_goes_on(two_runs, walked, broken_off):
    page = upload(walked)
    assert len(page.session_state["clip-work"].times) == 2
    page.run()
    assert len(page.session_state["clip-work"].times) == 5
    assert "One face" in said(page)


def test_cancel_lets_the_file_go(two_runs, walked, broken_off):
    page = upload(walked)
    work = page.session_state["clip-work"]
    assert not work.seen
    press(page, "Cancel")
    assert "clip-work" not in page.session_state
    assert work.seen
    assert len(work.times) == 2
    assert "Drop a clip above" in said(page)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"hello" * 1000, "not a clip that can be read"),
        (clip_of([], sound=True), "no moving picture"),
    ],
)
def test_a_bad_file_is_a_sentence(two_runs, content, sentence):
    page = upload(content, b="none")
    assert not page.exception
    assert sentence in page.error[0].value
    assert not page.get("plotly_chart")


def test_no_face_is_said(two_runs):
    page = upload(clip_of(scene() for _ in range(3)), b="none")
    assert "No face was found in 2 frames" in said(page)
