"""The command line: results as tables and JSON, mistakes as one sentence and exit code 1."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner

from fercore.cli import app
from fercore.cli.output import print_table
from fercore.errors import FerError
from fercore.jobs.turns import turn
from fercore.labels import CLASSES
from fercore.runs.folders import local_folder


def run(*arguments: str) -> str:
    """What a command prints, when it succeeds."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.stdout


def fails(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code != 0
    return str(result.exception) if isinstance(result.exception, FerError) else result.output


def test_data_info():
    printed = run("data", "info", "--data", "synthetic")
    assert "These are not FER2013's published counts." in printed
    told = json.loads(run("data", "info", "--data", "synthetic", "--json"))
    assert told["images"] == 2800
    assert told["counts"]["Training"]["fear"] == 300


def test_data_info_without_data_says_how_to_get_it():
    assert "fercore data download" in fails("data", "info")


def test_runs_list_and_show(two_runs):
    assert "second" in run("runs", "list")
    listed = json.loads(run("runs", "list", "--json"))
    assert {entry["run_id"] for entry in listed} == {"first", "second"}
    shown = json.loads(run("runs", "show", "first", "--json"))
    assert shown["metrics"]["private"]["accuracy"] == two_runs[0].predictions().correct.mean()
    assert "chosen on PublicTest" in run("runs", "show", "first")


def test_runs_list_goes_on_after_a_damaged_run(two_runs):
    (two_runs[0].folder / "metrics.json").unlink()  # computed again from the predictions
    (two_runs[1].folder / "metrics.json").unlink()
    (two_runs[1].folder / "predictions.parquet").unlink()
    result = CliRunner().invoke(app, ["runs", "list"])
    assert result.exit_code == 0
    assert "first" in result.stdout
    assert "second" not in result.stdout
    assert "second: its predictions.parquet cannot be read" in result.stderr


def test_runs_verify(two_runs):
    assert "first: intact" in run("runs", "verify")
    (two_runs[0].folder / "history.jsonl").write_text("")
    assert "history.jsonl was changed" in fails("runs", "verify", "first")


def test_runs_delete(two_runs):
    run("runs", "delete", "first", "--yes")
    assert not two_runs[0].folder.exists()
    assert "no complete run 'first'" in fails("runs", "delete", "first", "--yes")


def test_compare(two_runs):
    told = json.loads(run("compare", "first", "second", "--json"))
    assert told["n"] == 350
    f1 = [row for row in told["table"] if row["metric"] == "f1"]
    assert [row["class"] for row in f1] == list(CLASSES)
    assert "A recall %" in run("compare", "first", "second", "--metric", "recall")
    assert "no metric 'r2'" in fails("compare", "first", "second", "--metric", "r2")
    assert "exact McNemar p" in run("compare", "first", "second", "--part", "public")
    assert "no part 'training'" in fails("compare", "first", "second", "--part", "training")


def test_evaluate_stored_and_afresh(two_runs):
    assert "its stored predictions" in run("evaluate", "first")
    afresh = json.loads(run("evaluate", "first", "--data", "synthetic", "--json"))
    assert afresh["private"]["n"] == 350


def test_predict_goes_on_after_a_bad_file(two_runs, tmp_path):
    Image.fromarray(astronaut()).save(tmp_path / "me.png")
    (tmp_path / "bad.png").write_bytes(b"nothing")
    arguments = ["predict", str(tmp_path / "bad.png"), str(tmp_path / "me.png"), "--run", "first"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert "bad.png: this is not a picture" in told["problems"][0]
    assert sum(told["faces"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_predict_refuses_a_folder_it_cannot_write_to_before_it_looks(two_runs, tmp_path):
    output = tmp_path / "none" / "faces.csv"
    arguments = ["predict", "no-such-photo.jpg", "--run", "first", "--output", str(output)]
    assert f"{output.parent}: nothing can be written there" in fails(*arguments)


def test_a_table_shows_brackets_as_they_are(capsys):
    print_table(["photo"], [["[old]/me.jpg"], ["[/old]"]])
    assert capsys.readouterr().out.split() == ["photo", "[old]/me.jpg", "[/old]"]


def test_a_long_path_takes_lines_and_no_other_column_room(capsys, monkeypatch):
    monkeypatch.setattr("fercore.cli.output.PIPED_WIDTH", 80)
    path = "/home/someone/" + 9 * "pictures/" + "me.jpg"
    print_table(["photo", "face", "%"], [[path, 1, "96.4"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("96.4")
    assert "".join(line.split()[0] for line in lines[1:]) == path


def test_errors_are_one_sentence_without_a_trace():
    command = [sys.executable, "-m", "fercore", "runs", "show", "nothing"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: There is no complete run 'nothing'.")
    assert "Traceback" not in result.stderr


def test_ctrl_c_leaves_a_training_that_resumes(tmp_path):
    command = [sys.executable, "-m", "fercore", "train"]
    first = [*command, "cnn", "--recipe", "quick", "--data", "synthetic", "--run-id", "mine"]
    status = tmp_path / "artifacts" / "runs" / "mine" / "status.json"
    with (tmp_path / "log").open("w+") as log:
        training = subprocess.Popen(
            [*first, "--threads", "1", "--epochs", "1"], stderr=log, stdout=log
        )
        while '"step"' not in (status.read_text() if status.exists() else ""):
            assert training.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        training.send_signal(signal.SIGINT)
        assert training.wait(60) == 130
    assert "fercore train --resume mine" in (tmp_path / "log").read_text().replace("\n", " ")
    assert json.loads(status.read_text())["state"] == "cancelled"

    result = subprocess.run(
        [*command, "--resume", "mine", "--json"], capture_output=True, text=True, env=os.environ
    )
    assert result.returncode == 0, result.stderr
    assert "Going on with mine from its last checkpoint" in result.stderr
    assert json.loads(result.stdout)["run_id"] == "mine"
    assert "intact" in run("runs", "verify", "mine")


@pytest.mark.parametrize("command", ["train cnn", "study sequence --only cnn"])
def test_one_that_waits_says_so_once_and_can_be_stopped(command, tmp_path):
    arguments = [*command.split(), "--recipe", "quick", "--data", "synthetic"]
    log = tmp_path / "log"
    with turn(), log.open("w") as file:
        waiting = subprocess.Popen([sys.executable, "-m", "fercore", *arguments], stderr=file)
        while "Waiting: 1 before this one" not in log.read_text():
            assert waiting.poll() is None, log.read_text()
            time.sleep(0.05)
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(60) == 130
    assert log.read_text().count("Waiting") == 1


def test_train_refuses_options_that_would_do_nothing(two_runs):
    assert "estimate, learning_rate: not with --resume" in fails(
        "train", "--resume", "mine", "--estimate", "--learning-rate", "0.001"
    )
    assert "--keep-best goes with --resume" in fails("train", "cnn", "--keep-best")
    assert "second is a cnn_lstm" in fails("train", "cnn", "--from", "second")
    assert not local_folder("mine").exists()


def test_train_refuses_what_it_does_not_know():
    assert "no model 'vgg'" in fails("train", "vgg")
    assert "no recipe 'better'" in fails("train", "cnn", "--recipe", "better")
    assert "no training 'never' to resume" in fails("train", "--resume", "never")
