"""What the docs tell: commands run and print what is shown, Python runs, what is named is there."""

import doctest
import importlib
import json
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer
from PIL import Image
from typer.core import TyperGroup
from typer.testing import CliRunner

from fercore.cli import app
from fercore.data.votes import CATEGORIES
from fercore.predict.sample_photos import sample_photo
from fercore.runs.listing import find_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from tests.conftest import ROOT
from tests.moving import clip_of, walk

DOCS = ROOT / "docs"
GENERATED = DOCS / "command-line.md"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), ROOT / "benchmarks" / "README.md"]
BESIDE = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]  # test_contributing.py runs the first
TEXT = {path: path.read_text(encoding="utf-8") for path in PAGES + BESIDE}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
README = TEXT[ROOT / "README.md"]
EVERYTHING = "\n".join(text for path, text in TEXT.items() if path != GENERATED)


def blocks(path: Path, *languages: str) -> list[tuple[str, str]]:
    """(language, content) of a page's blocks in these languages, from top to bottom."""
    return [block for block in BLOCK.findall(TEXT[path]) if block[0] in languages]


def told(pages=PAGES, languages=()) -> list:
    """The pages that have blocks in these languages, as parameters of a test."""
    found = [path for path in pages if blocks(path, *languages)]
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in found]


def commands(block: str) -> list[tuple[str, str]]:
    """(command, the output shown below it), of a block with a `$` before each command."""
    parts = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [(line, output.strip()) for line, _, output in (part.partition("\n") for part in parts)]


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """What one has: a photo, a clip and a program's answers, where the shipped runs are."""
    (tmp_path / "artifacts").mkdir()
    for name in ("shipped", "studies"):
        here = tmp_path / "artifacts" / name
        shutil.copytree(ROOT / "artifacts" / name, here, copy_function=link)
    sample_photo("astronaut").save(tmp_path / "me.jpg")
    (tmp_path / "clip.mp4").write_bytes(clip_of(walk(1)))
    answers = pd.read_parquet(ROOT / "artifacts" / "shipped" / "cnn-s1" / "predictions.parquet")
    usual = dict(zip(PROBABILITY_COLUMNS, map(str.title, CATEGORIES)))
    theirs = answers[["row", *PROBABILITY_COLUMNS]].rename(columns=usual).round(4)
    theirs.to_csv(tmp_path / "theirs.csv", index=False)
    people = pd.DataFrame({"row": answers["row"], "glasses": answers["row"] % 3 == 0})
    people["age group"] = (answers["row"] % 2).map({0: "0-19", 1: "20-59"})
    people.to_csv(tmp_path / "people.csv", index=False)
    monkeypatch.chdir(tmp_path)


def link(source: str, target: str) -> None:
    """In place of a copy: every file of fercore's is written anew and renamed, never changed."""
    os.symlink(source, target)


@pytest.mark.parametrize("path", told(languages=("console", "python", "pycon")))
def test_what_a_page_tells_runs_from_top_to_bottom(path, reader, monkeypatch, capsys):
    names: dict[str, object] = {}
    for language, block in blocks(path, "console", "python", "pycon"):
        if language == "console":
            for command, output in commands(block):
                run_and_compare(command, output)
        elif language == "python":
            exec(compile(block, path.name, "exec"), names)
        else:
            test = doctest.DocTestParser().get_doctest(block, names, path.name, None, 0)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            assert not runner.run(test, clear_globs=False).failed, capsys.readouterr().out
            names |= test.globs


def run_and_compare(command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "fercore", command
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, f"{command}: {result.output}{result.exception}"
    assert result.output.strip(), command
    if output:
        printed = [line.rstrip() for line in result.stdout.strip().splitlines()]
        assert printed == output.splitlines(), command


@pytest.mark.parametrize("path", told(languages=("sh",)))
def test_what_a_test_cannot_run_is_at_least_there(path):
    for _, block in blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True, posix="Scripts" not in line):
                check_there(words)


