"""Runs are renamed, annotated and deleted; shipped ones stay, and no run is overwritten or lost."""

import json
import shutil
from typing import Any

import pandas as pd
import pytest
import streamlit as st

from dashboard.compare.run_list import ASKED, CLICKED, take_as
from dashboard.compare.run_manager import run_table
from fercore.errors import RunError
from fercore.files import write_json
from fercore.groups import tables
from fercore.groups.group import group_of
from fercore.runs import changes
from fercore.runs.changes import annotate_run, delete_run, rename_run
from fercore.runs.listing import find_run, list_runs, unreadable_runs
from fercore.runs.writing import verify_run
from tests.driving import press
from tests.test_cli import fails, run
from tests.test_pages import open_page, said


@pytest.fixture
def shipped(two_runs, tmp_path):
    """The second run, as one that comes with the project."""
    folder = tmp_path / "artifacts" / "shipped"
    folder.mkdir()
    shutil.move(two_runs[1].folder, folder)
    return find_run("second")


def names() -> list[str]:
    return sorted(run.run_id for run in list_runs())


def test_a_renamed_run_is_the_same_run(two_runs):
    annotate_run(two_runs[0], "the one with more rotation")
    before = two_runs[0].predictions()
    renamed = rename_run(two_runs[0], "more-rotation")
    assert names() == ["more-rotation", "second"]
    assert verify_run(renamed) == []
    assert renamed.predictions().same_images(before)
    assert renamed.note == "the one with more rotation"
    assert renamed.info["created"] == two_runs[0].info["created"]
    assert not two_runs[0].folder.exists()


def test_a_name_that_is_taken_is_refused(two_runs):
    for taken in ("first", "second"):
        with pytest.raises(RunError, match=f"a run '{taken}' already"):
            rename_run(two_runs[0], taken)
    assert names() == ["first", "second"]
    assert verify_run(find_run("second")) == []


def test_a_training_under_way_keeps_its_name(two_runs):
    (two_runs[0].folder.parent / "under-way").mkdir()
    with pytest.raises(RunError, match="already"):
        rename_run(two_runs[0], "under-way")


@pytest.mark.parametrize("name", ["", "../up", "a b", ".hidden"])
def test_a_name_that_is_no_name_is_refused(two_runs, name):
    with pytest.raises(RunError, match="no run's name"):
        rename_run(two_runs[0], name)
    assert names() == ["first", "second"]


@pytest.mark.parametrize("broken", ["copytree", "write_json", "rename"])
def test_a_rename_that_fails_leaves_the_run(two_runs, monkeypatch, broken):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    owner = {"copytree": shutil, "write_json": changes, "rename": type(two_runs[0].folder)}
    monkeypatch.setattr(owner[broken], broken, fail)
    with pytest.raises(RunError, match="keeps its name: No space left"):
        rename_run(two_runs[0], "other")
    monkeypatch.undo()
    folders = sorted(path.name for path in two_runs[0].folder.parent.iterdir())
    assert folders == ["first", "second"]
    assert verify_run(two_runs[0]) == []


def test_what_a_crash_left_is_no_run(two_runs):
    left = two_runs[0].folder.with_name(".other.123")
    shutil.copytree(two_runs[0].folder, left)
    assert names() == ["first", "second"]
    assert unreadable_runs() == []


def test_notes(two_runs):
    assert two_runs[0].note == ""
    annotate_run(two_runs[0], "  größer · 表情 \n zweite Zeile ")
    assert find_run("first").note == "größer · 表情 \n zweite Zeile"
    assert verify_run(find_run("first")) == []
    with pytest.raises(RunError, match="501 characters; 500 fit"):
        annotate_run(two_runs[0], "x" * 501)
    annotate_run(two_runs[0], "  ")
    assert not (two_runs[0].folder / "note.txt").exists()


def test_shipped_runs_stay_as_they_are(shipped):
    for act in (delete_run, lambda run: rename_run(run, "x"), lambda run: annotate_run(run, "x")):
        with pytest.raises(RunError, match="'second' is shipped with the project and is not"):
            act(shipped)
    assert names() == ["first", "second"]


