"""Every page, and every command that reads images, on the shipped runs and the real FER2013.

Skipped where FER2013 is not on this machine. The numbers are those of the dataset's description.
"""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboard.base.navigation import PAGES
from dashboard.base.parameters import STUDY_IMAGES
from fercore import data
from fercore.analysis import from_weights, review
from fercore.data import cache, face_set
from fercore.errors import RunError
from fercore.groups import tables
from fercore.jobs.experiment import run_experiment
from fercore.jobs.request import Request, prepare
from fercore.models import MODELS
from fercore.models.inference import for_inference, predict_probs
from fercore.models.precision import REFERENCE
from fercore.runs.listing import find_run
from fercore.runs.origin import faces_of
from fercore.runs.writing import write_scores
from fercore.scoring.predictions import prediction_frame
from fercore.study.runner import check_cells
from fercore.study.standing import study_shown
from fercore.study.store import StudyStore
from fercore.study.variants import find_study
from fercore.training.recipes import find_recipe
from fercore.wording import count
from tests.conftest import FER2013, ROOT
from tests.test_cli import run
from tests.test_data_sources import write_tree
from tests.test_pages import no_video, open_page, said  # noqa: F401

TINY = replace(find_recipe("quick"), epochs=1, batch_size=64, model_arguments={"width": 4})
PAIRS = {  # what is looked at: the part, A, B
    "the pair that the app opens with": ("private", None, None),
    "two seeds of one recipe": ("clean", "cnn-s0", "cnn-s1"),
    "two ensembles": ("public", "cnn-best-ensemble", "cnn_lstm-best-ensemble"),
    "a run on drawn faces beside a real one": ("private", "drawn", "cnn-best"),
    "a real one beside a run on one's own photos": ("clean", "cnn_lstm-best", "own"),
    "one's own alone": ("public", "own", "none"),
}
OF_NO_PAIR = {
    "webcam",
    "runs",
    "your_faces",
    "does_the_lstm_lose",
    "pretraining",
    "predict",
}  # opened once
COPIES = 287  # PrivateTest images whose pixels occur in Training


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """Artifacts with what is shipped and two own runs, and the faces one of them was made on."""
    if not FER2013.exists():
        pytest.skip("FER2013 is not on this machine")
    home = tmp_path_factory.mktemp("real")
    (home / "artifacts" / "runs").mkdir(parents=True)
    for name in ("shipped", "studies"):
        (home / "artifacts" / name).symlink_to(ROOT / "artifacts" / name)
    drawn = data.synthetic((6, 3, 3), seed=3)
    kept = drawn.where(np.isin(drawn.labels, (3, 4, 6)))
    write_tree(home / "faces" / "ours", kept, kaggle=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_CACHE", str(home / "cache"))
        for name, source in (("drawn", data.SYNTHETIC), ("own", str(home / "faces" / "ours"))):
            request = Request(name, "cnn", TINY, data=source, threads=1)
            folder = prepare(request, home / "artifacts" / "runs" / name)
            run_experiment(request, folder=folder, alongside=True)
    return home


@pytest.fixture
def real(home, fer2013, monkeypatch):
    """FER2013 chosen, with FER+'s votes beside it, and everything else of one's own."""
    monkeypatch.setenv("FERCORE_DATA", str(FER2013))
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(home / "artifacts"))
    monkeypatch.setenv("FERCORE_FACES", str(home / "faces"))
    return fer2013


def page(name: str, **state) -> str:
    app = open_page(name, **state)
    assert not app.error, f"{name}: {app.error[0].value}"
    assert len(app.title) == 1, name
    words = said(app)
    assert not re.search(r"\bnan\b", words, re.I), name
    return words


@pytest.mark.parametrize("pair", PAIRS)
def test_every_page_opens(real, pair):
    part, a, b = PAIRS[pair]
    chosen = {"part": part} | ({"a": a, "b": b} if a else {})
    names = PAGES if a is None else [name for name in PAGES if name not in OF_NO_PAIR]
    words = {name: page(name, **chosen) for name in names}
    assert not [name for name in words if "not on this machine" in words[name]]
    assert not [name for name in words if "not in this copy" in words[name]]


def test_overview_and_audit_tell_what_is_known_of_the_dataset(real):
    app = open_page("data_audit", a="cnn-best", b="none")
    numbers = {metric.label: metric.value for metric in app.metric}
    assert numbers == {
        "Rows that are copies": count(1841),
        "Copies, labels differ": "46",
        "Empty images": "2",
        "Not a face": "177",
    }
    words = said(app)
    assert f"313 of {count(3589)} PrivateTest images (8.7 %) are pixel copies" in words
    assert f"{COPIES} of them of one of Training, which a model may know by heart" in words
    public = page("data_audit", a="cnn-best", b="none", part="public")
    assert f"278 of {count(3589)} PublicTest images (7.7 %) are pixel copies" in public
    overview = open_page("overview", a="cnn-best", b="cnn_lstm-best")
    links = [link.proto.label for link in overview.get("page_link")]
    test = find_run("cnn-best").prediction_frame.query("usage == 'PrivateTest'")
    share = f"{100 * test['copy'].mean():.1f} %"
    assert any(label.replace("\u00a0", " ").startswith(share) for label in links)
    assert "FER+'s raters agree with the label" in said(overview)