def check_there(words: list[str]) -> None:
    """Raise where a program, a target, an extra, a script, a command or an option is none."""
    program, *rest = words
    if "=" in program:  # a variable before the command
        return check_there(rest)
    if "fercore" in words and program in ("fercore", "torchrun", "taskset"):
        return check_parsed(words[words.index("fercore") + 1 :])
    if program == "make":
        assert re.search(rf"^{rest[0]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M), (
            words
        )
    elif program == "export":
        assert rest[0].partition("=")[0] in variables()
    elif program.endswith("python") and rest[0] != "-m":
        assert (ROOT / rest[0]).is_file(), words
    elif program.endswith("pip"):
        check_installed(rest[1:])
    else:
        known = ("python", "git", "cd", "streamlit", "docker", ".venv\\Scripts\\activate", "source")
        assert program in known, words


def check_installed(what: list[str]) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in what:
        if extra := re.fullmatch(r"fercore\[(\w+)\]", name.strip("'")):
            assert re.search(rf"^{extra[1]} = \[", project, re.M), name
        elif name.endswith(".txt"):
            assert (ROOT / name).is_file()


def check_parsed(arguments: list[str]) -> None:
    """Parse a command line as `fercore` would, and do nothing."""
    command, name = typer.main.get_command(app), "fercore"
    while members := getattr(command, "commands", None):
        assert arguments[0] in members, arguments
        name, *arguments = arguments
        command = members[name]
    command.make_context(name, arguments)


def test_every_command_is_told():
    whole = typer.main.get_command(app)
    assert isinstance(whole, TyperGroup)
    for name, command in whole.commands.items():
        assert f"fercore {name}" in EVERYTHING, name
        for part, inner in getattr(command, "commands", {}).items():
            told = re.search(rf"fercore {name} [a-z|]*\b{part}\b", EVERYTHING)
            assert told or inner.hidden, f"{name} {part}"


def test_commands_in_sentences_are_there():
    """`fercore jobs run NAME` between words: the command and, in a group, its part."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for name, parts in re.findall(r"`fercore ([a-z]+)(?: ([a-z|]+))?", EVERYTHING):
        members = getattr(root.commands[name], "commands", {})
        assert not members or set(filter(None, parts.split("|"))) <= set(members), (name, parts)


def test_every_page_and_variable_is_told():
    from dashboard.base.navigation import PAGES as OF_THE_APP

    for entry in OF_THE_APP.values():
        assert f"| {entry.title} |" in TEXT[DOCS / "dashboard.md"]
    settings = TEXT[DOCS / "settings.md"]
    assert not {name for name in variables() if f"`{name}`" not in settings}


def variables() -> set[str]:
    """Every environment variable of the project's own that its code names."""
    sources = [*(ROOT / "fercore").rglob("*.py"), *(ROOT / "dashboard").rglob("*.py")]
    texts = (path.read_text(encoding="utf-8") for path in sources)
    return {name for text in texts for name in re.findall(r"FERCORE_[A-Z_]+", text)}


def test_every_guide_is_in_the_index():
    index = TEXT[DOCS / "README.md"]
    guides = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert not {name for name in guides if f"]({name})" not in index}


def test_the_readme_is_short():
    assert len(README.split()) <= 700


def test_the_readme_s_figures_are_those_of_the_studies(reader):
    """Each accuracy and difference of 'What was found' stands in the studies' own tables."""
    found = README.partition("## What was found")[2].partition("\n## ")[0]
    printed = "".join(
        CliRunner().invoke(app, ["study", name, "--show"]).stdout for name in ("sequence", "best")
    )
    rows = re.findall(r"^\| .*\d.* \|$", found, re.M)
    assert len(rows) == 3
    for row in rows:
        figures = re.findall(r"[+−]\d+\.\d \[.*?\]|\d+\.\d(?= %)", row)
        assert len(figures) >= 2
        for figure in figures:
            assert re.search(rf"(?<![\d.]){re.escape(figure)}(?![\d.])", printed), figure


def test_what_a_model_costs_is_what_was_measured(reader):
    measured = json.loads((ROOT / "benchmarks" / "results" / "inference.json").read_text())
    rows = re.findall(
        r"^\| `([\w-]+)` \| ([\d.]+) \| ([\d.]+) \| (\d+) \|$",
        TEXT[DOCS / "use-in-a-product.md"],
        re.M,
    )
    assert len(rows) == 3
    for name, accuracy, milliseconds, megabytes in rows:
        assert f"{100 * find_run(name).metrics()['private']['accuracy']:.1f}" == accuracy
        assert f"{measured['milliseconds']['1'][name]['median']:.1f}" == milliseconds
        assert round(measured["peak_mib"][name]) == int(megabytes)