def test_no_run_takes_a_shipped_ones_name(shipped):
    with pytest.raises(RunError, match="a run 'second' already"):
        rename_run(find_run("first"), "second")


def test_a_deleted_run_is_gone(two_runs):
    delete_run(two_runs[0])
    assert [path.name for path in two_runs[0].folder.parent.iterdir()] == ["second"]


def test_the_commands(two_runs):
    assert run("runs", "rename", "first", "kept") == "Renamed first to kept.\n"
    run("runs", "note", "kept", "before the holidays")
    assert "Note: before the holidays" in run("runs", "show", "kept")
    assert "kept: intact" in run("runs", "verify", "kept")
    assert "already" in fails("runs", "rename", "kept", "second")
    assert "removed" in run("runs", "note", "kept", "")
    assert "no complete run 'first'" in fails("runs", "note", "first", "x")


def test_a_damaged_run_can_be_deleted(two_runs):
    (two_runs[0].folder / "run.json").write_text("{")
    assert "Deleted first" in run("runs", "delete", "first", "--yes")
    assert (names(), unreadable_runs()) == (["second"], [])


def test_uncommitted_code_is_told_wherever_the_run_is(two_runs):
    folder = two_runs[0].folder
    info = json.loads((folder / "run.json").read_text())
    write_json(folder / "run.json", info | {"git_commit": "0123456789ab-dirty"})
    first, second = find_run("first"), find_run("second")
    assert "uncommitted code" in group_of(first).title
    assert "uncommitted code" not in group_of(second).title
    assert "0123456789ab-dirty" in run("runs", "show", "first")
    assert "changed since" not in run("runs", "show", "second")
    lines = run("runs", "list").splitlines()
    assert ["uncommitted code" in line for line in lines] == ["first" in line for line in lines]
    told = run_table([first, second])["marks"]
    assert list(told) == [["synthetic", "uncommitted code"], ["synthetic"]]
    assert "no commit trains them again: first." in said(open_page("runs"))
    commits = tables.runs([first, second])["git_commit"]
    assert commits[0] == "0123456789ab-dirty"
    assert pd.isna(commits[1])


@pytest.fixture
def clicking(monkeypatch):
    """Click a button in a row of the table of runs: AppTest has no such click."""

    def click(app, column: str, row: int):
        column_config = st.column_config

        class Clicked:
            def __getattr__(self, name):
                return getattr(column_config, name)

            def ButtonColumn(self, *_, key, on_click, args, **__):
                if key == CLICKED.format(column):
                    st.session_state[key] = {"row": row, "label": column}
                    on_click(*args)
                return column_config.Column("")

        with monkeypatch.context() as patched:
            patched.setattr(st, "column_config", Clicked())
            return app.run()

    return click


def test_a_run_s_button_asks_before_it_deletes(two_runs, clicking):
    app = clicking(open_page("runs"), "delete", 0)
    assert "This cannot be undone" in said(app)
    assert names() == ["first", "second"]
    press(app, "Delete it")
    assert len(names()) == 1


def test_the_run_that_goes_is_the_one_that_was_clicked_whatever_came_before_it(two_runs):
    app = open_page("runs")
    app.session_state[ASKED] = "second"  # as of a row that another run has by now
    app.run()
    assert "**second**" in said(app)
    app = open_page("runs")
    app.session_state[ASKED] = "gone"
    app.run()
    assert "This cannot be undone" not in said(app)
    assert not app.exception


def test_a_run_is_taken_as_a_by_its_row(two_runs, monkeypatch):
    state: dict[str, Any] = {CLICKED.format("as A"): {"row": 1, "label": "as A"}}
    monkeypatch.setattr(st, "session_state", state)
    take_as("a", ("second", "first"))
    assert state["a"] == "first"


def test_shipped_runs_have_no_button_to_delete_them(shipped):
    table = open_page("runs").dataframe[0].value.set_index("run")
    assert list(table.index[table["delete"].notna()]) == ["first"]
    history = find_run("first").history()
    assert table["learning curve"]["first"] == pytest.approx(
        (100 * history["val_accuracy"]).tolist(), abs=0.05
    )
