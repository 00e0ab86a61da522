"""Files that keep a state, damaged: each hurts itself alone, and is named with what helps."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from fercore import data, jobs
from fercore.analysis import review
from fercore.cli import app
from fercore.data import cache, face_set
from fercore.data.settings import choose_data, chosen_data, settings_path
from fercore.errors import DataError
from fercore.files import read_json, write_json
from fercore.groups.group import group_of
from fercore.jobs.request import Request, prepare
from fercore.jobs.turns import turn
from fercore.labels import CLASSES
from fercore.training.recipes import find_recipe
from tests.test_pages import open_page, said

DEEP = "[" * 100_000
SETTINGS = {
    "empty": "",
    "a list": "[]",
    "a number": "5",
    "cut short": '{"data": "/a/pa',
    "a number as path": '{"data": 5}',
    "too deep": DEEP,
    "not UTF-8": b"\xff\xfe{}",
    "half a letter": '{"data": "\\ud800"}',
}


def as_bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


@pytest.mark.parametrize("content", SETTINGS.values(), ids=SETTINGS)
def test_damaged_settings_are_named_and_can_be_chosen_anew(content, tmp_path):
    settings_path().parent.mkdir()
    settings_path().write_bytes(as_bytes(content))
    with pytest.raises(DataError, match=r"settings\.json: .* Choose it again"):
        chosen_data()
    with pytest.raises(DataError, match=r"settings\.json"):
        data.load()
    assert data.find_source("synthetic") == "synthetic"
    choose_data(tmp_path)
    assert chosen_data() == str(tmp_path)


def test_a_page_opens_beside_damaged_settings(two_runs):
    settings_path().parent.mkdir()
    settings_path().write_text("{")
    page = open_page("misclassified", a="first", b="second")
    assert any("settings.json: it cannot be read" in error.value for error in page.error)
    assert "faces" in said(page)
    assert any(field.key == "data_path" for field in page.text_input)


@pytest.fixture
def own_set(tmp_path):
    """A small set of labelled faces in a folder, read once; and its folder in the cache."""
    from PIL import Image

    drawn = data.synthetic((2, 1, 1))
    for place, (face, label, usage) in enumerate(zip(drawn.images, drawn.labels, drawn.usage)):
        folder = tmp_path / "mine" / usage / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(face)).save(folder / f"{place}.png")
    faces = data.load(tmp_path / "mine")
    faces = replace(faces, images=np.array(faces.images))  # not the file that is damaged
    (entry,) = cache._datasets().iterdir()
    return tmp_path / "mine", entry, faces


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def other_array(array):
    return lambda path: np.save(path, array)


CACHE = {
    "images cut": ("images.npy", cut),
    "images gone": ("images.npy", lambda path: path.unlink()),
    "images empty": ("images.npy", lambda path: path.write_bytes(b"")),
    "images of floats": ("images.npy", other_array(np.zeros((28, 48, 48)))),
    "images of another size": ("images.npy", other_array(np.zeros((28, 64, 64), np.uint8))),
    "fewer images": ("images.npy", other_array(np.zeros((3, 48, 48), np.uint8))),
    "labels empty": ("labels.npy", lambda path: path.write_bytes(b"")),
    "labels no array": ("labels.npy", lambda path: path.write_bytes(b"\x93NUMPY\x01\x00")),
    "labels out of range": ("labels.npy", other_array(np.full(28, 9))),
    "labels text": ("labels.npy", lambda path: path.write_text("0 1 2")),
    "usage unknown": ("usage.npy", other_array(np.full(28, "Nowhere"))),
    "row a folder": ("row.npy", lambda path: (path.unlink(), path.mkdir())),
    "meta empty": ("meta.json", lambda path: path.write_text("")),
    "meta a list": ("meta.json", lambda path: path.write_text("[]")),
    "meta without a name": ("meta.json", lambda path: path.write_text('{"notes": []}')),
    "meta too deep": ("meta.json", lambda path: path.write_text(DEEP)),
    "meta with more": (
        "meta.json",
        lambda path: write_json(path, read_json(path) | {"other": 1}),
    ),
}


@pytest.mark.parametrize(("name", "damage"), CACHE.values(), ids=CACHE)
def test_a_damaged_cache_is_read_from_the_source_again(own_set, name, damage):
    source, entry, faces = own_set
    damage(entry / name)
    assert cache.read_entry(entry.name) is None
    again = data.load(source)
    assert again.fingerprint == faces.fingerprint
    assert np.array_equal(again.images, faces.images)
    assert isinstance(cache.read_entry(entry.name).images, np.memmap)  # kept for the next time
    assert cache.latest_fer2013() is None


def test_where_the_source_is_gone_too_it_is_a_sentence(own_set):
    source, entry, _ = own_set
    write_json(entry / "meta.json", read_json(entry / "meta.json") | {"name": "FER2013"})
    assert data.load().name == "FER2013"
    cut(entry / "images.npy")
    shutil.rmtree(source)
    with pytest.raises(DataError, match="the cached FER2013 is damaged"):
        data.load()


def test_an_older_whole_entry_stands_in_for_a_damaged_one(own_set):
    *_, faces = own_set
    named = face_set("FER2013", faces.images, faces.labels, faces.usage)
    cache.write_entry("older", named)
    cache.write_entry("newer", named)
    (cache._datasets() / "newer" / "labels.npy").write_bytes(b"")
    assert len(data.load()) == len(faces)


def test_a_damaged_entry_is_no_reason_to_keep_another(own_set):
    source, entry, faces = own_set
    cache.write_entry("other", faces)
    (cache._datasets() / "other" / "meta.json").write_text("{")
    cache.forget(source)
    assert not entry.exists()


def test_where_the_cache_cannot_be_written_the_set_is_kept_in_memory(own_set, monkeypatch, caplog):
    source, _, faces = own_set
    in_the_way = source.parent / "a file"
    in_the_way.touch()
    monkeypatch.setenv("FERCORE_CACHE", str(in_the_way / "cache"))
    for _ in range(2):
        assert np.array_equal(data.load(source).images, faces.images)
    assert [record.message.count("FERCORE_CACHE") for record in caplog.records].count(1) == 1


def test_a_choice_that_cannot_be_kept_names_the_folder(tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("FERCORE_CONFIG", str(tmp_path / "a file" / "config"))
    assert chosen_data() is None
    with pytest.raises(DataError, match="a file/config: the choice cannot be kept"):
        choose_data(tmp_path)


STATUS = {
    "empty": "", "a list": "[]", "null": "null", "too deep": DEEP, "cut short": '{"state": "ru',
    "without a message": '{"state": "running"}', "an unknown state": '{"state": "asleep"}',
    "a number as message": '{"state": "failed", "message": 5}',
    "a list as state": '{"state": [], "message": "x"}',
    "progress of text": '{"state": "running", "message": "x", "progress": {"epoch": "one"}}',
    "no steps": '{"state": "running", "message": "x", "progress": {"step": 1, "steps": 0}}',
    "process a list": '{"state": "failed", "message": "x", "process": [], "updated": 5}',
}  # fmt: skip
REQUESTS = {
    "empty": "", "a list": "[]", "too deep": DEEP, "unknown model": {"model": "resnet"},
    "no model": {"model": None}, "seed of text": {"seed": "x"}, "a wish more": {"wish": 1},
    "a recipe of text": {"recipe": "quick"}, "another name": {"run_id": "other"},
    "a recipe of no epochs": {"recipe": {"name": "x", "summary": "", "epochs": 0}},
    "threads below one": {"threads": -1}, "data a list": {"data": []},
}  # fmt: skip


def begin(name: str):
    recipe = replace(find_recipe("quick"), epochs=3)
    return prepare(Request(name, "cnn", recipe, data="synthetic"))


@pytest.mark.parametrize("content", STATUS.values(), ids=STATUS)
def test_a_training_with_an_odd_status_is_listed(content):
    (begin("odd") / "status.json").write_text(content)
    begin("good")
    found = {job.run_id: job.state for job in jobs.list_jobs()}
    assert found["good"] == "lost"
    assert found["odd"] in ("lost", "failed")
    assert "odd" in CliRunner().invoke(app, ["jobs", "list"]).stdout


@pytest.mark.parametrize("content", REQUESTS.values(), ids=REQUESTS)
def test_a_training_with_an_odd_request_is_named_and_can_be_discarded(content):
    folder = begin("odd")
    path = folder / "request.json"
    if isinstance(content, str):
        path.write_text(content)
    else:
        write_json(path, read_json(path) | content)
    begin("good")
    assert [job.run_id for job in jobs.list_jobs()] == ["good"]
    assert "fercore jobs discard odd" in CliRunner().invoke(app, ["jobs", "list"]).stderr
    jobs.discard("odd")
    assert not folder.exists()
    assert not jobs.unreadable_jobs()


def test_a_history_cut_in_mid_line_counts_whole_epochs(two_runs):
    folder = begin("odd")
    lines = (two_runs[0].folder / "history.jsonl").read_text()
    (folder / "history.jsonl").write_text(lines[:-20])
    assert jobs.find_job("odd").epochs_done == 1


def test_what_is_no_ticket_holds_nobody_up():
    queue = cache.cache_folder() / "queue"
    (queue / "00000000000000000000-1").mkdir(parents=True)
    (queue / "0 notes.txt").touch()
    with turn():
        pass


def test_odd_verdicts_in_the_database_are_named():
    review.save(review.Verdict(5, 1, "FER2013", "sad", "right"))
    with closing(sqlite3.connect(review.database_path())) as connection, connection:
        connection.execute("UPDATE verdicts SET verdict = 'maybe'")
    for read in (review.verdicts, lambda: review.find(5)):
        with pytest.raises(DataError, match=r"reviews\.sqlite: The verdict on the image 5"):
            read()


def test_verdicts_are_read_where_nothing_can_be_written_beside_them(monkeypatch):
    review.save(review.Verdict(5, 1, "FER2013", "sad", "right"))
    before = sorted(review.database_path().parent.iterdir())
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert review.verdicts()["pixels"].tolist() == [5]
    assert sorted(review.database_path().parent.iterdir()) == before


def test_pages_open_beside_odd_trainings(two_runs):
    for number, content in enumerate(STATUS.values()):
        (begin(f"status-{number}") / "status.json").write_text(content)
    for number, asked in enumerate(REQUESTS.values()):
        path = begin(f"request-{number}") / "request.json"
        path.write_text(asked if isinstance(asked, str) else "{}")
    page = open_page("overview", a="first", b="second")
    assert not page.error
    assert "request-0" in said(page)
    assert group_of(two_runs[0]).title in said(page)
