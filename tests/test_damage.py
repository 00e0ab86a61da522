"""Hundreds of damaged runs beside a good pair: each is told by name, and the pair opens."""

import json
import logging
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from typer.main import get_command

from fercore.cli import app
from fercore.errors import FerError, RunError
from fercore.files import write_json
from fercore.groups.group import group_of
from fercore.jobs.request import Request
from fercore.runs.listing import find_run, list_runs, unreadable_runs
from fercore.runs.writing import verify_run
from fercore.training.recipes import find_recipe
from tests.damage import Case, damaged_runs, make
from tests.test_pages import open_page, said

COMMANDS = get_command(app)  # built once: Typer's own runner builds it at each call
PAGES = ["overview", "confusion", "calibration", "misclassified", "training", "runs"]
UNFORESEEN = "the log of whoever runs this app has"  # what the boundary says of what nobody foresaw


@pytest.fixture(scope="module")
def home(run_folders, tmp_path_factory) -> Path:
    """An artifacts folder with 'first', 'second' and every damaged run; the tests only read it."""
    runs = tmp_path_factory.mktemp("damaged") / "runs"
    shutil.copytree(run_folders, runs)
    for case in damaged_runs():
        make(case, runs / "first")
    return runs.parent


@pytest.fixture
def damaged(home, monkeypatch) -> list[Case]:
    """Every damaged run, beside 'first' and 'second'."""
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(home))
    monkeypatch.setattr(logging.getLogger("fercore.runs.artifacts"), "disabled", True)
    return list(damaged_runs())


def invoke(*arguments: str) -> tuple[int, str, str]:
    """A command's exit code, what it printed, and its sentence; only foreseen errors may end it."""
    # Typer has a copy of click of its own.
    result = CliRunner().invoke(COMMANDS, arguments)  # type: ignore[arg-type]
    error = result.exception
    assert error is None or isinstance(error, FerError | SystemExit), (arguments, error)
    sentence = str(error) if isinstance(error, FerError) else ""
    return result.exit_code, result.stdout, f"{sentence}\n{result.stderr}"


def assert_sentence(text: str, name: str) -> None:
    """Names what is damaged, and says what helps."""
    assert name in text, text
    assert any(word in text for word in ("Restore", "elete", "Rename", "Give", "Update")), text
    assert len(text) < 700


def test_each_damaged_run_is_told_by_name_and_hides_no_other(damaged):
    assert len(damaged) >= 200
    problems = {sentence.partition(":")[0]: sentence for sentence in unreadable_runs()}
    readable = {run.run_id for run in list_runs()}
    assert {"first", "second"} <= readable
    assert not readable & set(problems)
    assert readable | set(problems) == {case.name for case in damaged} | {"first", "second"}
    for name, sentence in problems.items():
        assert_sentence(sentence, name)
    hurt = {case.name: case.hurt for case in damaged}
    assert {hurt[name] for name in problems} == {"run.json"}
    assert len(problems) > 250


def test_the_commands_say_what_is_wrong_with_each(damaged):
    code, printed, _ = invoke("runs", "list")
    assert code == 0
    assert "first" in printed
    assert "second" in printed
    assert invoke("runs", "verify", "first", "second")[0] == 0
    for number, case in enumerate(damaged):
        shown, _, told = invoke("runs", "show", case.name)
        if case.hurt == "run.json":
            if shown:
                assert_sentence(told, case.name)
                others = (["runs", "verify"], ["evaluate"], ["compare", "second"])
                for command in others[number % 3 :][:1]:
                    assert_sentence(invoke(*command, case.name)[2], case.name)
        elif case.hurt == "predictions.parquet":
            assert shown == 0  # its stored metrics are whole
            for command in (["evaluate"], ["compare", "second"]):
                assert_sentence(invoke(*command, case.name)[2], case.name)
    assert invoke("jobs", "list")[0] == 0
    assert json.loads(invoke("compare", "first", "second", "--json")[1])["n"] == 350


def test_what_is_whole_of_a_damaged_run_is_used(damaged):
    stored = find_run("first").metrics()
    for case in damaged:
        if case.hurt in ("run.json", "predictions.parquet"):
            continue
        run = find_run(case.name)
        assert len(run.predictions()) == 350
        assert verify_run(run), case
        if case.hurt == "metrics.json":
            assert run.metrics() == json.loads(json.dumps(stored))
        reader = {"history.jsonl": run.history, "weights.safetensors": run.load_model}
        if case.hurt in reader:
            with pytest.raises(RunError) as caught:
                reader[case.hurt]()
            assert_sentence(str(caught.value), case.name)


@pytest.mark.parametrize("name", PAGES)
def test_the_good_pair_opens_beside_all_of_them(damaged, name):
    page = open_page(name, a="first", b="second")
    assert not page.error
    assert group_of(find_run("first")).title in said(page)
    assert "damaged-0" in said(page)


DAMAGED_FILES = {
    "predictions.parquet": ("cannot be read", "confusion"),
    "history.jsonl": ("its history.jsonl cannot be read", "training"),
    "metrics.json": ("", "overview"),
    "weights.safetensors": ("", "calibration"),
}


@pytest.mark.parametrize("place", ["a", "b"])
@pytest.mark.parametrize("name", DAMAGED_FILES)
def test_a_damaged_file_of_a_chosen_run_is_a_sentence(two_runs, name, place):
    run = two_runs["ab".index(place)]
    (run.folder / name).write_bytes(b"\xff damaged")
    sentence, page_name = DAMAGED_FILES[name]
    page = open_page(page_name, a="first", b="second")
    told = [error.value for error in page.error]
    assert len(told) == bool(sentence), told
    assert all(sentence in error and UNFORESEEN not in error for error in told)
    if name != "predictions.parquet":
        assert group_of(two_runs[0]).title in said(page)
    if name == "history.jsonl":
        assert "learning" in said(page) or page.table  # the other's curves are there


def test_what_a_killed_training_left_beside_its_run_goes(two_runs):
    folder = two_runs[0].folder
    left = ["request.json", "status.json", "lock", "checkpoint.pt", "checkpoint-before.pt"]
    for name in left[1:]:
        (folder / name).write_text("left")
    request = Request("first", "cnn", find_recipe("quick"), data="synthetic")
    write_json(folder / "request.json", request.to_json())
    assert "No training is under way" in invoke("jobs", "list")[1]
    assert not any((folder / name).exists() for name in left)
    assert "is finished" in invoke("jobs", "discard", "first", "--yes")[2]
    assert verify_run(find_run("first")) == []


def test_a_checkpoint_beside_a_run_that_cannot_be_read_stays(two_runs):
    folder = two_runs[0].folder
    for name in ("run.json", "request.json", "checkpoint.pt"):
        (folder / name).write_text("left")
    assert invoke("jobs", "list")[0] == 0
    assert (folder / "checkpoint.pt").exists()
    assert unreadable_runs()[0].startswith("first: ")
