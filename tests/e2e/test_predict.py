"""Photos in a real browser: real files dropped, answers read back, the camera's single shot."""

import json
import re

import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from skimage.data import astronaut

from fercore.labels import CLASSES
from fercore.predict.clip_results import COLUMNS as OF_CLIPS
from fercore.predict.face_results import COLUMNS
from fercore.predict.predictor import Predictor
from fercore.runs.listing import read_run
from tests.e2e.conftest import PATIENCE, click_point, settle
from tests.moving import clip_of, walk

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def files(tmp_path):
    """Real files: a photo turned by EXIF, an empty one, one that is cut short, a drawing."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    photo = Image.fromarray(astronaut())
    photo.rotate(90, expand=True).save(tmp_path / "me.jpg", exif=exif, quality=95)
    (tmp_path / "empty.png").touch()
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "me.jpg").read_bytes()[:5000])
    (tmp_path / "drawing.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return tmp_path


def open_predict(page: Page, address: str) -> None:
    page.goto(f"{address}/predict?a=first&b=second")
    settle(page)


def test_answers_stand_beside_the_sentences_on_bad_files(page, address, files, run_folders):
    open_predict(page, address)
    names = ["empty.png", "cut.jpg", "me.jpg", "drawing.svg"]
    field = page.get_by_test_id("stMainBlockContainer").locator("input[type=file]")
    field.set_input_files([files / name for name in names])
    expect(page.get_by_text("face 1, as seen")).to_be_visible()
    for sentence in (
        "empty.png: the file is empty",
        "cut.jpg: the picture is damaged or cut short",
        "drawing.svg: this is not a picture that can be read",
    ):
        expect(page.get_by_text(sentence)).to_be_visible()

    faces = {}
    for key, run in (("A", "first"), ("B", "second")):
        predictor = Predictor.from_run(read_run(run_folders / run))
        (face,) = faces[run] = predictor(files / "me.jpg")
        share = f"{face.expression} {100 * face.confidence:.1f}\u00a0%"
        expect(page.get_by_text(re.compile(share)).first).to_be_visible()
        expect(page.get_by_text(predictor.record.sentence(face.expression, key))).to_be_visible()

    with page.expect_download() as told:
        page.get_by_role("button", name="Download as JSON").click()
    answers = json.loads(told.value.path().read_text())
    assert len(answers["problems"]) == 3
    assert [face["run"] for face in answers["faces"]] == ["first", "second"]
    for answer in answers["faces"]:
        (face,) = faces[answer["run"]]
        expected = dict(zip(CLASSES, face.probs.tolist()))
        assert answer["probabilities"] == pytest.approx(expected, abs=1e-5)
    with page.expect_download() as told:
        page.get_by_role("button", name="Download as CSV").click()
    assert list(pd.read_csv(told.value.path()).columns) == COLUMNS

    page.get_by_text("What speaks for it in face 1").click()
    expect(page.get_by_text("A: Grad-CAM")).to_be_visible()
    expect(page.get_by_text(re.compile("B: places hidden"))).to_be_visible()


def test_a_single_shot_by_the_camera(page, address):
    open_predict(page, address)
    expect(page.get_by_test_id("stCameraInput")).to_have_count(0)  # not asked for until wanted
    page.get_by_text("Take a picture with the camera").click()
    # A shot before the camera's first frame is lost.
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.get_by_role("button", name=re.compile("Take Photo", re.I)).click()
    expect(page.get_by_text("face 1, as seen")).to_be_visible()
    bars = page.locator(".js-plotly-plot .bars").first.locator("path")
    expect(bars).to_have_count(len(CLASSES))


def test_a_sample_is_one_click(page, address):
    open_predict(page, address)
    page.get_by_role("radio", name="drawn happy face").or_(
        page.get_by_role("button", name="drawn happy face")
    ).click()
    expect(page.get_by_text("the whole of it is taken")).to_be_visible()
    expect(page.get_by_text("a synthetic face that shows happy")).to_be_visible()


def test_a_clip_is_followed_and_a_click_chooses_a_time(page, address, tmp_path):
    (tmp_path / "me.mp4").write_bytes(clip_of(walk(2)))
    page.goto(f"{address}/predict?a=first&b=second&look=clip")
    settle(page)
    field = page.get_by_test_id("stMainBlockContainer").locator("input[type=file]")
    field.set_input_files(tmp_path / "me.mp4")
    expect(page.get_by_text("One face, 0.0 to 1.8 s, in 10 frames")).to_be_visible()
    frames = page.locator(".js-plotly-plot").first.locator(".imagelayer image, .layer-above image")
    expect(frames).to_have_count(8)
    expect(page.get_by_alt_text("The frame at 0.0 s")).to_be_visible()
    click_point(page, 5)
    expect(page.get_by_alt_text("The frame at 1.0 s")).to_be_visible()

    with page.expect_download() as told:
        page.get_by_role("button", name="Download as CSV").click()
    table = pd.read_csv(told.value.path())
    assert list(table.columns) == OF_CLIPS
    assert table["run"].value_counts().to_dict() == {"first": 10, "second": 10}
