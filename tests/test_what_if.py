"""A face under sliders, where an answer flips, and an occlusion map against a naive loop."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from dashboard.faces.what_if_view import curve_figure, flip_in_words
from fercore.analysis.corruptions import contrast, covered, light, moved, turned
from fercore.analysis.occlusion import occlusion_map
from fercore.analysis.what_if import SCALES, Change, Flip, along, changed, flips, nearest_flip
from fercore.errors import ConfigError, RunError
from fercore.labels import CLASSES
from fercore.predict.predictor import answers_of
from fercore.runs.ensemble import make_ensemble, members_of
from fercore.runs.listing import find_run
from tests.driving import press
from tests.test_imported_pages import theirs  # noqa: F401
from tests.test_pages import copy_of, no_video, open_page, said  # noqa: F401


@pytest.fixture
def face(faces):
    return faces.images[3]


def bright_corner(faces: np.ndarray) -> np.ndarray:
    """A model that says 'happy' as surely as the upper left quarter is bright."""
    share = faces[:, :24, :24].mean((1, 2)) / 255
    probs = np.zeros((len(faces), 7))
    probs[:, 3], probs[:, 6] = share, 1 - share
    return probs.astype(np.float32)


def test_light_is_pillows_brightness(face):
    ours = light(face[None], 40)[0].astype(int)
    theirs_ = np.asarray(ImageEnhance.Brightness(Image.fromarray(face)).enhance(1.4)).astype(int)
    assert np.abs(ours - theirs_).max() <= 1
    assert contrast(face[None], -90)[0].std() < 0.15 * face.std()
    assert contrast(face[None], 0)[0].tolist() == face.tolist()


def test_a_positive_turn_is_to_the_left(face):
    turned_left = turned(face[None], 90)[0]
    np.testing.assert_array_equal(turned_left, np.rot90(face))


def test_moved_and_covered_are_rolled_and_cut(face):
    down = moved(face[None], 3, -2)[0]
    np.testing.assert_array_equal(down[3:, :-2], face[:-3, 2:])
    hand = covered(face[None], 10, -4, 40)[0]
    assert (hand[:6, 40:] == 128).all()
    assert (hand[6:] == face[6:]).all()
    assert (hand[:, :40] == face[:, :40]).all()


def test_nothing_changed_is_the_face_and_noise_is_the_same_each_time(face):
    np.testing.assert_array_equal(changed(face, Change()), face)
    noisy = Change(noise=20, light=-30, hand=12)
    np.testing.assert_array_equal(changed(face, noisy), changed(face, noisy))
    assert (changed(face, noisy) != face).any()


@pytest.mark.parametrize("name", SCALES)
def test_a_scan_is_the_face_at_each_value(face, name):
    change = Change(blur=0.5, hand=8)
    values, faces = along(face, change, name)
    assert values[0] == SCALES[name].low
    assert values[-1] == pytest.approx(SCALES[name].high)
    assert getattr(Change(), name) in values
    for place in (0, len(values) // 2, -1):
        one = changed(face, replace(change, **{name: values[place]}))
        np.testing.assert_array_equal(faces[place], one)


def test_a_flip_is_where_both_are_as_probable():
    values = np.linspace(0, 10, 11)
    probs = np.zeros((11, 7))
    probs[:, 3], probs[:, 6] = 0.9 - 0.08 * values, 0.1 + 0.08 * values
    probs[:, 2] = np.where(values >= 9, 2, 0)
    first, second = flips(values, probs)
    assert (first.before, first.after) == ("happy", "neutral")
    assert first.value == pytest.approx(5)
    assert (second.before, second.after) == ("neutral", "fear")
    assert 8 < second.value < 9
    assert nearest_flip(values, probs, 7) == second
    assert nearest_flip(values, probs, 10) == Flip(second.value, "fear", "neutral")  # seen from 10
    assert nearest_flip(values[:3], probs[:3], 0) is None


def test_the_curve_marks_its_flips():
    values = np.linspace(-90, 90, 37)
    probs = np.zeros((37, 7), np.float32)
    probs[:, 3], probs[:, 6] = (values + 90) / 180, (90 - values) / 180
    figure = curve_figure(values, probs, 40.0, "light", "A")
    *lines, marks = figure.data
    assert [line.name for line in lines] == ["happy", "neutral"]
    assert list(marks.x) == pytest.approx([0])
    assert list(marks.y) == pytest.approx([50])
    assert 40 in [shape.x0 for shape in figure.layout.shapes]
    assert "happy → neutral" in flip_in_words("A", "light", values, probs, 40.0)
    assert "stays with it" in flip_in_words("A", "light", values[20:], probs[20:], 40.0)


@pytest.mark.parametrize(("patch", "stride"), [(12, 4), (10, 7), (48, 1)])
def test_an_occlusion_map_is_that_of_a_naive_loop(face, patch, stride):
    found = occlusion_map(bright_corner, face, 3, patch=patch, stride=stride)
    whole = bright_corner(face[None])[0, 3]
    total, number = np.zeros((48, 48)), np.zeros((48, 48))
    starts = sorted({*range(0, 48 - patch, stride), 48 - patch})
    for row, top in enumerate(starts):
        for column, left in enumerate(starts):
            hidden = face.copy()
            hidden[top : top + patch, left : left + patch] = 128
            drop = whole - bright_corner(hidden[None])[0, 3]
            assert found.drops[row, column] == pytest.approx(drop, abs=1e-6)
            total[top : top + patch, left : left + patch] += drop
            number[top : top + patch, left : left + patch] += 1
    np.testing.assert_allclose(found.places, total / number, atol=1e-6)
    assert found.strength.min() >= 0
    assert found.strength.max() <= 1


def test_hiding_finds_the_place_that_decides():
    face = np.full((48, 48), 40, np.uint8)
    face[8:20, 8:20] = 250
    row, column = divmod(int(occlusion_map(bright_corner, face, 3).places.argmax()), 48)
    assert 8 <= row < 20
    assert 8 <= column < 20
    assert not occlusion_map(bright_corner, face, 2).places.any()


def test_an_odd_patch_is_a_sentence(face):
    with pytest.raises(ConfigError, match="A patch has 1 to 48 pixels"):
        occlusion_map(bright_corner, face, 3, patch=60)


def test_an_ensemble_is_asked_through_its_members(two_runs, faces):
    other = copy_of(two_runs[0], seed=1)
    both = make_ensemble("both", [two_runs[0], other])
    each = [answers_of(run)(faces.images[:5]) for run in (two_runs[0], other)]
    np.testing.assert_allclose(answers_of(both)(faces.images[:5]), np.mean(each, 0), atol=1e-7)
    assert occlusion_map(answers_of(both), faces.images[0], 3).places.shape == (48, 48)
    other.folder.rename(other.folder.with_name(".gone"))
    with pytest.raises(RunError, match="its member 'first-1' is not here"):
        members_of(find_run("both"))


def test_the_page_is_about_the_face_of_the_link(two_runs):
    table = find_run("first").predictions()
    row = int(table.rows[5])
    app = open_page("what_if", a="first", b="second", row=row)
    assert f"Row {row}, labelled **{CLASSES[table.labels[5]]}**" in said(app)
    assert ":orange[**B**] says" in said(app)


def test_a_slider_that_moves_is_followed_by_the_curve(two_runs):
    app = open_page("what_if", a="first", b="second")
    assert app.selectbox(key="along").value == "light"
    app.slider(key="what-if-blur").set_value(2.0).run()
    assert app.selectbox(key="along").value == "blur"
    face = next(word for word in said(app).split("\n") if word.startswith("Row "))
    press(app, "Back to the untouched face")
    assert app.slider(key="what-if-blur").value == 0
    press(app, "Another face")
    assert face not in said(app)
    assert not app.error


def test_an_ensemble_is_under_the_sliders_and_an_imported_run_is_not(two_runs, theirs):  # noqa: F811
    make_ensemble("both", [two_runs[0], copy_of(two_runs[0], seed=1)])
    app = open_page("what_if", a="both", b="theirs")
    words = said(app)
    assert ":blue[**A**] says" in words
    assert "B: 'theirs' was imported: it has predictions, but no weights" in words
    app.toggle(key="what-if-looks").set_value(True).run()
    assert not app.error
    assert "moves a grey square of 12×12 pixels over the face in steps of 4" in said(app)


def test_a_photo_is_changed_as_well(two_runs):
    app = open_page("what_if", a="first", b="second", sample="drawn face", **{"from": "photo"})
    assert "Face 1 in drawn face: a synthetic face" in said(app)
    assert ":blue[**A**] says" in said(app)
