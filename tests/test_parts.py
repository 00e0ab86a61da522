"""Another test set is a further part of a run: kept, compared on, shown; and read as it comes."""

import json

import numpy as np
import pytest
from PIL import Image

from fercore import data
from fercore.data import face_set
from fercore.errors import RunError
from fercore.groups import tables
from fercore.groups.cells import Cell
from fercore.groups.finding import find_group
from fercore.groups.group import Group
from fercore.labels import CLASSES
from fercore.predict.predictor import Predictor
from fercore.runs.listing import find_run, list_runs
from fercore.runs.origin import faces_of
from fercore.runs.parts import part_names
from tests.conftest import ROOT
from tests.test_cli import fails, run
from tests.test_data_sources import write_tree
from tests.test_pages import no_video, open_page, said  # noqa: F401

EXPRESSIONS = [0, 3, 4]  # what another set may have of the seven


@pytest.fixture
def other(tmp_path, faces):
    """A folder 'elsewhere': test images of three expressions, and none to train by that is sad."""
    sad = (faces.usage == "Training") & (faces.labels == CLASSES.index("sad"))
    few = faces.where(np.isin(faces.labels, EXPRESSIONS) & ~sad)
    drawn = np.random.default_rng(1).integers(0, 40, few.images.shape, np.uint8)
    usage = np.where(few.usage == "Training", "Training", "PrivateTest")
    write_tree(
        tmp_path / "elsewhere",
        face_set("x", few.images // 2 + drawn, few.labels, usage),
        kaggle=False,
    )
    return tmp_path / "elsewhere"


@pytest.fixture
def kept(two_runs, other):
    """Both runs, scored on it."""
    for name in ("first", "second"):
        run("evaluate", name, "--data", str(other), "--keep")
    return [find_run(each.run_id) for each in two_runs]


def test_what_is_kept_is_what_the_weights_say(kept, other):
    faces = data.load(other).part("PrivateTest")
    of_part = kept[0].predictions("elsewhere")
    assert of_part.rows.tolist() == faces.row.tolist()
    assert np.allclose(of_part.probs, Predictor.from_run(kept[0]).probs(faces.images), atol=1e-6)
    there = kept[0].on("elsewhere")
    assert (there.dataset, there.home.dataset) == ("elsewhere", "synthetic")
    assert faces_of(there).fingerprint == faces.fingerprint
    assert len(kept[0].predictions()) == 350  # its own as before


def test_two_models_are_compared_on_it(kept):
    wanted = ["--min", "accuracy=0", "--part", "elsewhere", "--json"]
    assert json.loads(run("check", "first", *wanted))["met"]
    told = json.loads(run("compare", "first", "second", "--part", "elsewhere", "--json"))
    a, b = (one.predictions("elsewhere").correct.mean() for one in kept)
    assert (told["n"], told["difference"]) == (18, pytest.approx(a - b))
    assert len(tables.slices("first", "elsewhere"))
    group = Group("both", tuple(kept), "quick")
    assert group.on("elsewhere").predictions("elsewhere").seeds == 2
    with pytest.raises(RunError, match="There is no part 'nowhere' of first"):
        group.on("nowhere")


def test_what_the_set_lacks_is_said(two_runs, other):
    told = run("evaluate", "first", "--data", str(other), "--keep", "--name", "mine")
    assert "There are no images of disgust, fear, surprise, neutral." in told
    assert part_names(find_run("first")) == ["mine"]
    assert "no name for a part" in fails(
        "evaluate", "first", "--data", str(other), "--keep", "--name", "public"
    )
    for alone in (["--keep"], ["--leave-out", "fear"], ["--classes", "en"], ["--name", "x"]):
        assert "name it with --data" in fails("evaluate", "first", *alone)
    assert "add --keep" in fails("evaluate", "first", "--data", str(other), "--name", "x")


def test_a_damaged_part_hurts_itself_alone(kept):
    (kept[0].parts_folder / "elsewhere.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match="The predictions on elsewhere cannot be read"):
        kept[0].predictions("elsewhere")
    assert len(kept[1].predictions("elsewhere")) == 18
    assert len(list_runs()) == 2
    app = open_page("overview", a="first", b="second")
    assert not app.exception
    assert "cannot be read" in said(app)


def test_other_weights_do_not_answer_for_it(kept):
    info = kept[0].folder / "run.json"
    changed = json.loads(info.read_text())
    changed["files"]["weights.safetensors"] = "0"
    info.write_text(json.dumps(changed))
    with pytest.raises(RunError, match="of other weights than it has now"):
        find_run("first").on("elsewhere")


def test_the_pages_show_it(kept):
    app = open_page("overview", a="first", b="second")
    assert "on synthetic faces (PrivateTest)" in said(app)
    assert "on elsewhere" in said(app)
    for page in ("overview", "misclassified", "slices", "calibration", "data_audit", "robustness",
                 "good_enough", "expression", "what_if", "predict"):  # fmt: skip
        app = open_page(page, a="first", b="second", part="elsewhere")
        assert not app.exception, page
    assert app.sidebar.selectbox(key="part").value == "elsewhere"
    app = open_page("misclassified", a="first", b="second", part="elsewhere")
    assert "images: elsewhere" in said(app)


def test_what_if_shows_a_face_of_it(kept):
    app = open_page("what_if", a="first", b="second", part="elsewhere")
    assert "images: elsewhere" in said(app)
    assert "not scored on these images" not in said(app)
    app = open_page("what_if", a="first", b="second")
    assert "images: synthetic faces" in said(app)


def test_what_a_model_learned_from_is_not_taken_from_it(kept):
    app = open_page("expression", a="first", b="none", part="elsewhere", expression="sad")
    assert "Training images are labelled sad" not in said(app)
    app = open_page("data_audit", a="first", b="second", part="elsewhere")
    assert "What is audited is the dataset that A was tested on first" in said(app)
    assert "Without its copies" not in said(app)
    assert app.dataframe[0].value.set_index("usage")["all"]["PrivateTest"] == 350
    assert "of 350 PrivateTest images" in said(app)


def test_what_if_opens_where_b_was_not_scored(two_runs, other):
    run("evaluate", "first", "--data", str(other), "--keep")
    app = open_page("what_if", a="first", b="second", part="elsewhere")
    assert not app.error, app.error[0].value
    assert "images: elsewhere" in said(app)


def picture(path, face):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(face).save(path)


def raf_by_list(folder, faces):
    lines = []
    for row, label in enumerate(faces.labels):
        split = "train" if row % 2 else "test"
        picture(folder / f"basic/Image/aligned/{split}_{row:05}_aligned.jpg", faces.images[row])
        picture(folder / f"basic/Image/original/{split}_{row:05}.jpg", faces.images[row])
        number = 1 + ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral").index(
            CLASSES[label]
        )
        lines.append(f"{split}_{row:05}.jpg {number}\n")
    place = folder / "basic/EmoLabel"
    place.mkdir()
    (place / "list_patition_label.txt").write_text("".join(lines))


def raf_by_folder(folder, faces):
    order = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
    for row, label in enumerate(faces.labels):
        split, number = "train" if row % 2 else "test", 1 + order.index(CLASSES[label])
        picture(folder / f"{split}/{number}/{split}_{row:05}_aligned.jpg", faces.images[row])
    (folder / "train_labels.csv").write_text("image,label\n")


def affectnet(folder, faces):
    order = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry")
    (folder / "val_set/annotations").mkdir(parents=True)
    numbers = [str(order.index(CLASSES[label])) for label in faces.labels] + ["7"]
    for row, number in enumerate(numbers):
        picture(folder / f"val_set/images/{row}.jpg", faces.images[row % len(faces)])
        np.save(folder / f"val_set/annotations/{row}_exp.npy", np.array(number))


def ck_plus(folder, faces):
    names = ("anger", "disgust", "fear", "happy", "sadness", "surprise")
    for row, label in enumerate(faces.labels):
        place = "contempt" if label == 6 else names[label]
        picture(folder / f"{place}/S{row:03}_001_{row:08}.png", faces.images[row])


@pytest.mark.parametrize(
    ("shape", "usage", "note"),
    [
        (raf_by_list, "PrivateTest", "42 images are passed over"),
        (raf_by_folder, "PrivateTest", "1 file is no picture"),
        (affectnet, "PublicTest", "contempt (1)"),
        (ck_plus, "PrivateTest", "contempt (6)"),
    ],
)
def test_the_usual_sets_are_read_as_they_are_handed_out(shape, usage, note, tmp_path, faces):
    some = faces.part("Training")
    shape(tmp_path / "set", some)
    read = data.load(tmp_path / "set")
    assert usage in read.usage
    assert any(note in sentence for sentence in read.notes)
    held = [label for label in some.labels if shape is not ck_plus or label != 6]
    assert np.bincount(read.labels, minlength=7).tolist() == np.bincount(held, minlength=7).tolist()


def test_contempt_may_stand_for_another_expression(tmp_path, faces):
    ck_plus(tmp_path / "set", faces.part("Training"))
    read = data.load(tmp_path / "set", names="contempt=disgust")
    assert (read.labels == 1).sum() == 12
    assert set(read.usage) == {"PrivateTest"}


def test_a_studys_trainings_have_no_further_part_and_it_is_said_where_it_is_asked(
    tmp_path, monkeypatch
):
    """They kept no weights: nothing is asked, and nothing kept of the seeds that have some."""
    here = tmp_path / "artifacts"
    here.mkdir()
    for name in ("shipped", "studies"):
        (here / name).symlink_to(ROOT / "artifacts" / name)
    mixed = find_group("cnn@best")
    assert {isinstance(run, Cell) for run in mixed.members} == {True, False}
    ask = ("--data", "synthetic", "--keep")
    assert (
        "2 of the 3 seeds of 'cnn@best' are trainings of a study, which kept their predictions and "
        "not their weights. A group is scored on other images whole or not at all. Ask one that "
        "has them: cnn-best."
    ) in fails("evaluate", "cnn@best", *ask)
    assert "Choose one that has them" in fails("evaluate", "cnn@paper-dropout", *ask)
    cell = "sequence/cnn-dropout-s0"
    assert f"'{cell}' is a training of a study" in fails("evaluate", cell, *ask)
    assert "PrivateTest" in run("evaluate", cell)
    told = fails("compare", cell, "cnn-s0", "--part", "synthetic")
    assert f"'{cell}' is a training of a study" in told
    assert "--keep" not in told
    assert not (here / "parts").exists()