def test_slices_are_of_all_images_and_of_their_votes(real):
    table = open_page("slices", a="cnn-best", b="none").dataframe[0].value
    sizes = table.set_index(["property", "slice"])["images"]
    assert sizes[("FER+ agreement", "FER+ agrees")] == 2300  # 64.1 %, by the ranks of the votes
    assert sizes[("face", "not a face")] == 16
    for name in ("brightness", "contrast", "sharpness"):
        assert sizes[name].sum() == 3589
    called = tables.slices("cnn-best").set_index(["property", "slice"])["n"]
    assert (called[sizes.index] == sizes).all()


def test_faces_are_those_of_the_mistakes(real):
    app = open_page("misclassified", a="cnn-best", b="none")
    wrong = int((~find_run("cnn-best").predictions().correct).sum())
    assert f"{count(wrong)} faces" in said(app)
    tiles = [button for button in app.button if (button.key or "").startswith("face-")]
    assert len(tiles) == 60
    tiles[0].click().run()
    assert "Ten raters of FER+" in said(app)
    app.session_state["face-tab"] = "Alike"
    app.run()
    assert not app.exception
    assert "The nearest Training images by their pixels" in said(app)


def test_a_verdict_shows_its_face(real):
    faces = real.part("PrivateTest")
    pixels = int(faces.pixel_hashes()[7])
    review.save(review.Verdict(pixels, int(faces.row[7]), "FER2013", "sad", "ambiguous"))
    words = page("review", a="cnn-best", b="none")
    assert "Ambiguous" in words or "ambiguous" in words
    assert "are not in model A's dataset" not in words
    assert "FER2013" in run("review", "list")


def test_robustness_and_embedding_are_of_all_images(real):
    words = page("robustness", a="cnn-s0", b="cnn_lstm-s0")
    assert f"Images: A {count(3589)}, B {count(3589)}" in words
    words = page("embedding", a="cnn-s0", b="cnn_lstm-s0")
    assert f"All: {count(3589)} faces" in words
    assert "are on the map" not in words


def test_the_commands_that_read_images(real):
    told = json.loads(run("data", "info", "--json"))
    assert (told["name"], told["images"], told["published_counts"]) == ("FER2013", 35887, True)
    found = json.loads(run("audit", "--json"))
    assert (found["surplus"], found["conflicting"], len(found["groups"])) == (1841, 46, 1514)
    across = {line["usage"]: line for line in found["across"]}
    assert across["PrivateTest"]["Training"] == COPIES
    assert across["PrivateTest"]["PublicTest"] == 44
    agreement = {(line["usage"], line["class"]): line for line in found["agreement"]}
    assert agreement["PrivateTest", "all"]["share"] == pytest.approx(0.641, abs=5e-4)
    assert agreement["PrivateTest", "all"]["majority_share"] == pytest.approx(0.548, abs=5e-4)
    assert agreement["PrivateTest", "fear"]["share"] == pytest.approx(0.17, abs=6e-3)
    shown = run("study", "sequence", "--show")
    assert re.search(r"cnn +3 ", shown)
    assert "n = 3\u202f589" in run("compare", "cnn-s0", "cnn_lstm-s0")


def test_weights_evaluated_on_real_images_say_what_the_run_says(real, monkeypatch):
    """A hundred images of each usage, which is enough to see that they are the same."""
    some = np.concatenate([np.flatnonzero(real.usage == usage)[:100]
                           for usage in ("Training", "PublicTest", "PrivateTest")])  # fmt: skip
    few = real.where(np.isin(np.arange(len(real)), some))
    monkeypatch.setattr("fercore.cli.evaluate.load_with_progress", lambda *_: few)
    told = json.loads(run("evaluate", "cnn-fast", "--data", str(FER2013), "--json"))
    stored = find_run("cnn-fast").predictions("private")
    assert told["private"]["accuracy"] == stored.correct[:100].mean()


@pytest.mark.parametrize("part", STUDY_IMAGES)
def test_the_studys_page_is_of_the_part_that_is_chosen(real, part):
    app = open_page("does_the_lstm_lose", images=part, curves=["cnn_lstm"])
    assert not app.error
    shown = app.dataframe[1].value.set_index("variant")["accuracy %"]
    scored = StudyStore(study_shown().name).table().groupby("variant")[f"{part}_accuracy"].mean()
    for name in ("cnn", "cnn_lstm"):
        assert shown[MODELS[name].title] == pytest.approx(100 * scored[name])
    assert len(shown) == len(scored) > 20
    assert "Is there a difference?" in said(app)


