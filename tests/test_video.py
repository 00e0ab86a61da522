"""A video's face is followed cheaply and found again; smoothing and pace keep their promises."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage.data import astronaut

from fercore.errors import ImageError
from fercore.faces import video
from fercore.faces.detection import find_faces
from fercore.faces.video import FaceFollower, History, Moment, Smoother, newest, pace
from fercore.labels import CLASSES

FACE = Image.fromarray(astronaut()).crop((64, 0, 448, 384))
WALL = Image.new("RGB", (640, 480), "grey")


def frame(left: int = 128, top: int = 48, side: int = 384) -> Image.Image:
    picture = WALL.copy()
    picture.paste(FACE.resize((side, side)), (left, top))
    return picture


def overlap(a, b) -> float:
    """Intersection over union of two square boxes."""
    width = min(a.left + a.side, b.left + b.side) - max(a.left, b.left)
    height = min(a.top + a.side, b.top + b.side) - max(a.top, b.top)
    shared = max(0, width) * max(0, height)
    return shared / (a.side**2 + b.side**2 - shared)


def test_a_moving_face_is_followed_where_a_search_of_every_frame_finds_it():
    follow = FaceFollower()
    for step in range(12):
        picture = frame(60 + 14 * step, 90 - 6 * step)
        assert overlap(follow(picture), find_faces(picture).boxes[0]) > 0.6


def test_a_frame_that_is_too_large_is_refused_before_it_is_searched():
    with pytest.raises(ImageError, match="3841×2 pixels"):
        FaceFollower()(Image.new("RGB", (3841, 2)))


def test_following_looks_at_a_small_part_of_the_picture(monkeypatch):
    looked_at = []

    def counting(picture, **options):
        looked_at.append(picture.width * picture.height)
        return find_faces(picture, **options)

    monkeypatch.setattr(video, "find_faces", counting)
    follow = FaceFollower()
    assert all(follow(frame()) for _ in range(10))
    assert sum(looked_at[1:]) / 9 < 640 * 480 / 3


def test_a_face_that_leaves_is_gone_and_found_when_it_returns():
    follow = FaceFollower()
    assert follow(frame())
    assert follow(WALL) is None
    assert overlap(follow(frame(40)), find_faces(frame(40)).boxes[0]) > 0.6


def test_a_larger_face_takes_over_within_a_second_of_frames():
    follow = FaceFollower()
    small = frame(0, 100, 300)
    assert follow(small).side < 100
    both = small.copy()
    both.paste(FACE.resize((480, 480)).crop((150, 0, 480, 480)), (310, 0))
    assert max(follow(both).side for _ in range(30)) > 100


def test_a_face_below_the_quick_searchs_reach_is_found_and_followed():
    small = frame(200, 150, 170)
    follow = FaceFollower()
    assert all(overlap(follow(small), find_faces(small).boxes[0]) > 0.5 for _ in range(3))


def test_the_frame_may_change_its_size():
    follow = FaceFollower()
    assert follow(frame(250, 90))
    half = frame(250, 90).resize((320, 240))
    found = [follow(half) for _ in range(2)][-1]
    assert overlap(found, find_faces(half).boxes[0]) > 0.5


def test_smoothing_agrees_with_pandas():
    rng = np.random.default_rng(0)
    seen = rng.dirichlet(np.ones(7), 40)
    smoother = Smoother()
    smoothed = [smoother(probs, 0.05 * step, 0.3) for step, probs in enumerate(seen)]
    share = 1 - np.exp(-0.05 / 0.3)
    expected = pd.DataFrame(seen).ewm(alpha=share, adjust=False).mean()
    np.testing.assert_allclose(smoothed, expected)
    np.testing.assert_allclose(np.sum(smoothed, axis=1), 1)


def test_smoothing_does_not_depend_on_the_rate_of_frames():
    def after_half_a_second(rate: int) -> float:
        smoother = Smoother()
        smoother(np.zeros(7), 0.0, 0.4)
        return [smoother(np.ones(7), step / rate, 0.4)[0] for step in range(1, rate // 2 + 1)][-1]

    assert after_half_a_second(10) == pytest.approx(after_half_a_second(40))
    assert after_half_a_second(10) == pytest.approx(1 - np.exp(-0.5 / 0.4))


def test_no_smoothing_and_a_long_gap_show_what_is_seen_now():
    smoother = Smoother()
    first, second = np.eye(7)[0], np.eye(7)[3]
    smoother(first, 0.0, 1.0)
    assert (smoother(second, 0.1, 0.0) == second).all()
    assert (smoother(first, 5.0, 1.0) == first).all()


def test_history_keeps_the_last_half_minute_and_knows_its_pace():
    history = History()
    for step in range(1001):
        probs = {} if step % 10 == 0 else {"A": np.eye(7)[3]}
        history.add(Moment(step / 20, probs, float(step % 100)))
    moments = history.moments()
    assert moments[0].at == pytest.approx(20.0)
    assert moments[-1].at == pytest.approx(50.0)
    now = pace(moments)
    assert now.frames_per_second == pytest.approx(20.0)
    assert now.p95_ms == pytest.approx(94, abs=1)
    assert now.median_ms == pytest.approx(50, abs=1)
    assert now.face_share == pytest.approx(0.9, abs=0.01)
    history.clear()
    assert not history.moments()


def test_the_first_frame_has_no_rate_yet():
    assert pace([Moment(1.0, {}, 12.0)]) == (0.0, 12.0, 12.0, 0.0)


def test_what_was_said_in_a_minute_stands_beside_what_was_learned(two_runs):
    from dashboard.live.view import said_table

    sad, happy = np.eye(7)[CLASSES.index("sad")], np.eye(7)[CLASSES.index("happy")]
    minute = [Moment(at, {"A": sad if at < 45 else happy}, 1.0) for at in range(60)]
    minute.append(Moment(60, {}, 1.0))  # no face: no answer
    table = said_table(minute, {"A": two_runs[0], "B": two_runs[1]})
    assert list(table.loc["sad"]) == ["75", "14", "–", "14"]
    assert table.loc["happy", "A said"] == "25"
    assert len(newest(minute)) == 31
