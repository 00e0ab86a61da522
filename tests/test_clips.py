"""Clips: frames by time, faces that keep their number, what models say of them, and odd files."""

import io
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fercore.csv_tables import undeclared
from fercore.errors import ConfigError, ImageError
from fercore.faces import tracking, video
from fercore.faces.clips import LOOKED_AT_SIDE, Clip
from fercore.faces.detection import find_faces
from fercore.faces.tracking import FaceTracker, followed
from fercore.labels import CLASSES
from fercore.predict.clip_results import COLUMNS, Spell, clip_table, sights, spells
from fercore.predict.predictor import Predictor
from tests.conftest import ROOT
from tests.moving import RATE, SIZE, clip_of, scene, turned, walk
from tests.test_predict import invoke


@pytest.fixture(scope="module")
def walked() -> bytes:
    return clip_of(walk(2))


@pytest.fixture
def two_faces(tmp_path):
    """Two heads side by side; the second one comes after half a second."""
    heads = [((10, 80), (250, 80))[: 1 + (number >= RATE // 2)] for number in range(2 * RATE)]
    path = tmp_path / "two.mp4"
    path.write_bytes(clip_of((scene(*places) for places in heads), sound=True))
    return path


def look(content: bytes, **options):
    """Each frame's time and faces, and the notes."""
    with Clip(io.BytesIO(content), "it.mp4", **options) as clip:
        return [(seen.frame.at, seen.faces) for seen in followed(clip)], clip.notes


def test_a_face_is_followed_with_its_times(walked):
    found, notes = look(walked)
    assert notes == []
    assert [at for at, _ in found] == pytest.approx(np.arange(0, 2, 0.2))
    assert {face.number for _, faces in found for face in faces} == {1}
    lefts = [faces[0].box.left for _, faces in found]
    assert lefts == sorted(lefts)
    assert lefts[-1] - lefts[0] == pytest.approx((SIZE[0] - 200) * 18 / 19, abs=12)


def test_two_faces_keep_their_numbers_where_they_pass():
    """One goes from the left of the other to its right."""
    tracker, frames = FaceTracker(), []
    for number in range(16):
        places = (10 + 24 * number, 0), (210, 250)
        seen = tracker(scene(*places, side=230, size=(640, 480)), number / 10)
        frames.append({face.number: face.box for face in seen})
    assert all(set(faces) == {1, 2} for faces in frames)
    moving = min((1, 2), key=lambda number: frames[0][number].top)
    assert frames[-1][moving].left == pytest.approx(frames[0][moving].left + 360, abs=12)
    assert frames[-1][3 - moving].left == pytest.approx(frames[0][3 - moving].left, abs=12)


def test_a_face_that_was_away_for_long_is_another_one():
    tracker = FaceTracker()
    with_face, without = scene((100, 80)), scene()
    pictures = [with_face, without, with_face, without, with_face]
    numbers = [
        [face.number for face in tracker(picture, at)]
        for picture, at in zip(pictures, (0.0, 0.4, 0.8, 1.2, 3.0))
    ]
    assert numbers == [[1], [], [1], [], [2]]


def test_a_face_that_the_search_misses_is_looked_for_where_it_was(monkeypatch):
    tracker = FaceTracker()
    (first,) = tracker(scene((100, 80)), 0.0)
    nothing = video.search(scene(), (0, 0, *SIZE), 0.5)
    monkeypatch.setattr(tracking, "search", lambda *_: nothing)
    (again,) = tracker(scene((110, 84)), 0.2)
    assert again.number == first.number
    assert again.box.left == pytest.approx(first.box.left + 10, abs=8)


@pytest.mark.parametrize("choice", ["largest", "none"])
def test_one_face_a_frame_on_demand(choice):
    picture = scene((10, 80), side=160)
    picture.paste(scene((0, 0), size=(240, 240), side=240), (220, 60))
    (face,) = FaceTracker(choice)(picture, 0.0)
    assert face.whole is (choice == "none")
    assert face.box.left > 200 or choice == "none"


@pytest.mark.parametrize(
    ("codec", "form", "pixels"),
    [
        ("libvpx-vp9", "webm", "yuv420p"),
        ("ffv1", "matroska", "yuv444p10le"),
        ("png", "mov", "gray"),
        ("mpeg4", "avi", "yuv420p"),
        ("libx264", "mpegts", "yuv422p"),
    ],
)
def test_kinds_of_clips(codec, form, pixels):
    found, notes = look(clip_of(walk(0.6), codec=codec, form=form, pixels=pixels))
    assert [[face.number for face in faces] for _, faces in found] == [[1]] * 3
    assert notes == []


def test_a_clip_is_turned_as_players_do():
    lying = clip_of(frame.rotate(90, expand=True) for frame in walk(0.2))
    with Clip(io.BytesIO(turned(lying))) as clip:
        (frame,) = clip
    upright = np.asarray(next(walk(0.2)), int)
    assert frame.picture.size == SIZE
    assert np.abs(np.asarray(frame.picture, int) - upright).mean() < 5
    assert frame.picture.getpixel((2, 2)) != (0, 0, 0)


def test_times_are_the_clips_own_where_its_rate_varies():
    times = [0.0, 0.1, 0.5, 0.55, 0.6, 1.5]
    found, _ = look(clip_of((scene() for _ in times), times=times))
    assert [at for at, _ in found] == pytest.approx([0.0, 0.5, 0.6, 1.5], abs=0.002)


def test_rate_and_length_are_bounded(walked):
    found, notes = look(walked, per_second=2, longest=1.2)
    assert [at for at, _ in found] == pytest.approx([0.0, 0.5, 1.0])
    assert notes == ["Only its first 1 s are looked at."]
    assert [at for at, _ in look(walked, per_second=30)[0]] == pytest.approx(np.arange(20) / RATE)
    for wrong in ({"per_second": 0}, {"per_second": 1e9}, {"longest": -1}):
        with pytest.raises(ConfigError):
            Clip(io.BytesIO(walked), **wrong)


def playlist(place: str) -> bytes:
    """An HLS playlist: FFmpeg would open what it names."""
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{place}\n#EXT-X-ENDLIST\n".encode()


def enlarged_inside() -> bytes:
    """Small by its container, 30000 pixels a side by each of its JPEGs."""
    avi = clip_of([scene()] * 3, codec="mjpeg", form="avi", pixels="yuvj420p")
    sides = (30_000).to_bytes(2, "big") * 2
    return re.sub(rb"\xff\xc0(...)....", lambda m: b"\xff\xc0" + m[1] + sides, avi, flags=re.S)


CUT = clip_of(scene((10, 80)) for _ in range(4))
ODD = {
    "empty": (lambda: b"", "the file is empty"),
    "no clip": (lambda: b"hello" * 4000, "not a clip that can be read, or it is cut short"),
    "cut": (lambda: CUT[: len(CUT) // 2], "not a clip that can be read, or it is cut short"),
    "sound alone": (lambda: clip_of([], sound=True), "no moving picture"),
    "playlist": (lambda: playlist("file:///etc/passwd"), "not a clip that can be read"),
    "long sides": (
        lambda: clip_of([Image.new("RGB", (5000, 64))], codec="mjpeg", form="avi",
                        pixels="yuvj420p"),
        "5000×64 pixels are too large",
    ),
    "declared larger inside": (
        enlarged_inside, "no picture in it can be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_ends_in_a_sentence(name):
    content, sentence = ODD[name]
    with pytest.raises(ImageError, match=sentence) as told:
        look(content())
    assert str(told.value).startswith("it.mp4: ")


def test_a_clip_that_is_cut_short_is_read_as_far_as_it_goes():
    noise = np.random.default_rng(0).integers(0, 256, (20, 90, 120, 3), dtype=np.uint8)
    whole = clip_of(map(Image.fromarray, noise), codec="ffv1", form="matroska", pixels="yuv444p")
    found, notes = look(whole[: len(whole) // 2])
    assert 0.6 < found[-1][0] < 1.2
    assert "cut short" in notes[-1]


def test_a_damaged_place_is_passed_over():
    noise = np.random.default_rng(0).integers(0, 256, (10, 90, 120, 3), dtype=np.uint8)
    good = clip_of(map(Image.fromarray, noise), codec="png", form="mov", pixels="rgb24")
    second = good.index(b"\x89PNG", good.index(b"\x89PNG") + 1)
    found, notes = look(good[:second] + bytes(400) + good[second + 400 :], per_second=10)
    assert len(found) == 9
    assert notes == ["Passed over in it: 1 damaged places."]


_PEAK = """
import sys
from pathlib import Path
from PIL import Image
from fercore.faces.clips import LOOKED_AT_SIDE, Clip
from fercore.faces.tracking import FaceTracker, followed

def megabytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6

FaceTracker()(Image.new("RGB", (1280, 720)), 0.0)
Path("/proc/self/clear_refs").write_text("5")
before = megabytes()
with Clip(Path(sys.argv[1]), per_second=1) as clip:
    frames = sum(1 for _ in followed(clip))
    print(frames, before, megabytes(), clip.bytes_needed / 1e6)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_a_clip_takes_no_more_memory_than_is_reckoned(tmp_path):
    """Of which each frame refers to the sixteen before it; what is reckoned is what is refused
    where it is more than a photo may take.
    """
    frames = (Image.new("RGB", (1280, 720), (6 * shade, 90, 90)) for shade in range(40))
    most = {"preset": "ultrafast", "x264-params": "ref=16"}
    (tmp_path / "large.mp4").write_bytes(clip_of(frames, options=most))
    command = [sys.executable, "-c", _PEAK, str(tmp_path / "large.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    looked_at, before, peak, reckoned = map(float, done.stdout.split())
    assert looked_at == 4
    assert 20 < peak - before < reckoned + 20  # a picture or two beside it


def test_more_bits_allow_for_fewer_pixels():
    look(clip_of([scene()], codec="ffv1", form="matroska"), most=10_000_000)
    deep = clip_of([scene()], codec="ffv1", form="matroska", pixels="yuv444p10le")
    with pytest.raises(ImageError, match="480×360 pixels are too large"):
        look(deep, most=10_000_000)


def test_boxes_of_a_large_frame_are_in_its_own_pixels():
    large = scene((60, 80)).resize((2400, 1800))
    with Clip(io.BytesIO(clip_of([large], codec="mpeg4"))) as clip:
        (seen,) = followed(clip)
    (sight,) = sights(seen)
    (expected,) = find_faces(scene((60, 80)), thorough=False).boxes
    assert max(seen.frame.picture.size) == LOOKED_AT_SIDE
    assert [value / 5 for value in sight.box[:3]] == pytest.approx(expected[:3], abs=12)


def test_the_command_writes_a_line_for_each_face_and_time(two_runs, two_faces, tmp_path):
    output = tmp_path / "answers.csv"
    done = invoke(two_faces, "--output", output)
    assert done.exit_code == 0
    table = pd.read_csv(output)
    assert list(table.columns) == COLUMNS
    assert not undeclared(table)
    assert table[table["face"] == 1]["time"].tolist() == pytest.approx(np.arange(0, 2, 0.2))
    assert table[table["face"] == 2]["time"].tolist() == pytest.approx(np.arange(0.6, 2, 0.2))
    probs = table[[f"p_{name}" for name in CLASSES]].to_numpy()
    np.testing.assert_allclose(probs.sum(1), 1, atol=1e-5)
    assert [CLASSES[place] for place in probs.argmax(1)] == table["predicted"].tolist()

    predictor = Predictor.from_run("first")
    with Clip(two_faces) as clip:
        seen = next(iter(followed(clip)))
    (sight,) = sights(seen)
    expected = predictor.record.calibrated(predictor.probs(sight.face[None]))[0]
    np.testing.assert_allclose(probs[0], expected, atol=1e-5)


def test_the_command_prints_who_shows_what_and_when(two_runs, two_faces):
    done = invoke(two_faces, "--rate", 2, "--longest", 1)
    assert done.exit_code == 0
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["face", "from,", "s", "to,", "s", "expression", "mean", "%"]
    assert [line.split()[:3] for line in lines] == [["1", "0.0", "0.5"], ["2", "0.5", "0.5"]]
    assert "Only its first 1 s are looked at" in done.stderr


def test_bad_clips_do_not_stop_the_rest(two_runs, two_faces, tmp_path):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "none.mp4").write_bytes(clip_of(scene() for _ in range(3)))
    done = invoke(tmp_path / "*.mp4", "--json", "--rate", 1)
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert {record["clip"] for record in told["faces"]} == {str(two_faces)}
    assert [problem.split(": ")[1] for problem in told["problems"]] == [
        "the file is empty.", "no face was found.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.mp4", "me.jpg"], "photos one after the other"),
        (["me.jpg", "--rate", "3"], "none is named"),
        (["me.jpg", "--rate", "0"], "none is named"),
        (["a.mp4", "--rate", "0"], "to 30 frames a second"),
        (["missing*.mp4"], "no file matches"),
        (["a.mp4", "--rate", "99"], "to 30 frames a second"),
    ],
)
def test_wrong_requests_end_in_a_sentence(two_runs, tmp_path, arguments, sentence):
    (tmp_path / "a.mp4").touch()
    there = [str(tmp_path / name) if "." in name else name for name in arguments]
    done = invoke(*there)
    assert isinstance(done.exception, ConfigError)
    assert sentence in str(done.exception)


def test_spells_are_what_is_said_in_a_row():
    said = [(0.0, 1, "happy", False), (0.0, 2, "sad", False), (0.2, 1, "happy", False),
            (0.4, 1, "sad", True), (0.6, 1, "happy", False)]  # fmt: skip
    records = [
        {"time": at, "face": face, "predicted": name, "unsure": unsure, "confidence": 0.5 + at}
        for at, face, name, unsure in said
    ]
    told = [spell._replace(confidence=round(spell.confidence, 3)) for spell in spells(records)]
    assert told == [
        Spell(1, 0.0, 0.2, "happy", 0.6, False),
        Spell(1, 0.4, 0.4, "sad", 0.9, True),
        Spell(1, 0.6, 0.6, "happy", 1.1, False),
        Spell(2, 0.0, 0.0, "sad", 0.5, False),
    ]
    assert list(clip_table([]).columns) == COLUMNS
