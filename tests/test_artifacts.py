"""Runs on disk: complete or not there, checked before they are believed."""

import errno
import json
import subprocess

import numpy as np
import pytest
import torch

from fercore.errors import RunError
from fercore.labels import CLASSES
from fercore.models.inference import predict_probs
from fercore.models.precision import Precision
from fercore.runs import changes, commit, listing, writing


def test_a_run_comes_back_as_it_was_written(two_runs):
    run = two_runs[0]
    assert (run.run_id, run.dataset, run.shipped) == ("first", "synthetic", False)
    assert tuple(run.info["classes"]) == CLASSES
    assert run.history()["epoch"].tolist() == [1, 2]
    assert set(run.metrics()) == {"private", "clean", "public"}
    table = run.predictions()
    assert table.probs.dtype == np.float32
    assert table.probs.sum(1) == pytest.approx(1, abs=1e-5)
    faces = np.zeros((2, 48, 48), np.uint8)
    probs = predict_probs(run.load_model(), faces, precision=Precision("cpu", "fp32"))
    assert probs.shape == (2, 7)


def test_an_intact_run_verifies(two_runs):
    assert writing.verify_run(two_runs[0]) == []


def test_changed_files_are_found(two_runs):
    run = two_runs[0]
    metrics = run.metrics()
    metrics["private"]["accuracy"] = 0.99
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    (run.folder / "weights.safetensors").unlink()
    problems = writing.verify_run(run)
    assert "weights.safetensors is missing." in problems
    assert "metrics.json was changed after the run was written." in problems


def test_metrics_that_do_not_follow_are_found(two_runs):
    run = two_runs[0]
    metrics = run.metrics()
    metrics["private"]["accuracy"] = 0.99
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    info = json.loads((run.folder / "run.json").read_text())
    info["files"]["metrics.json"] = writing._sha256(run.folder / "metrics.json")
    (run.folder / "run.json").write_text(json.dumps(info))
    problems = writing.verify_run(listing.find_run("first"))
    assert len(problems) == 1
    assert problems[0].startswith("metrics.json does not follow from predictions.parquet: ")


def test_a_folder_without_run_json_is_no_run(two_runs):
    (two_runs[0].folder / "run.json").unlink()
    assert [run.run_id for run in listing.list_runs()] == ["second"]
    with pytest.raises(RunError, match="no complete run 'first'"):
        listing.find_run("first")


@pytest.mark.parametrize("name", ["../first", "a/b", "", ".hidden", "..", "a\\b", "x" * 81])
def test_a_name_that_is_no_name_touches_no_path(name):
    with pytest.raises(RunError, match="no run's name"):
        listing.find_run(name)


def test_another_class_order_is_refused(two_runs):
    path = two_runs[0].folder / "run.json"
    info = json.loads(path.read_text())
    info["classes"] = sorted(info["classes"])
    path.write_text(json.dumps(info))
    with pytest.raises(RunError, match="misread"):
        listing.find_run("first")


