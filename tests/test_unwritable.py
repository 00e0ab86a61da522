"""Where nothing can be written, each act says what did not happen, where, and what to do."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fercore import jobs
from fercore.analysis import from_weights, review
from fercore.analysis.review import Verdict
from fercore.data import settings, stored_faces
from fercore.data.own_faces import OwnFaces, OwnPhoto
from fercore.errors import FerError
from fercore.files import read_json, write_json
from fercore.jobs.locks import held
from fercore.jobs.request import Request, prepare
from fercore.jobs.status import LOCK, StatusFile
from fercore.predict.export import export_onnx
from fercore.runs.changes import annotate_run, delete_run, rename_run
from fercore.runs.ensemble import make_ensemble
from fercore.runs.folders import local_folder
from fercore.runs.listing import find_run
from fercore.study.store import StudyStore
from fercore.training.recipes import find_recipe

WRITERS = ("mkdir", "open", "rename", "replace", "touch", "unlink")


@pytest.fixture
def no_right_to_write(tmp_path, monkeypatch) -> Callable[[], None]:
    """From its call on nothing below the test's folder can be written: for root too."""

    def forbid(name: str) -> None:
        real = getattr(Path, name)

        def tried(self: Path, *arguments, **options):
            reads = name == "open" and not set("wxa+") & set("".join(map(str, arguments[:1])))
            if not reads and tmp_path in self.parents:
                raise PermissionError(13, "Permission denied", str(self))
            return real(self, *arguments, **options)

        monkeypatch.setattr(Path, name, tried)

    def forbid_all() -> None:
        for name in WRITERS:
            forbid(name)

    return forbid_all


def request(name: str) -> Request:
    return Request(name, "cnn", find_recipe("quick"), data="synthetic")


def own_faces() -> OwnFaces:
    face = np.zeros((48, 48), np.uint8)
    return OwnFaces((OwnPhoto("a.jpg", 3, "", "face found", face=face, usage="Training"),))


def seeds() -> list:
    folder = local_folder("again")
    if not folder.exists():
        shutil.copytree(local_folder("first"), folder)
        changed = {"run_id": "again", "seed": 5}
        write_json(folder / "run.json", read_json(folder / "run.json") | changed)
    return [find_run("first"), find_run("again")]


ACTS = {
    "a note": ("artifacts", lambda: annotate_run(find_run("first"), "the one with more rotation")),
    "no note": ("artifacts", lambda: annotate_run(find_run("second"), "")),
    "rename": ("artifacts", lambda: rename_run(find_run("first"), "mine")),
    "delete": ("artifacts", lambda: delete_run(find_run("first"))),
    "ensemble": ("artifacts", lambda: make_ensemble("both", seeds())),
    "analyse": ("artifacts", lambda: from_weights.analyse_weights(find_run("first"), None)),
    "begin": ("artifacts", lambda: prepare(request("new"))),
    "resume": ("artifacts", lambda: jobs.resume("stopped")),
    "cancel": ("artifacts", lambda: jobs.cancel("under-way")),
    "discard": ("artifacts", lambda: jobs.discard("stopped")),
    "a verdict": ("reviews", lambda: review.save(Verdict(1, 1, "FER2013", "sad", "right"))),
    "keep faces": ("faces", lambda: stored_faces.store(own_faces(), "ours")),
    "forget faces": ("faces", lambda: stored_faces.delete_faces("mine")),
    "a study": ("artifacts", lambda: StudyStore("pair").add(find_run("first"), variant="cnn")),
    "export": (
        "artifacts",
        lambda: export_onnx(find_run("first"), local_folder("new") / "m.onnx", "CNN"),
    ),
    "choose data": ("config", lambda: settings.choose_data("synthetic")),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_cannot_be_written_is_told_with_its_folder_and_a_remedy(
    act, two_runs, no_right_to_write, tmp_path, monkeypatch
):
    annotate_run(find_run("second"), "old")
    seeds()
    stored_faces.store(own_faces(), "mine")
    for name, state in (("under-way", "queued"), ("stopped", "cancelled")):
        StatusFile(prepare(request(name))).write(state)
    monkeypatch.setattr(from_weights, "_in", lambda *_: None)  # it would look and compute first
    monkeypatch.setattr(from_weights, "compute_robustness", lambda *_, **__: pd.DataFrame())
    before = set(tmp_path.rglob("*"))
    folder, attempt = ACTS[act]
    with held(local_folder("under-way") / LOCK):
        no_right_to_write()
        with pytest.raises(FerError) as told:
            attempt()
    monkeypatch.undo()
    sentence = str(told.value)
    assert f"{tmp_path / folder}" in sentence
    assert "Permission denied" in sentence
    assert "writable" in sentence
    assert "Errno" not in sentence
    assert before <= set(tmp_path.rglob("*"))  # nothing is lost


def refusing(monkeypatch, times: int) -> list[str]:
    """As Windows does while another process reads: so many times nothing is replaced."""
    real = os.replace
    refused: list[str] = []

    def tried(source, target):
        if len(refused) < times:
            refused.append(str(target))
            raise PermissionError(13, "Access is denied", str(source))
        real(source, target)

    monkeypatch.setattr(os, "replace", tried)
    return refused


def test_a_file_that_somebody_reads_is_replaced_as_soon_as_it_is_free(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    write_json(path, "old")
    refused = refusing(monkeypatch, 2)
    write_json(path, "new")
    assert len(refused) == 2
    assert read_json(path) == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_never_free_stays_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    write_json(path, "old")
    monkeypatch.setattr("fercore.files._PATIENCE", 0.05)
    refused = refusing(monkeypatch, 10**9)
    with pytest.raises(PermissionError):
        write_json(path, "new")
    assert len(refused) > 1
    assert read_json(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_waits_for_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    refused = refusing(monkeypatch, 10**9)
    with pytest.raises(PermissionError):
        write_json(tmp_path / "status.json", "new")
    assert len(refused) == 1
