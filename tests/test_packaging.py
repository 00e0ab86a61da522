"""What a wheel holds, what the requirements name, and what the container's files say."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
import yaml
from hatchling.builders.plugin.interface import BuilderInterface
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fercore.study.store import TESTS
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def included(builder: type[BuilderInterface]) -> dict[str, str]:
    """The checkout's files that an archive holds, and where in it."""
    files = builder(str(ROOT)).recurse_included_files()
    return {Path(f.relative_path).as_posix(): Path(f.distribution_path).as_posix() for f in files}


UNDER_WAY = "lstm"  # a study; it is in the repository alone until it is scored


def test_a_wheel_is_one_package_with_all_that_the_checkout_has():
    files = included(WheelBuilder)
    assert not list(ROOT.glob(f"artifacts/studies/{UNDER_WAY}/**/{TESTS}"))
    assert {place.split("/")[0] for place in files.values()} == {"fercore"}
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "fercore", "dashboard",
         "pages", "artifacts", "docs/protocol.md", f":!artifacts/studies/{UNDER_WAY}"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).exists():
            inside = name if name.startswith("fercore/") else f"fercore/project/{name}"
            assert files.pop(name) == inside
    assert not files


def test_the_source_archive_holds_what_a_wheel_is_made_of():
    source = included(SdistBuilder)
    assert included(WheelBuilder).keys() <= source.keys()
    assert all(name == place for name, place in source.items())


def names(lines) -> set[str]:
    """The names of packages that requirements name."""
    return {canonicalize_name(Requirement(line).name) for line in lines}


def pinned(name: str) -> list[str]:
    return re.findall(r"(?m)^[A-Za-z].*==.*$", (ROOT / name).read_text())


DEPENDENCIES, EXTRAS = PROJECT["dependencies"], PROJECT["optional-dependencies"]


def test_the_requirements_for_running_are_what_the_code_imports():
    modules = set()
    for folder in ("fercore", "dashboard", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules.add(node.module.split(".")[0])
    modules -= sys.stdlib_module_names | {"fercore", "dashboard", "pages", "_typeshed"}
    of_module = {**packages_distributions(), "dlib": ["dlib-bin"]}  # which does not say it
    for module in ("timm", "torchvision"):  # which tests can do without
        of_module.setdefault(module, [module])
    imported = {canonicalize_name(name) for module in modules for name in of_module[module]}
    kinds = ("cluster", "download", "export", "transfer")
    extras = names([line for kind in kinds for line in EXTRAS[kind]])
    assert names(DEPENDENCIES) <= imported <= names(DEPENDENCIES) | extras
    assert names(pinned("requirements.txt")) == names(DEPENDENCIES + EXTRAS["download"])


def test_the_requirements_for_testing_add_to_them():
    assert "--requirement requirements.txt" in (ROOT / "requirements-test.txt").read_text()
    running, testing = names(pinned("requirements.txt")), names(pinned("requirements-test.txt"))
    assert not running & testing
    extras = EXTRAS["cluster"] + EXTRAS["export"] + EXTRAS["login"] + EXTRAS["transfer"]
    of_tests = [line for line in EXTRAS["test"] if not line.startswith("fercore")]
    assert names(extras + of_tests) <= testing


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_the_exact_versions_are_within_the_ranges(name):
    ranges = [Requirement(line) for line in chain(DEPENDENCIES, *EXTRAS.values())]
    for line in pinned(name):
        exact = Requirement(line)
        version = next(iter(exact.specifier)).version
        for wanted in ranges:
            if canonicalize_name(wanted.name) == canonicalize_name(exact.name):
                assert wanted.specifier.contains(version), f"{line} and {wanted}"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_installs_what_the_target_needs_and_pytorch_from_where_it_is_told():
    def steps(*arguments: str) -> str:
        command = ["make", "--dry-run", "--always-make", *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    run, test = steps("run"), steps("test")
    assert "--requirement requirements.txt" in run
    assert "requirements-test.txt" not in run
    assert "index-url" not in run + test
    assert test.index("--requirement requirements.txt") < test.index("requirements-test.txt")
    cpu = steps("test", "TORCH_INDEX=https://cpu.example.org")
    assert cpu.count("--extra-index-url https://cpu.example.org") == 2


INSTRUCTIONS = {
    *("FROM", "ARG", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"),
}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, as (name, what follows)."""
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_the_dockerfile_serves_as_somebody_who_is_not_root():
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    last = dict(found)
    assert last["USER"] not in ("root", "0")
    order = [name for name, _ in found]
    assert order.index("USER") < order.index("CMD")
    assert last["VOLUME"] == last["WORKDIR"] == f"/home/{last['USER']}"
    json.loads(last["CMD"])
    health = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    compile(health[2], "HEALTHCHECK", "exec")
    assert "/_stcore/health" in health[2]


def test_the_container_is_built_from_what_the_wheel_is_made_of():
    """`.dockerignore` lets through what pyproject names, and no run of this machine's."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    def sent(path: str) -> bool:
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            parts = Path(path).parts
            ahead = ["/".join(parts[: n + 1]) for n in range(len(parts))]
            loose = pattern.removeprefix("**/")
            if any(
                fnmatch(place, pattern) or ("**/" in pattern and fnmatch(place, f"*{loose}"))
                for place in ahead
            ):
                kept = rule.startswith("!")
        return kept

    needed = ["README.md", "LICENSE", "pyproject.toml", "requirements.txt", "requirements-test.txt"]
    needed += ["fercore/cli/app.py", "pages/overview.py", "dashboard/.streamlit/config.toml"]
    needed += ["artifacts/shipped/cnn-s0/run.json", "artifacts/studies/best/table.json"]
    assert [path for path in needed if not sent(path)] == []
    private = [
        "artifacts/runs/mine/run.json",
        "artifacts/studies/best/runs/x/run.json",
        ".git/HEAD",
    ]
    private += ["dashboard/.streamlit/secrets.toml", "data/fer2013.csv", ".git/HEAD"]
    assert [path for path in private if sent(path)] == []


def test_the_compose_file_keeps_what_is_made_and_serves_this_machine():
    service = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["fercore"]
    last = dict(instructions())
    assert f"home:{last['VOLUME']}" in service["volumes"]
    assert [port for port in service["ports"] if port.startswith("127.0.0.1:")] == service["ports"]
    assert service["ports"][0].endswith(f":{last['EXPOSE']}")
    assert any(volume.endswith(":/data:ro") for volume in service["volumes"])
    sources: Counter[str] = Counter()
    for path in [*(ROOT / "fercore").rglob("*.py"), *(ROOT / "dashboard").rglob("*.py")]:
        sources.update(re.findall(r"FERCORE_[A-Z_]+", path.read_text()))
    assert service["environment"].keys() <= sources.keys()
    assert "FERCORE_ICE_SERVERS" in service["environment"]
