"""The sidebar's data: chosen with class names or by a word, taken back, told what it lacks."""

import os
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
from streamlit.testing.v1 import AppTest

from dashboard.base import access
from dashboard.base.navigation import PAGES
from fercore import data, jobs, paths
from fercore.data.settings import chosen_data
from fercore.runs.folders import artifacts_folder
from tests.driving import named, press
from tests.test_data_sources import write_tree
from tests.test_own_photos import tight
from tests.test_pages import open_page, said


@pytest.fixture
def numbered(tmp_path, faces) -> Path:
    """Two numbered classes, without validation images."""
    chosen = faces.where((faces.usage != "PublicTest") & (faces.labels < 2))
    write_tree(tmp_path / "my set", chosen, kaggle=False)
    for part in (tmp_path / "my set").iterdir():
        (part / "angry").rename(part / "6")
        (part / "disgust").rename(part / "3")
    return tmp_path / "my set"


def use(app: AppTest, path: str, names: str = "") -> AppTest:
    app.text_input(key="data_path").input(path)
    app.text_input(key="data_names").input(names).run()
    return press(app, "Use this dataset")


def labels(app: AppTest) -> list[str]:
    return [expander.label for expander in app.expander]


def test_a_set_is_chosen_with_its_class_names_and_taken_back(two_runs, numbered):
    app = use(open_page("runs"), f'"{numbered}"')
    assert "--classes raf-db" in said(app)
    assert chosen_data() is None
    app = use(app, f"file://{numbered}".replace(" ", "%20"), "raf-db")
    assert "Data: my set, 18 images, none for validation" in labels(app)
    assert "There are no validation images" in said(app)
    assert [box.proto.expanded for box in app.expander if "my set" in box.label] == [True]
    assert data.load().counts()["Training"] == [6, 6, 0, 0, 0, 0, 0]
    app = press(app, "Forget this choice")
    assert chosen_data() is None
    assert "Data: no FER2013 yet" in labels(app)
    assert numbered.is_dir()
    assert "Data: synthetic faces" in labels(use(app, "synthetic"))


def test_a_training_without_validation_is_refused_and_given_a_share(
    two_runs, numbered, monkeypatch
):
    app = use(open_page("runs", retrain=True), str(numbered), "raf-db")
    assert "none for validation" in "".join(app.selectbox(key=_data_key(app)).options)
    app = press(app, "Start training")
    assert "my set has no validation images" in said(app)
    assert {path.name for path in (artifacts_folder() / "runs").iterdir()} == {"first", "second"}
    begun: list[Path] = []
    monkeypatch.setattr("fercore.jobs.processes._spawn", begun.append)
    app.number_input(key="train-validation").set_value(20)
    press(app, "Start training")
    (folder,) = begun
    request = jobs.find_job(folder.name).request
    assert (request.validation, request.class_names[:10]) == (0.2, "1=surprise")
    assert request.faces().counts()["PublicTest"] == [1, 1, 0, 0, 0, 0, 0]


def _data_key(app: AppTest) -> str:
    return named(app.selectbox, "Data").key


def test_ones_own_pictures_may_be_faces_themselves_and_classes_have_other_names(tmp_path, two_runs):
    for name, content in tight(224, {"glad": 3, "sad": 3, "contempt": 3}).items():
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(content)
    (tmp_path / "photos" / "film.mov").write_bytes(b"x")
    app = open_page("your_faces")
    app.text_input(key="own-photos-folder").input(f"'{tmp_path / 'photos'}'")
    app = press(app, "Find the faces")
    assert "'contempt', 'glad'" in said(app)
    app.text_input(key="own-photos-names").input("glad=happy, contempt=")
    app.selectbox(key="own-photos-faces").select("none")
    app = press(app, "Find the faces")
    assert not app.exception
    assert [(metric.label, metric.value) for metric in app.metric][:4] == [
        ("Photos", "9"),
        ("Face found", "0"),
        ("Whole picture taken", "6"),
        ("Not kept", "4"),
    ]
    lost = app.dataframe[0].value
    assert set(lost["outcome"]) == {"left out", "passed over"}


def test_a_zip_and_a_folder_are_not_searched_at_once(tmp_path, two_runs):
    app = open_page("your_faces")
    app.file_uploader[0].set_value(("mine.zip", b"no zip", "application/zip")).run()
    app.switch_page(str(PAGES["runs"].path)).run()
    app.switch_page(str(PAGES["your_faces"].path)).run()
    app.text_input(key="own-photos-folder").input(str(tmp_path / "nothing"))
    app = press(app, "Find the faces")
    assert "mine.zip and a folder are both given" in said(app)
    assert not app.error
    app.button(key="own-photos-forget").click().run()
    app = press(app, "Find the faces")
    assert "nothing" in app.error[0].value


@pytest.fixture
def searched(tmp_path, monkeypatch) -> list[str]:
    """`tmp_path/all`, two hundred folders; the names of those looked into until someone clicks."""
    for number in range(200):
        folder = tmp_path / "all" / f"{number:03}"
        folder.mkdir(parents=True)
        (folder / "notes.txt").touch()
    seen: list[str] = []
    look_into = os.scandir

    def scandir(place: Path):
        if str(place).startswith(str(tmp_path / "all")):
            seen.append(Path(place).name)
            if len(seen) == 20:  # what a click on *Stop* asks of a run
                run = get_script_run_ctx()
                again = RerunData(page_script_hash=run.page_script_hash)
                run.script_requests.request_rerun(again)
        return look_into(place)

    monkeypatch.setattr(paths, "_TOLD_EACH", 1)
    monkeypatch.setattr("os.scandir", scandir)
    return seen


@pytest.mark.parametrize("where", ["here", "where others are served"])
@pytest.mark.parametrize("field", ["data_path", "own-photos-folder"])
def test_a_click_ends_a_search(two_runs, tmp_path, monkeypatch, searched, field, where):
    if where != "here":
        monkeypatch.setenv(access.ALLOW, "1")
        monkeypatch.setenv("FERCORE_FOLDERS", str(tmp_path))
    app = open_page("your_faces")
    app.text_input(key=field).input(str(tmp_path / "all"))
    if field == "data_path":
        press(app.run(), "Use this dataset")
    else:
        press(app, "Find the faces")
    assert not app.exception
    assert not app.error
    assert 20 <= len(searched) < 30
    assert chosen_data() is None
    assert app.text_input(key=field).value == str(tmp_path / "all")
    assert "Stop" not in [button.label for button in app.button]
