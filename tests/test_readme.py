"""The README's commands run, and print what it says they print."""

import re
import shutil

import pytest
import typer
from PIL import Image
from skimage.data import astronaut
from typer.testing import CliRunner

from fercore.cli import app
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
MEASUREMENTS = (ROOT / "benchmarks" / "README.md").read_text()


# What the commands do not read: this machine's own runs, and the large study.
_UNUSED = shutil.ignore_patterns("runs", "sequence")


def console_commands() -> list[tuple[str, str]]:
    """(command, the output shown below it), of every ```console block."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README + MEASUREMENTS, re.S):
        for command in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, output = command.partition("\n")
            found.append((line, output.strip()))
    return found


@pytest.mark.parametrize(("command", "output"), console_commands(), ids=lambda value: value[:40])
def test_command(command, output, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "artifacts", tmp_path / "artifacts", ignore=_UNUSED)
    Image.fromarray(astronaut()).save(tmp_path / "me.jpg")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command.removeprefix("fercore ").split())
    assert result.exit_code == 0, result.output
    assert result.stdout.strip()
    if output:
        printed = [line.rstrip() for line in result.stdout.strip().splitlines()]
        assert printed == output.splitlines()


def test_python_example(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    Image.fromarray(astronaut()).save(tmp_path / "me.jpg")
    monkeypatch.chdir(tmp_path)
    example = re.search(r"```python\n(.*?)```", README, re.S)[1]
    exec(compile(example, "README.md", "exec"), {})
    assert re.search(r"accuracy +all ", capsys.readouterr().out)


def test_every_command_is_documented():
    for name, command in typer.main.get_command(app).commands.items():
        assert f"fercore {name}" in README
        for part in getattr(command, "commands", ()):
            assert re.search(rf"fercore {name} [a-z|]*\b{part}\b", README), f"{name} {part}"


def test_every_page_and_variable_is_documented():
    from dashboard.base.navigation import PAGES

    for entry in PAGES.values():
        assert f"| {entry.title} |" in README
    sources = [*(ROOT / "fercore").rglob("*.py"), *(ROOT / "dashboard").rglob("*.py")]
    used = {name for path in sources for name in re.findall(r"FERCORE_[A-Z_]+", path.read_text())}
    assert all(f"`{name}`" in README for name in used)
