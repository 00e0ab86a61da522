"""A run finds its faces by their fingerprint and their pixels, whatever dataset is chosen."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dashboard.base import image_loading
from fercore import data
from fercore.data import cache, face_set
from fercore.data.finding import find_faces
from fercore.data.settings import choose_data
from fercore.data.stored_faces import faces_folder
from fercore.errors import DataError
from fercore.files import write_json
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.runs.origin import faces_of
from fercore.scoring.evaluation import evaluate_parts
from fercore.scoring.predictions import prediction_frame
from tests.test_data_sources import csv_text, write_tree
from tests.test_pages import open_page, said


@pytest.fixture
def ours(faces, tmp_path):
    """84 drawn faces as the set 'ours', read from a CSV, so that the cache holds it."""
    (tmp_path / "ours.csv").write_text(csv_text(faces))
    return data.load(tmp_path / "ours.csv")


@pytest.fixture
def run(two_runs, ours):
    """The run 'first', as one that was made on 'ours'."""
    probs = np.random.default_rng(0).dirichlet(np.ones(7), 42).astype(np.float32)
    prediction_frame(ours, probs).to_parquet(two_runs[0].folder / "predictions.parquet")
    scores = evaluate_parts(find_run("first").prediction_frame)
    write_json(two_runs[0].folder / "metrics.json", scores)
    about = {"name": "ours", "fingerprint": ours.fingerprint, "counts": ours.counts()}
    write_json(two_runs[0].folder / "run.json", two_runs[0].info | {"dataset": about})
    return find_run("first")


def other_set(folder):
    """Other people's faces, to be chosen in between."""
    other = data.synthetic((2, 1, 1), seed=9)
    write_tree(folder, other, kaggle=False)
    return folder


@pytest.mark.parametrize("chosen_by", ["FERCORE_DATA", "data use", "synthetic"])
def test_another_chosen_set_takes_no_faces_away(run, ours, tmp_path, monkeypatch, chosen_by):
    other = other_set(tmp_path / "theirs")
    if chosen_by == "data use":
        choose_data(other)
    else:
        source = other if chosen_by == "FERCORE_DATA" else data.SYNTHETIC
        monkeypatch.setenv("FERCORE_DATA", str(source))
    assert faces_of(run).fingerprint == ours.fingerprint
    assert image_loading.dataset(run).fingerprint == ours.fingerprint
    found = image_loading.images(run)
    assert (found.missing, found.partly) == ("", "")
    first = run.predictions()
    wanted = ours.images[ours.row == first.rows[0]][0]
    np.testing.assert_array_equal(found.get(first.pixels[0]), wanted)


def test_what_is_chosen_is_not_read_where_the_cache_has_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(other_set(tmp_path / "theirs")))
    monkeypatch.setattr("fercore.data.finding.load", lambda *_, **__: pytest.fail("read"))
    faces_of(run)


def test_unread_copies_are_read(run, ours, tmp_path, monkeypatch):
    shutil.rmtree(cache.cache_folder())
    with pytest.raises(DataError, match="The images of ours are not, or no more, on this machine"):
        faces_of(run)
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "ours.csv"))
    assert faces_of(run).fingerprint == ours.fingerprint


def test_kept_faces_of_that_name_are_looked_through(run, ours, tmp_path):
    shutil.rmtree(cache.cache_folder())
    write_tree(faces_folder() / "ours", ours, kaggle=False)  # in another order: found by pixels
    assert (np.sort(faces_of(run).pixel_hashes()) == np.sort(ours.pixel_hashes())).all()
    assert image_loading.images(run).partly == ""