DAMAGED = {
    "a list": "[]",
    "no text": b"\xff\xfe\xfa",
    "cut short": '{"schema": 1,',
    "half of it": '{"schema": 1, "run_id": "first"}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_run_hides_no_other(two_runs, content):
    path = two_runs[0].folder / "run.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert [run.run_id for run in listing.list_runs()] == ["second"]
    assert listing.unreadable_runs()[0].startswith("first: ")


@pytest.mark.parametrize("name", ["history.jsonl", "weights.safetensors", "predictions.parquet"])
def test_a_damaged_file_is_a_sentence(two_runs, name):
    run = two_runs[0]
    (run.folder / name).write_bytes(b"\xff damaged")
    readers = {
        "history.jsonl": run.history,
        "weights.safetensors": run.load_model,
        "predictions.parquet": run.predictions,
    }
    with pytest.raises(RunError, match=f"its {name} cannot be (read|used)"):
        readers[name]()


def test_damaged_metrics_are_computed_from_the_predictions(two_runs, caplog):
    run = two_runs[0]
    stored = run.metrics()
    (run.folder / "metrics.json").write_text(json.dumps({"private": {"accuracy": 5}}))
    assert run.metrics() == json.loads(json.dumps(stored))
    assert "its metrics.json cannot be read" in caplog.text
    assert "metrics.json was changed after the run was written." in writing.verify_run(run)


def test_a_renamed_folder_is_no_run(two_runs):
    two_runs[0].folder.rename(two_runs[0].folder.with_name("renamed"))
    with pytest.raises(RunError, match="its own name"):
        listing.find_run("renamed")


def test_another_format_is_refused(two_runs):
    path = two_runs[0].folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(RunError, match="format is 99"):
        listing.find_run("first")


def test_a_recipe_of_another_version_is_refused(two_runs):
    path = two_runs[0].folder / "run.json"
    info = json.loads(path.read_text())
    path.write_text(json.dumps(info | {"recipe": info["recipe"] | {"swirl": 0.2}}))
    with pytest.raises(RunError, match="first: A recipe has no setting 'swirl'"):
        listing.find_run("first")


def test_deleting(two_runs, tmp_path):
    shipped = tmp_path / "artifacts" / "shipped"
    two_runs[1].folder.parent.joinpath("second").rename(shipped.parent / "kept")
    shipped.mkdir()
    (shipped.parent / "kept").rename(shipped / "second")
    with pytest.raises(RunError, match="shipped"):
        changes.delete_run(listing.find_run("second"))
    changes.delete_run(two_runs[0])
    assert [run.run_id for run in listing.list_runs()] == ["second"]


def test_predictions_find_their_images_in_any_copy(two_runs):
    from fercore.data import synthetic

    faces = synthetic()
    table = two_runs[0].predictions()
    by_hash = dict(zip(faces.pixel_hashes(), faces.labels, strict=True))
    assert [by_hash[pixels] for pixels in table.pixels] == table.labels.tolist()


def test_weights_are_no_pickle(two_runs):
    content = (two_runs[0].folder / "weights.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert set(header) - {"__metadata__"} == set(two_runs[0].load_model().state_dict())
    assert isinstance(two_runs[0].load_model(), torch.nn.Module)


def test_only_a_change_of_the_package_makes_the_code_another(tmp_path, monkeypatch):
    package = tmp_path / "package"
    (package / "runs").mkdir(parents=True)
    (package / "runs" / "commit.py").touch()
    (tmp_path / "table.json").touch()

    def git(*arguments: str) -> None:
        who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True)

    monkeypatch.setattr(commit, "__file__", str(package / "runs" / "commit.py"))
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "all")
    first = commit.git_commit()
    (tmp_path / "table.json").write_text("{}")
    assert commit.git_commit() == first
    (package / "labels.py").write_text("another")
    assert commit.git_commit() == f"{first}-dirty"


def test_runs_are_read_once_and_again_when_they_change(two_runs, monkeypatch):
    listed = listing.list_runs()
    with monkeypatch.context() as patched:
        patched.setattr(
            "fercore.runs.info.read_json", lambda path: pytest.fail(f"read {path} again")
        )
        assert [run.run_id for run in listing.list_runs()] == [run.run_id for run in listed]
    run = listed[0]
    (run.folder / "run.json").write_text(json.dumps(run.info | {"seed": 77}))
    assert listing.list_runs()[0].info["seed"] == 77


def test_metrics_are_read_once_and_again_when_they_change(two_runs, monkeypatch):
    run = two_runs[0]
    metrics = json.loads(json.dumps(run.metrics()))
    with monkeypatch.context() as patched:
        patched.setattr(
            "fercore.runs.artifacts.read_json", lambda path: pytest.fail(f"read {path}")
        )
        assert listing.find_run(run.run_id).metrics() == metrics
    metrics["private"]["accuracy"] = 0.125
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    assert run.metrics()["private"]["accuracy"] == 0.125


@pytest.mark.parametrize("refusal", [errno.EMFILE, errno.EACCES])
def test_a_refusal_that_passes_is_not_kept(two_runs, monkeypatch, refusal):
    def refuse(path):
        raise OSError(refusal, "refused", str(path))

    listing._read_once.cache_clear()
    with monkeypatch.context() as refused:
        refused.setattr("fercore.runs.info.read_json", refuse)
        assert len(listing.unreadable_runs()) == 2
    assert listing.unreadable_runs() == []
    assert {run.run_id for run in listing.list_runs()} == {"first", "second"}
