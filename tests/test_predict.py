"""Photos to answers: the model's record, the command, the page."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.data import astronaut, coffee
from sklearn import metrics as reference
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from fercore.cli import app
from fercore.errors import ConfigError
from fercore.faces.photos import open_photo
from fercore.labels import CLASSES
from fercore.predict.face_results import COLUMNS
from fercore.predict.predictor import Predictor
from fercore.predict.sample_photos import SAMPLE_PHOTOS, sample_photo
from fercore.predict.track_record import COVERAGE, TrackRecord
from fercore.runs.listing import read_run
from fercore.scoring.calibration import fit_temperature, with_temperature
from tests.conftest import ROOT
from tests.test_pages import open_page, said
from tests.test_photos_and_faces import encoded


@pytest.fixture
def record(two_runs) -> TrackRecord:
    return TrackRecord(two_runs[0].predictions("public"))


@pytest.fixture(scope="module")
def me() -> bytes:
    return encoded(Image.fromarray(astronaut()), "PNG")


@pytest.fixture
def folder(tmp_path, me):
    """A good photo, a bad one below it, and one without a face."""
    album = tmp_path / "album"
    (album / "trip").mkdir(parents=True)
    (album / "me.png").write_bytes(me)
    (album / "trip" / "bad.jpg").write_bytes(b"nothing")
    Image.fromarray(coffee()).save(album / "trip" / "coffee.webp")
    return album


def test_the_record_agrees_with_scikit_learn(record):
    public = record.public
    labels, predicted = public.labels, public.predicted
    shares = reference.precision_score(
        labels, predicted, average=None, labels=range(7), zero_division=np.nan
    )
    confusion = reference.confusion_matrix(labels, predicted, labels=range(7))
    np.fill_diagonal(confusion, 0)
    for number, name in enumerate(CLASSES):
        share, (low, high), times = record.precision(name)
        assert share == pytest.approx(shares[number])
        assert low <= share <= high
        assert times == (predicted == number).sum()
        mistake = CLASSES[confusion[:, number].argmax()]
        assert record.usual_mistake(name) == mistake
        told = record.sentence(name, "A")
        assert told.startswith(f"When A says {name}, it is right {100 * share:.1f} % [")
        assert told.endswith(f"otherwise it is most often {mistake}.")


def test_a_model_is_sure_enough_on_four_fifths_of_publictest(record):
    calibrated = record.calibrated(record.public.probs)
    sure = (calibrated.max(1) >= record.threshold).mean()
    assert sure == pytest.approx(COVERAGE, abs=1 / len(calibrated))
    temperature = fit_temperature(record.public)
    np.testing.assert_array_equal(calibrated, with_temperature(record.public, temperature).probs)


def test_a_record_of_nothing_and_of_an_expression_never_said(record):
    empty = TrackRecord(record.public.where(np.zeros(len(record.public), bool)))
    probs = record.public.probs[:5]
    np.testing.assert_allclose(empty.calibrated(probs), probs, atol=1e-6)
    assert 0 < empty.threshold < 1
    assert "not known" in empty.sentence("fear")
    without = TrackRecord(record.public.where(record.public.predicted != 1))
    assert without.sentence("disgust", "B") == "On PublicTest B never says disgust."
    right = TrackRecord(record.public.where(record.public.correct))
    assert right.sentence("happy").endswith("of the time.")


def test_a_predictor_is_found_by_its_models_name(two_runs, me):
    by_model, by_run = Predictor.from_run("cnn_lstm"), Predictor.from_run("second")
    assert by_model.run_id == "second"
    photo = open_photo(me, "me")
    face, again = by_model(photo)[0], by_run(photo, faces="largest")[0]
    np.testing.assert_array_equal(face.probs, again.probs)
    expected = by_run.record.calibrated(by_run.probs(face.face[None]))[0]
    np.testing.assert_array_equal(face.probs, expected)


def test_every_sample_can_be_looked_at_and_drawn_ones_say_so(two_runs):
    predictor = Predictor.from_run("first")
    for name, shows in SAMPLE_PHOTOS.items():
        photo = sample_photo(name)
        assert photo.mode == "RGB"
        assert bool(predictor(photo)) == ("no face" not in shows)
        assert ("drawn" in name) == ("synthetic" in shows)


def invoke(*arguments):
    return CliRunner().invoke(app, ["predict", *map(str, arguments), "--run", "first"])


def test_a_folder_is_looked_through_and_a_bad_file_comes_last(two_runs, folder):
    result = invoke(folder, "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert [face["photo"] for face in told["faces"]] == [str(folder / "me.png")]
    assert [sentence.split(": ")[0] for sentence in told["problems"]] == [
        str(folder / "trip" / "bad.jpg"),
        str(folder / "trip" / "coffee.webp"),
    ]
    assert "no face was found" in told["problems"][1]
    assert "bad.jpg: this is not a picture" in result.stderr


def test_a_photo_without_a_face_is_no_failure(two_runs, folder):
    result = invoke(folder / "trip" / "*.webp")
    assert result.exit_code == 0
    assert "no face was found" in result.stderr


def test_the_table_marks_what_is_not_certain(two_runs, tmp_path):
    sample_photo("drawn face").save(tmp_path / "face.png")
    result = invoke(tmp_path / "face.png")
    assert "whole picture)" in result.stdout
    record = Predictor.from_run("first").record
    (face,) = Predictor.from_run("first")(tmp_path / "face.png")
    assert ("unsure" in result.stdout) == (face.confidence < record.threshold)


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_answers_are_written_to_a_file(two_runs, folder, tmp_path, suffix):
    output = tmp_path / f"answers.{suffix}"
    result = invoke(folder / "me.png", "--output", output)
    assert result.exit_code == 0, result.output
    (expected,) = Predictor.from_run("first")(folder / "me.png")
    if suffix == "json":
        (face,) = json.loads(output.read_text())["faces"]
        assert face["box"] == expected.box._asdict()
        probs = [face["probabilities"][name] for name in CLASSES]
    else:
        table = pd.read_csv(output) if suffix == "csv" else pd.read_parquet(output)
        assert list(table.columns) == COLUMNS
        face = table.iloc[0]
        assert (face["left"], face["side"]) == (expected.box.left, expected.box.side)
        probs = [face[f"p_{name}"] for name in CLASSES]
    assert face["predicted"] == expected.expression
    np.testing.assert_allclose(probs, expected.probs, atol=1e-6)


def test_which_faces_are_looked_at(two_runs, tmp_path, me):
    pair = Image.new("RGB", (1024, 512))
    photo = open_photo(me, "me")
    pair.paste(photo)
    pair.paste(photo.resize((400, 400)), (560, 50))
    pair.save(tmp_path / "pair.png")

    def boxes(faces: str) -> list[dict]:
        told = json.loads(invoke(tmp_path / "pair.png", "--faces", faces, "--json").stdout)
        return [face["box"] for face in told["faces"]]

    assert len(boxes("all")) == 2
    assert boxes("largest") == boxes("all")[:1]
    assert boxes("none") == [{"left": 256, "top": 0, "side": 512, "tilt": 0.0}]


def test_wrong_options_are_refused_before_any_photo_is_read(two_runs):
    for options, sentence in (
        (["--output", "answers.txt"], "name it .csv, .json or .parquet"),
        (["--faces", "two"], "Faces are all, largest, none, not 'two'"),
    ):
        result = invoke("nothing.jpg", *options)
        assert isinstance(result.exception, ConfigError)
        assert sentence in str(result.exception)


def test_progress_is_quiet_away_from_a_terminal(two_runs, folder):
    result = invoke(folder / "me.png")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert "me.png" in result.stdout


def upload(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, content in files:
        page.file_uploader[0].upload(name, content, "application/octet-stream")
    return page.run()


def test_the_page_answers_for_a_good_file_beside_bad_ones(two_runs, me):
    page = upload(
        open_page("predict", a="first", b="second"),
        ("bad.jpg", b"nothing"),
        ("empty.png", b""),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("me.png", me),
        ("coffee.png", encoded(Image.fromarray(coffee()), "PNG")),
    )
    assert not page.exception
    errors = [error.value for error in page.error]
    assert [error.split(": ")[0] for error in errors] == ["bad.jpg", "empty.png", "drawing.svg"]
    assert [heading.value for heading in page.subheader] == ["me.png", "coffee.png"]
    assert "No face was found" in said(page)
    for key, run in (("A", "first"), ("B", "second")):
        predictor = Predictor.from_run(run)
        face = predictor(open_photo(me, "me"))[0]
        answer = f"{face.expression}** {100 * face.confidence:.1f} %"
        unsure = f"most likely {face.expression} {100 * face.confidence:.1f} %"
        assert (unsure if face.confidence < predictor.record.threshold else answer) in said(page)
        assert predictor.record.sentence(face.expression, key) in said(page)


def test_the_page_says_unsure_below_the_threshold_that_is_set(two_runs, me, monkeypatch):
    page = upload(open_page("predict", a="first", b="none"), ("me.png", me))
    slider = next(slider for slider in page.slider if "says 'unsure' below" in slider.label)
    record = Predictor.from_run("first").record
    assert slider.value == round(100 * record.threshold)
    monkeypatch.delattr(Predictor, "judge")  # the model has said it already
    assert "**unsure**, most likely" in said(slider.set_value(100).run())
    assert "**unsure**" not in said(slider.set_value(0).run())


def test_the_page_shows_what_speaks_for_an_answer_on_demand(two_runs, me):
    page = upload(open_page("predict", a="first", b="second"), ("me.png", me))
    told = "moves a grey square of 12×12 pixels over the face"
    assert told not in said(page)
    next(t for t in page.toggle if "What speaks for it" in t.label).set_value(True).run()
    assert not page.exception
    assert told in said(page)


def test_the_page_shows_the_largest_of_many_faces_first(two_runs, me):
    photo = open_photo(me, "me").crop((120, 30, 330, 240)).resize((150, 150))
    crowd = Image.new("RGB", (4 * 170, 2 * 170), "grey")
    for place in range(8):
        crowd.paste(photo, (place % 4 * 170 + 10, place // 4 * 170 + 10))
    page = upload(open_page("predict", a="first"), ("crowd.png", encoded(crowd, "PNG")))
    assert len(page.get("plotly_chart")) == 6
    next(toggle for toggle in page.toggle if "Show all 8 faces" in toggle.label).set_value(True)
    assert len(page.run().get("plotly_chart")) == 8


def test_the_page_forgets_a_photo_that_was_taken_away(two_runs, me):
    page = upload(open_page("predict", a="first", sample="astronaut"), ("me.png", me))
    assert len(page.session_state["photos-seen"]) == 2
    page.session_state["sample"] = None
    page.run()
    assert len(page.session_state["photos-seen"]) == len(page.session_state["photos-judged"]) == 1


def test_shipped_models_know_their_record():
    for path in (ROOT / "artifacts" / "shipped").glob("*-s0"):
        record = TrackRecord(read_run(path).predictions("public"))
        assert "it is right" in record.sentence("fear")
        assert 0.8 < record.temperature < 1.3
