"""What checks the project elsewhere runs what `make` runs here, and the version has one source."""

import re
import subprocess
import sys
import tomllib

import yaml
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from fercore import __version__
from fercore.runs.commit import git_commit
from tests.conftest import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def recipe(target: str) -> list[str]:
    """The lines that `make` runs for a target itself."""
    return re.search(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.M)[1].splitlines()


def read(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_lint_looks_at_style_spelling_types_and_links():
    lines = "\n".join(recipe("lint"))
    for tool in ("ruff check", "ruff format --check", "codespell", "mypy", "pytest"):
        assert f"$(BIN)/{tool}" in lines.replace("python -m ", ""), tool
    assert "lint" in re.search(r"^test:(.*)\n\t", MAKEFILE, re.M)[1].split()


def test_the_checker_is_strict_on_the_core_and_reads_everything():
    settings = PROJECT["tool"]["mypy"]
    assert settings["strict"]
    folders = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("[!.]*/*.py")}
    assert folders <= set(settings["files"])
    for override in settings["overrides"]:
        taken_back = override.keys() - {"module", "ignore_missing_imports", "follow_imports"}
        modules = override["module"]
        assert not (taken_back and any(name.startswith("fercore") for name in modules))


def test_before_a_commit_the_same_is_checked_without_a_network():
    for repository in read(".pre-commit-config.yaml")["repos"]:
        assert repository["repo"] == "local"
        assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]
        assert all(hook["language"] == "system" for hook in repository["hooks"])
    command = [sys.executable, "-m", "pre_commit", "validate-config", ".pre-commit-config.yaml"]
    subprocess.run(command, cwd=ROOT, check=True)


def test_the_workflow_tests_every_system_and_python():
    (job,) = read(".github/workflows/test.yml")["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert PROJECT["project"]["requires-python"] == f">={matrix['python'][0]}"
    assert job["defaults"]["run"]["shell"] == "bash"  # the recipes' `VARIABLE=value command`
    steps = job["steps"]
    assert steps[-1]["run"].startswith("make test ")
    assert any("chrome" in step.get("uses", "") for step in steps)
    (python,) = (step["with"] for step in steps if "setup-python" in step.get("uses", ""))
    assert python["cache"] == "pip"
    assert set(ROOT.glob(python["cache-dependency-path"])) == set(ROOT.glob("requirements*.txt"))
    assert all(re.search(rf"^{name} \?=", MAKEFILE, re.M) for name in job["env"])


def test_make_finds_the_programs_of_an_environment_on_windows_too():
    command = ["make", "--dry-run", "lint", "OS=Windows_NT"]
    planned = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert ".venv/Scripts/ruff check ." in planned
    assert ".venv/bin" not in planned


def test_the_version_has_one_source_and_the_command_says_the_commit():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert ProjectMetadata(str(ROOT), PluginManager()).version == __version__
    command = [sys.executable, "-m", "fercore", "--version"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    commit = git_commit()
    assert said == f"fercore {__version__}, {f'commit {commit}' if commit else 'installed'}"


def test_the_changelog_tells_of_this_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.M)
    assert versions == sorted(versions, key=lambda one: [*map(int, one.split("."))], reverse=True)
    assert versions[0] == __version__
