"""The pages Runs and Your faces: what they list, what they do, what they say."""

import shutil

import pytest
from PIL import Image
from skimage.data import coffee

from dashboard.base.badges import titled
from dashboard.base.navigation import PAGES
from fercore import jobs
from fercore.data.stored_faces import delete_faces, stored_faces
from fercore.groups.group import group_of
from fercore.jobs.request import Request
from fercore.runs.changes import annotate_run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.listing import find_run, list_runs
from tests.driving import press
from tests.test_own_photos import THIRTY, drawn, zipped
from tests.test_pages import copy_of, open_page, said
from tests.test_photos_and_faces import encoded


def test_runs_lists_what_was_trained_and_how_well(two_runs):
    annotate_run(two_runs[0], "with more rotation")
    table = open_page("runs").dataframe[0].value.set_index("run")
    accuracy = 100 * two_runs[0].predictions().correct.mean()
    first = table.to_dict("index")["first"]
    assert first["PrivateTest"].startswith(f"{accuracy:.1f}\u00a0% [")
    assert [first[name] for name in ("marks", "dataset", "recipe", "note")] == [
        ["synthetic"], "synthetic", "quick", "with more rotation",
    ]  # fmt: skip
    assert table.loc["second", "model"] == "CNN-LSTM"
    assert all(size.endswith(" MB") for size in table["size"])


def test_a_run_with_damaged_predictions_is_still_listed(two_runs):
    (two_runs[0].folder / "metrics.json").write_text("{")
    (two_runs[0].folder / "predictions.parquet").write_text("{")
    table = open_page("runs", a="second", b="none").dataframe[0].value.set_index("run")
    assert table.loc["first", "PrivateTest"] == "–"


def test_renaming_on_the_page_keeps_the_selection(two_runs):
    app = open_page("runs", a="first", b="second")
    app.selectbox(key="managed-run").select("first").run()
    app.text_input(key="run-name-first").input("mine")
    press(app, "Rename")
    assert app.success[0].value == "first is now called mine."
    assert app.selectbox(key="a").value == app.selectbox(key="managed-run").value == "mine"
    assert group_of(find_run("mine")).title == group_of(two_runs[0]).title


def test_a_taken_name_is_a_sentence(two_runs):
    app = open_page("runs")
    app.selectbox(key="managed-run").select("first").run()
    app.text_input(key="run-name-first").input("second")
    press(app, "Rename")
    assert "There is a run 'second' already" in said(app)


def test_a_note_is_written_on_the_page(two_runs):
    app = open_page("runs")
    app.selectbox(key="managed-run").select("second").run()
    app.text_area(key="run-note-second").input("before the holidays")
    press(app, "Save the note")
    assert find_run("second").note == "before the holidays"
    assert "before the holidays" in app.dataframe[0].value["note"].tolist()


def test_deleting_asks_first(two_runs):
    app = open_page("runs", a="first", b="second")
    app.selectbox(key="managed-run").select("second").run()
    press(app, "Delete …")
    assert "This cannot be undone" in said(app)
    assert len(list_runs()) == 2
    press(app, "Delete it")
    assert [run.run_id for run in list_runs()] == ["first"]


def test_a_damaged_run_is_named_and_can_go(two_runs):
    (two_runs[0].folder / "run.json").write_text("{")
    app = open_page("runs")
    assert "first: its run.json cannot be read" in said(app)
    press(press(app, "Delete first …"), "Delete it")
    assert not two_runs[0].folder.exists()


def test_a_copied_folder_is_named_and_hides_no_run(two_runs):
    shutil.copytree(two_runs[0].folder, two_runs[0].folder.with_name("first (copy)"))
    app = open_page("runs")
    assert "first (copy): a run's folder has a name of letters" in said(app)
    assert app.dataframe[0].value["run"].tolist() == ["second", "first"]


def upload(app, files: dict[str, bytes]):
    app.file_uploader[0].upload("my faces.zip", zipped(files), "application/zip")
    return press(app, "Find the faces")


