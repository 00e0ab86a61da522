"""The faces in one click: the same button wherever they are missing, and a file that is dropped."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import FileUploader

from dashboard.base import access
from fercore.data import cache
from fercore.data.settings import chosen_data
from fercore.jobs import getting
from fercore.jobs.request import Request, prepare
from fercore.jobs.status import StatusFile
from fercore.training.recipes import RECIPES
from tests.driving import named
from tests.test_data_sources import csv_text
from tests.test_pages import as_if_real, open_page, said


@pytest.fixture
def started(two_runs, monkeypatch) -> list[bool]:
    """Runs whose images are missing; and, for each download that is begun, an entry."""
    as_if_real(two_runs[0], monkeypatch)
    begun: list[bool] = []

    def spawned(*_: object) -> None:
        begun.append(True)

    monkeypatch.setattr("fercore.jobs.getting.spawned", spawned)
    return begun


def keys(app: AppTest) -> set[str]:
    return {button.key or "" for button in app.button}


@pytest.mark.parametrize("page", ["misclassified", "slices", "data_audit", "robustness"])
def test_where_images_are_missing_there_is_the_button(started, page):
    app = open_page(page, a="first", b="none")
    assert {"get-fer2013-page", "get-fer2013-data"} <= keys(app)
    words = said(app)
    assert "not on this machine" in words
    assert "do not pass them on" in words
    if page != "misclassified":
        return
    app.button(key="get-fer2013-page").click().run()
    assert started == [True]
    assert {"cancel-fer2013-page", "cancel-fer2013-data"} <= keys(app)
    assert "get-fer2013-page" not in keys(app)


def test_a_face_that_is_missing_offers_it_in_its_dialog(started):
    app = open_page("misclassified", a="first", b="none")
    app.session_state["face"] = int(app.dataframe[0].value["row"].iloc[0])
    app.run()
    assert "get-fer2013-dialog" in keys(app)


def test_who_may_only_read_is_told_whom_to_ask(started, monkeypatch):
    monkeypatch.setenv(access.ALLOW, "0")
    app = open_page("misclassified", a="first", b="none")
    assert "Whoever runs this app can get them" in said(app)
    assert not [key for key in keys(app) if "fer2013" in key]
    assert not app.get("file_uploader")


def test_a_download_that_failed_says_what_to_do_by_hand(started):
    folder = getting.download_folder()
    folder.mkdir(parents=True)
    StatusFile(folder).write("failed", "FER2013 could not be downloaded. Kaggle: refused.")
    (folder / "download.part").write_bytes(b"x" * 1_500_000)
    app = open_page("misclassified", a="first", b="none")
    words = said(app)
    assert "Kaggle: refused" in words
    assert "1. In any browser" in words
    assert "Broken off after 1.5 MB" in words
    app.button(key="forget-fer2013-page").click().run()
    assert "Broken off" not in said(app)
    assert "Kaggle: refused" not in said(app)
    assert not (folder / "download.part").exists()


def drop(app: AppTest, name: str, content: bytes) -> AppTest:
    return drop_field(app).set_value((name, content, "application/zip")).run()


def drop_field(app: AppTest) -> FileUploader:
    return named(app.file_uploader, "Or drop the file here")


def test_a_dropped_file_is_read_from_disk_and_told_from_fer2013(two_runs, faces):
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fer2013.csv", csv_text(faces))
    app = drop(open_page("runs"), "fer2013.csv.zip", content.getvalue())
    path = Path(chosen_data() or "")
    assert path.name == "fer2013.csv.zip"
    assert path.parents[1] == cache.cache_folder() / "dropped"
    assert "is not FER2013. It holds 42 Training" in said(app)
    assert Path(chosen_data() or "").read_bytes() == content.getvalue()
    assert drop_field(app).value is None  # nothing of it stays in memory


def test_a_dropped_file_of_the_same_name_hurts_itself_alone(two_runs, faces):
    """A second file of the name of the dataset in use, which is damaged."""
    app = drop(open_page("runs"), "mine.csv", csv_text(faces).encode())
    before = Path(chosen_data() or "")
    content = before.read_bytes()
    app = drop(app, "mine.csv", b"no table at all")
    assert len(app.error) == 1
    assert chosen_data() == str(before)
    assert before.read_bytes() == content


def test_a_dropped_file_goes_once_another_is_chosen_or_none(two_runs, faces, tmp_path):
    folder, table = cache.cache_folder() / "dropped", csv_text(faces)
    app = drop(open_page("runs"), "first.csv", table.encode())
    app = drop(app, "second.csv", table.encode())
    assert [path.name for path in folder.glob("*/*")] == ["second.csv"]
    assert chosen_data() == str(next(folder.glob("*/*")))
    app.text_input(key="data_path").set_value("/nowhere.csv").run()
    named(app.button, "Use this dataset").click().run()
    assert len(list(folder.iterdir())) == 1  # it is still the choice
    app.text_input(key="data_path").set_value("synthetic").run()
    named(app.button, "Use this dataset").click().run()
    assert not list(folder.iterdir())
    own = tmp_path / "own.csv"
    own.write_text(table)
    app.text_input(key="data_path").set_value(str(own)).run()
    named(app.button, "Use this dataset").click().run()
    app = drop(app, "third.csv", table.encode())
    named(app.button, "Forget this choice").click().run()
    assert chosen_data() is None
    assert not list(folder.iterdir())
    assert own.exists()


def test_a_dropped_file_stays_while_a_training_may_be_resumed_with_it(two_runs, faces):
    app = drop(open_page("runs"), "mine.csv", csv_text(faces).encode())
    path = Path(chosen_data() or "")
    prepare(Request("halted", "cnn", RECIPES["quick"]))
    named(app.button, "Forget this choice").click().run()
    assert path.is_file()


def test_a_dropped_file_that_is_no_dataset_is_refused_and_not_kept(two_runs):
    app = drop(open_page("runs"), "notes.zip", b"no zip at all")
    assert "damaged" in "".join(error.value for error in app.error)
    assert chosen_data() is None
    assert not list((cache.cache_folder() / "dropped").iterdir())