@pytest.fixture(scope="module")
def genuine(home, fer2013_cache, tmp_path_factory):
    """FER2013 as others have it: 235 images are others, a few labels swapped; in a cache alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_CACHE", str(fer2013_cache))
        faces = data.load(FER2013)
        patch.setenv("FERCORE_CACHE", str(tmp_path_factory.mktemp("genuine")))
        images, labels, rng = faces.images.copy(), faces.labels.copy(), np.random.default_rng(0)
        for usage, number in (("Training", 209), ("PublicTest", 13), ("PrivateTest", 13)):
            rows = rng.choice(np.flatnonzero(faces.usage == usage), number, replace=False)
            images[rows] = 255 - images[rows]
            labels[rows[:2]] = labels[rows[1::-1]]
        other = face_set("FER2013", images, labels, faces.usage, source="elsewhere/fer2013.csv")
        assert other.is_fer2013()
        assert other.fingerprint != faces.fingerprint
        yield os.environ["FERCORE_CACHE"], cache.write_entry("genuine", other)


@pytest.fixture
def differing(genuine, home, monkeypatch):
    folder, faces = genuine
    monkeypatch.setenv("FERCORE_CACHE", folder)
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(home / "artifacts"))
    return faces


def test_a_copy_that_differs_in_some_images_serves_for_the_rest(differing):
    scored = find_run("cnn-best").prediction_frame
    held = np.isin(scored["pixels"], differing.pixel_hashes())
    assert 7150 <= held.sum() < 7178
    told = f"{count(held.sum())} of the {count(7178)} test images that cnn-best was scored on"
    for name in ("misclassified", "slices", "data_audit"):
        assert told in page(name, a="cnn-best", b="cnn_lstm-best"), name
    for name in ("overview", "robustness", "embedding"):
        page(name, a="cnn-best", b="cnn_lstm-best")
    gone = scored[~held & (scored["usage"] == "PrivateTest").to_numpy()].iloc[0]
    row = next(line for line in find_run("cnn-best").predictions().rows if line == gone["row"])
    review.save(review.Verdict(int(gone["pixels"]), int(row), "FER2013", "sad", "ambiguous"))
    assert "1 of these 1 images are not in model A's dataset" in page("review", a="cnn-best")


def test_figures_and_votes_of_a_differing_copy_are_those_of_the_run(differing):
    measured = tables.slices("cnn-best", "private").set_index(["property", "slice"])
    private = find_run("cnn-best").predictions()
    held = np.isin(private.pixels, differing.pixel_hashes())
    assert measured["n"]["brightness"].sum() == held.sum() < 3589
    agree = measured["n"]["FER+ agreement"]["FER+ agrees"]  # by the run's own labels and rows
    assert agree == 2300
    assert json.loads(run("audit", "--json"))["agreement"]
    faces = faces_of(find_run("cnn-best"))
    assert faces.fingerprint == differing.fingerprint


def test_a_study_goes_on_with_a_differing_copy(differing):
    study, recipe = find_study("sequence"), find_recipe("paper")
    check_cells(StudyStore("sequence"), study.requests(3, recipe), differing)
    mirrored = replace(differing, images=np.asarray(differing.images)[:, :, ::-1],
                       fingerprint="mirrored")  # fmt: skip
    with pytest.raises(RunError, match="on other images"):
        check_cells(StudyStore("sequence"), study.requests(1, recipe), mirrored)


def test_a_run_is_analysed_on_what_a_differing_copy_holds(
    fer2013, differing, tmp_path, monkeypatch
):
    """A tiny model that was scored on a hundred images of which some are not in the copy."""
    original = fer2013
    public, private = (np.flatnonzero(original.usage == u) for u in ("PublicTest", "PrivateTest"))
    lacking = np.flatnonzero(original.pixel_hashes() != differing.pixel_hashes())
    rows = [np.union1d(part[:50], np.intersect1d(part, lacking)) for part in (public, private)]
    few = original.where(np.isin(original.row, np.concatenate(rows)))
    model = find_run("drawn").load_model()
    probs = predict_probs(for_inference(model), few.images, precision=REFERENCE)
    shutil.copytree(find_run("drawn").folder, tmp_path / "artifacts" / "runs" / "tiny")
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(tmp_path / "artifacts"))
    folder = tmp_path / "artifacts" / "runs" / "tiny"
    info = json.loads((folder / "run.json").read_text())
    about = {"name": "FER2013", "fingerprint": original.fingerprint, "counts": original.counts()}
    write_scores(folder, info | {"dataset": about}, prediction_frame(few, probs))
    tiny = find_run("tiny")
    told = run("analyse", "tiny")
    table = tiny.predictions()
    held = np.isin(table.pixels, differing.pixel_hashes())
    assert 0 < (~held).sum() <= 13
    assert f"The other {(~held).sum()} of its {len(table)} images are not in the copy here" in told
    clean = from_weights.robustness(tiny).iloc[0]
    assert (clean["n"], clean["accuracy"]) == (held.sum(), table.correct[held].mean())
    places = from_weights.embedding(tiny)
    assert len(places) == np.isin(tiny.prediction_frame["pixels"], differing.pixel_hashes()).sum()
    assert "are on the map" in page("embedding", a="tiny", b="none")
    assert f"{held.sum()} of {len(table)}" in page("robustness", a="tiny", b="none")