def from_docs(monkeypatch, name: str):
    """A script of the docs as a module."""
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return __import__(name)


def test_the_command_line_s_page_is_up_to_date(monkeypatch):
    page = from_docs(monkeypatch, "command_line").page()
    assert TEXT[GENERATED] == page, "run: python docs/command_line.py"


def test_the_glossary_s_page_is_up_to_date(monkeypatch):
    page = from_docs(monkeypatch, "glossary").page()
    assert TEXT[DOCS / "glossary.md"] == page, "run: python docs/glossary.py"


def test_the_house_is_drawn_as_it_stands(monkeypatch):
    house = from_docs(monkeypatch, "house")
    drawn = house.PICTURE.search(TEXT[DOCS / "architecture.md"])[0]
    assert drawn == house.picture(), "run: python docs/house.py"
    rooms = {name for part in ("fercore", "dashboard") for name in house.rooms(part)}
    missing = {name for name in rooms if f"`{name}`" not in TEXT[DOCS / "architecture.md"]}
    assert not missing


def test_the_walks_name_what_is_there():
    text = TEXT[DOCS / "architecture.md"]
    steps = re.findall(r"`(\w+)`\s+in\s+`([\w/]+\.py)`", text)
    assert len(steps) > 25
    for name, path in steps:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^\s*(def|class) {name}\b", source, re.M), f"{name} in {path}"


def test_every_file_that_is_named_is_there():
    for path, text in TEXT.items():
        for name in re.findall(r"`((?:fercore|dashboard|pages|docs|benchmarks)/[\w/]+\.py)`", text):
            assert (ROOT / name).is_file(), f"{path.name}: {name}"


def test_every_link_leads_somewhere():
    for path, text in TEXT.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if "://" not in target:
                file, _, heading = target.partition("#")
                there = (path.parent / file).resolve() if file else path
                assert there.exists(), f"{path.name}: {target}"
                assert not heading or heading in headings(there), f"{path.name}: {target}"


def headings(path: Path) -> set[str]:
    """A page's headings as a link names them."""
    found = re.findall(r"^#+ (.*)$", TEXT[path], re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_functions_that_are_named_are_there():
    rows = re.findall(r"^\| `(fercore[\w.]+)` \| (.*) \|$", TEXT[DOCS / "python.md"], re.M)
    assert len(rows) > 3
    for module, functions in rows:
        for name in re.findall(r"`(\w+)`", functions):
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"


def pictures() -> set[Path]:
    """Every picture that a page shows."""
    return {
        path.parent / name
        for path, text in TEXT.items()
        for name in re.findall(r'(?:src|srcset)="([^"]+)"', text)
    }


def test_the_pictures_are_there_small_and_no_others(monkeypatch):
    shown, kept = pictures(), set((DOCS / "pictures").iterdir())
    assert {path.resolve() for path in shown} == {path.resolve() for path in kept}
    taken = from_docs(monkeypatch, "screenshots")
    names = {f"{one.name}-{theme}.webp" for one in taken.PICTURES for theme in taken.THEMES}
    assert {path.name for path in kept} == names
    assert all(path.stat().st_size < 120_000 for path in kept)
    assert sum(path.stat().st_size for path in kept) < 1_000_000
    for path in kept:
        with Image.open(path) as picture:
            assert picture.size in ((1440, 900), (390, 844))


def test_no_picture_shows_a_face_of_fer2013(monkeypatch):
    """They are taken without FER2013, of pages that show no face, or of a drawn one."""
    script = from_docs(monkeypatch, "screenshots")
    without_faces = {"", "confusion", "per_class", "roc_and_pr", "calibration"}
    without_faces |= {"does_the_lstm_lose", "training", "runs"}
    for one in script.PICTURES:
        page, _, query = one.address.partition("?")
        assert page in without_faces or (page == "predict" and "sample=drawn" in query)
    assert script.SETTINGS["FERCORE_DATA"] == "synthetic"
