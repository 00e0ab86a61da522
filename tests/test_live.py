"""The webcam's frames as the video's thread makes them and the page's thread reads them."""

import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat
from skimage.data import astronaut

from dashboard.live.drawing import draw_face
from dashboard.live.figures import live_figure
from dashboard.live.live import FrameAnnotator, LiveSettings, ice_servers
from dashboard.live.view import Connection, pace_words, reading
from fercore.errors import ConfigError
from fercore.faces.detection import Box, find_faces
from fercore.faces.video import Moment, Pace
from fercore.figures.colours import MARK_COLOUR, MODEL_COLOURS
from fercore.labels import CLASSES
from fercore.predict.predictor import Predictor

PICTURE = Image.fromarray(astronaut()).crop((0, 0, 512, 384))


def video_frame(picture: Image.Image, number: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame.from_image(picture).reformat(format="yuv420p")
    frame.pts, frame.time_base = 3000 * number, Fraction(1, 90_000)
    return frame


@pytest.fixture
def predictors(two_runs):
    return {"A": Predictor.from_run("first"), "B": Predictor.from_run("second")}


def test_a_frame_comes_back_with_its_face_and_time(predictors):
    annotator = FrameAnnotator(LiveSettings(predictors, 0.0, mirror=False))
    annotated = annotator(video_frame(PICTURE, 7))
    assert (annotated.width, annotated.height, annotated.pts) == (512, 384, 21_000)
    (moment,) = annotator.moments()
    assert set(moment.probs) == {"A", "B"}
    face = predictors["A"](video_frame(PICTURE).to_image())[0]
    assert CLASSES[moment.probs["A"].argmax()] == face.expression
    assert moment.milliseconds > 0


def test_a_frame_without_a_face_counts_and_says_so(predictors):
    annotator = FrameAnnotator(LiveSettings(predictors, 0.3, mirror=True))
    annotator(video_frame(Image.new("RGB", (640, 480), "grey")))
    (moment,) = annotator.moments()
    assert reading(moment, ["A", "B"]) == "No face in the picture."


def test_settings_act_on_the_next_frame_and_clear_forgets(predictors):
    annotator = FrameAnnotator(LiveSettings(predictors, 0.0, mirror=False))
    straight = annotator(video_frame(PICTURE)).to_image()
    annotator.configure(LiveSettings({"B": predictors["B"]}, 0.0, mirror=True))
    mirrored = annotator(video_frame(PICTURE)).to_image()
    assert set(annotator.moments()[-1].probs) == {"B"}
    corner = (300, 0, 512, 200)  # away from what is drawn
    flipped = ImageOps.mirror(straight).crop(corner)
    assert difference(mirrored.crop(corner), flipped) < 5
    assert difference(mirrored.crop(corner), straight.crop(corner)) > 10
    annotator.clear()
    assert not annotator.moments()


def test_nothing_is_kept_of_what_another_model_said_under_the_same_letter(predictors):
    annotator = FrameAnnotator(LiveSettings({"A": predictors["A"]}, 0.0, mirror=False))
    annotator(video_frame(PICTURE))
    annotator.configure(LiveSettings(predictors, 0.0, mirror=False))  # B comes beside it
    assert len(annotator.moments()) == 1
    annotator.configure(LiveSettings({"B": predictors["B"]}, 0.0, mirror=False))
    annotator.configure(LiveSettings({"A": predictors["B"]}, 0.0, mirror=False))
    assert not annotator.moments()


def test_a_frame_that_is_too_large_is_a_sentence_and_comes_back_smaller(predictors, monkeypatch):
    monkeypatch.setattr(av.VideoFrame, "to_image", lambda frame: pytest.fail("pixels were made"))
    annotator = FrameAnnotator(LiveSettings(predictors, 0.0, mirror=False))
    drawn = annotator(av.VideoFrame(8000, 100, "yuv420p"))
    assert annotator.failure.startswith("The camera sends 8000×100 pixels, and at most 3840 a side")
    assert (drawn.width, drawn.height) == (3840, 48)
    assert annotator.moments() == []


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference, in grey values."""
    return ImageStat.Stat(ImageChops.difference(a.convert("L"), b.convert("L"))).mean[0]


def test_the_page_reads_while_the_videos_thread_writes(predictors):
    annotator = FrameAnnotator(LiveSettings(predictors, 0.3, mirror=True))
    frames = 30
    thread = threading.Thread(
        target=lambda: [annotator(video_frame(PICTURE, number)) for number in range(frames)]
    )
    thread.start()
    seen = [0]
    while thread.is_alive():
        moments = annotator.moments()
        assert len(moments) >= seen[-1]
        assert all(moment.probs for moment in moments)
        seen.append(len(moments))
    thread.join()
    assert len(annotator.moments()) == frames


@pytest.mark.parametrize("keys", ["A", "B", "AB"])
def test_box_expression_and_bars_are_drawn_in_their_colours(keys):
    picture = Image.new("RGB", (640, 480), "white")
    probs = np.full(7, 0.05)
    probs[3] = 0.7
    draw_face(picture, Box(200, 150, 200), dict.fromkeys(keys, probs))
    pixels = np.asarray(picture)

    def count(colour: str, *, rows=slice(None), columns=slice(None)) -> int:
        rgb = Image.new("RGB", (1, 1), colour).getpixel((0, 0))
        return int((pixels[rows, columns] == rgb).all(-1).sum())

    assert count(MARK_COLOUR) > 4 * 200
    for key, colour in MODEL_COLOURS.items():
        label = count(colour, rows=slice(80, 150))
        bars = count(colour, rows=slice(330, 480), columns=slice(0, 200))
        assert (label > 500) == (bars > 100) == (key in keys)


def test_a_face_at_the_border_is_drawn_inside_the_picture():
    picture = Image.new("RGB", (320, 240), "white")
    draw_face(picture, Box(250, -30, 120), {"A": np.eye(7)[3], "B": np.eye(7)[6]})
    pixels = np.asarray(picture)
    blue = (pixels == Image.new("RGB", (1, 1), MODEL_COLOURS["A"]).getpixel((0, 0))).all(-1)
    assert blue[:40].sum() > 100


def test_the_chart_has_a_line_for_each_class_with_gaps_where_no_face_was():
    happy = {"A": np.eye(7)[3], "B": np.eye(7)[6]}
    moments = [Moment(step / 10, {} if 100 <= step < 150 else happy, 9.0) for step in range(300)]
    figure = live_figure(moments, ["A", "B"])
    lines = [trace for trace in figure["data"] if "name" in trace]
    assert [trace["name"] for trace in lines] == [*CLASSES, *CLASSES]
    line = lines[3]
    assert line["x"][-1] == 0
    assert line["x"][0] == pytest.approx(-29.9, abs=0.3)
    assert np.isnan(line["y"]).mean() == pytest.approx(1 / 6, abs=0.02)
    assert np.nanmin(line["y"]) == 100
    assert np.nanmax(lines[0]["y"]) == 0
    rim = figure["data"][3]  # under the yellow line, which white would swallow
    np.testing.assert_array_equal(rim["y"], line["y"])
    assert rim["line"]["width"] > line["line"]["width"]


def test_words():
    moment = Moment(0.0, {"A": np.eye(7)[3], "B": np.eye(7)[6]}, 12.0)
    assert reading(moment, ["A", "B"]) == (
        ":blue[**A**] **happy** 100 %  ·  :orange[**B**] **neutral** 100 %"
    )
    assert reading(moment, ["B"]) == ":orange[**B**] **neutral** 100 %"
    assert pace_words(Pace(15.04, 12.3, 20.6, 0.987)) == (
        "12 ms a frame, 95 % within 21 ms · 15.0 frames a second · "
        "a face in 98.7 % of frames, over the last half-minute"
    )


def test_a_connection_fails_when_it_is_given_up_or_takes_too_long():
    connection = Connection()
    assert not connection.update(0.0, playing=False, signalling=False)
    assert not connection.update(1.0, playing=False, signalling=True)
    assert not connection.update(10.0, playing=False, signalling=True)
    assert connection.update(11.5, playing=False, signalling=True)
    assert connection.update(12.0, playing=False, signalling=False)
    assert not connection.update(20.0, playing=False, signalling=True)
    assert not connection.update(21.0, playing=True, signalling=False)
    assert not connection.update(90.0, playing=False, signalling=False)


def test_no_outside_server_is_named_unless_the_setting_does(monkeypatch):
    monkeypatch.delenv("FERCORE_ICE_SERVERS", raising=False)
    assert ice_servers() == []
    turn = '[{"urls": ["turn:turn.example.org"], "username": "u", "credential": "c"}]'
    monkeypatch.setenv("FERCORE_ICE_SERVERS", turn)
    assert ice_servers()[0]["username"] == "u"


@pytest.mark.parametrize(
    "setting", ["{", "{}", "[1]", "[{}]", '[{"urls": "https://x"}]', '[{"urls": [1]}]']
)
def test_a_wrong_ice_setting_is_a_sentence(monkeypatch, setting):
    monkeypatch.setenv("FERCORE_ICE_SERVERS", setting)
    with pytest.raises(ConfigError, match="FERCORE_ICE_SERVERS"):
        ice_servers()


def test_the_sample_picture_has_a_face():
    assert find_faces(PICTURE).boxes