def changed(ours, name="copy", seed=0):
    """A copy with a third of the pixels and two labels of another origin."""
    images, labels = ours.images.copy(), ours.labels.copy()
    gone = np.random.default_rng(seed).permutation(len(ours))[: len(ours) // 3]
    images[gone] = 255 - images[gone]
    labels[:2] = labels[1::-1]
    return face_set(name, images, labels, ours.usage)


def test_a_copy_that_holds_some_of_the_images_is_used_and_told(run, ours, tmp_path, monkeypatch):
    shutil.rmtree(cache.cache_folder())
    copy = changed(ours)
    (tmp_path / "copy.csv").write_text(csv_text(copy))
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "copy.csv"))
    scored = run.prediction_frame["pixels"]
    held = np.isin(scored, copy.pixel_hashes()).sum()
    assert 0 < held < len(scored)
    found = image_loading.images(run)
    assert found.missing == ""
    told = f"{held} of the {len(scored)} test images that first was scored on are in the copy here"
    assert found.partly.startswith(f"{told} (copy.csv).")
    assert sum(found.get(pixels) is not None for pixels in scored) == held
    for page in ("misclassified", "slices", "data_audit"):
        assert told in said(open_page(page, a="first", b="none")), page
    holes = said(open_page("misclassified", a="first", b="none")).count("not in this copy")
    wrong = run.predictions().where(~run.predictions().correct)
    assert holes == (~np.isin(wrong.pixels, copy.pixel_hashes())).sum() > 0


def test_the_copy_that_holds_most_is_taken(ours):
    shutil.rmtree(cache.cache_folder())
    fewer = changed(ours)
    cache.write_entry("fewer", fewer)
    most = face_set("most", np.concatenate([ours.images[:80], 255 - ours.images[80:]]), ours.labels,
                    ours.usage)  # fmt: skip
    cache.write_entry("most", most)
    cache.write_entry("none", data.synthetic((2, 1, 1), seed=9))
    assert find_faces("ours", ours.fingerprint, ours.pixel_hashes()).name == "most"


def test_where_nothing_is_held_the_way_to_fer2013_is_told(ours):
    pixels = np.array([1, 2, 3])
    with pytest.raises(DataError, match="fercore data download"):
        find_faces("FER2013", "another", pixels)
    cache.write_entry("jpeg", replace(ours, name="FER2013"))
    with pytest.raises(DataError, match="JPEG editions have other pixels"):
        find_faces("FER2013", "another", pixels)


def test_a_chosen_file_that_is_gone_is_named_where_it_was_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "gone.csv"))
    with pytest.raises(DataError, match=r"gone\.csv: there is no such file"):
        find_faces("FER2013", "any", np.array([1]))


def test_positions_are_those_of_a_dictionary(faces):
    hashes = faces.pixel_hashes()
    wanted = np.concatenate([hashes[::5], [0, hashes.max() + 1, hashes.min() - 1]])
    known = {value: index for index, value in enumerate(hashes)}
    assert faces.positions(wanted).tolist() == [known.get(value, -1) for value in wanted]
    assert (faces.where(hashes == 0).positions(wanted) == -1).all()


def test_a_tree_of_the_same_images_gets_no_votes_by_its_own_rows(run, ours, tmp_path, monkeypatch):
    """Its rows are others: the agreement told is that of the run's rows."""
    folder = tmp_path / "tree"
    for index, (image, label, usage) in enumerate(zip(ours.images, ours.labels, ours.usage)):
        place = folder / usage / CLASSES[label] / f"{index:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place)
    shutil.rmtree(cache.cache_folder())
    monkeypatch.setenv("FERCORE_DATA", str(folder))
    monkeypatch.setattr("fercore.data.votes._USAGE", ours.usage)
    monkeypatch.setattr("fercore.runs.artifacts.Run.dataset", property(lambda self: "FER2013"))
    from dashboard.compare import audit_view
    from fercore.data.votes import CATEGORIES, Votes

    counts = np.zeros((len(ours), len(CATEGORIES)), int)
    counts[np.arange(len(ours)), ours.labels] = 10  # all raters say what the label says
    monkeypatch.setattr("dashboard.faces.face_loading.votes", lambda run: Votes(counts))
    assert audit_view.run_audit(run).agreement is None
    assert (audit_view.agreement(run)["share"] == 1).all()