@pytest.fixture
def found(two_runs):
    """The page after thirty drawn faces and a photo of a cup were uploaded."""
    cup = {"happy/cup.png": encoded(Image.fromarray(coffee()), "PNG")}
    return upload(open_page("your_faces"), drawn(THIRTY, "my faces/") | cup)


def test_the_preview_shows_what_was_found_and_what_was_not(found):
    assert {metric.label: metric.value for metric in found.metric}["Photos"] == "31"
    assert "1 photo is not kept" in said(found)
    lost = found.dataframe[0].value
    assert lost["file"].tolist() == ["happy/cup.png"]
    assert "No face from the front" in lost["reason"].iloc[0]
    assert found.table[0].value.to_numpy().sum() == 30
    tiles = [caption.value for caption in found.caption if " · Training" in caption.value]
    assert len(tiles) == 18
    assert stored_faces() == []


def test_an_ensemble_is_no_start_for_fine_tuning(found):
    make_ensemble("both", [find_run("first"), copy_of(find_run("first"), seed=1)])
    press(found, "Keep these 30 faces")
    (start,) = (box for box in found.selectbox if box.label == "Start from the weights of")
    assert [option.split(":")[0] for option in start.options] == ["second", "first", "first-1"]


def test_kept_faces_are_offered_for_fine_tuning_and_deleted(found, monkeypatch):
    press(found, "Keep these 30 faces")
    assert [folder.name for folder in stored_faces()] == ["my-faces"]
    assert found.success[0].value.startswith("Kept 30 faces in ")
    started: list[Request] = []
    monkeypatch.setattr(jobs, "start", started.append)
    press(found, "Fine-tune")
    (request,) = started
    assert (request.start_from, request.recipe.name) == ("second", "finetune")
    assert request.model == find_run("second").info["model"]
    assert request.data == str(stored_faces()[0])
    press(press(found, "Delete these faces …"), "Delete them")
    assert stored_faces() == []
    assert "No faces are kept yet" in said(found)


def test_a_zip_not_yet_searched_stays_when_one_looks_elsewhere(two_runs):
    app = open_page("your_faces")
    app.file_uploader[0].upload("mine.zip", zipped(drawn({"happy": 3})), "application/zip").run()
    app.switch_page(str(PAGES["runs"].path)).run()
    app.switch_page(str(PAGES["your_faces"].path)).run()
    assert "mine.zip, 0.0 MB" in said(app)
    assert {m.label: m.value for m in press(app, "Find the faces").metric}["Photos"] == "3"
    press(press(app, "Remove"), "Find the faces")
    assert "Choose a zip, or name a folder" in said(app)


def test_a_zip_that_cannot_be_used_is_a_sentence(two_runs):
    app = upload(open_page("your_faces"), {"bored/1.png": b"x"})
    assert "my faces.zip: 'bored' is not one of the seven expressions" in said(app)


def test_one_class_alone_cannot_be_kept(two_runs):
    app = upload(open_page("your_faces"), drawn({"happy": 4}))
    assert "At least two expressions" in said(app)
    assert not [button for button in app.button if button.label.startswith("Keep")]


def test_nothing_chosen_is_a_sentence(two_runs):
    app = press(open_page("your_faces"), "Find the faces")
    assert "Choose a zip, or name a folder" in said(app)


def test_a_note_stands_where_the_run_is_chosen(two_runs):
    annotate_run(two_runs[0], "with more rotation")
    captions = [caption.value for caption in open_page("overview", a="first").sidebar.caption]
    assert f"{titled(group_of(two_runs[0]))}  \nwith more rotation" in captions


def test_a_deletion_that_failed_is_no_success(found):
    press(found, "Keep these 30 faces")
    press(found, "Delete these faces …")
    delete_faces("my-faces")
    press(found, "Delete them")
    assert [error.value for error in found.error] == ["There are no faces called 'my-faces'."]
    assert not found.success
