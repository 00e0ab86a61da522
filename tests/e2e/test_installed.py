"""fercore from its wheel, in an environment of its own, used from a folder that is not ours.

The environment borrows the packages that fercore needs from the one that runs the tests.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hatchling.builders.wheel import WheelBuilder
from playwright.sync_api import expect

from fercore.predict.sample_photos import sample_photo
from tests.conftest import ROOT
from tests.e2e.conftest import PATIENCE, free_port, settle, wait_until_healthy
from tests.test_packaging import instructions

LARGEST = 60_000_000  # bytes of a wheel
OFFLINE = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
PIP = [sys.executable, "-m", "pip"]
LISTENING = "0A"  # in Linux's table of connections
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who listens")


class Installed(NamedTuple):
    folder: Path  # of the environment
    foreign: Path  # a folder that one works in
    environment: dict[str, str]

    @property
    def programs(self) -> Path:
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def package(self) -> Path:
        return Path(self.ask("import fercore; print(fercore.__file__)")).parent

    def ask(self, code: str) -> str:
        return self.run("python", "-P", "-c", code).stdout.strip()

    def run(self, program: str, *arguments: str, check: bool = True):
        return subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=self.foreign, env=self.environment, check=check, capture_output=True, text=True,
        )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


def new_environment(home: Path, wheel: Path | str) -> Installed:
    """An environment in `home` with fercore installed, and a folder with traps to work in."""
    venv.create(home / "venv", symlinks=os.name != "nt")
    for trap in ("fercore", "dashboard", "pages", "streamlit"):
        (home / "elsewhere" / trap).mkdir(parents=True)
        code = home / "elsewhere" / trap / "__init__.py"
        code.write_text("raise SystemExit('a foreign module')")
    made = Installed(home / "venv", home / "elsewhere", own_environment(home))
    python = str(made.programs / "python")
    subprocess.run([*PIP, "--python", python, "install", *OFFLINE, str(wheel)], check=True)
    # What a line of a .pth names is searched; the .pth files in it, an editable fercore, are not.
    there = made.ask("import sysconfig; print(sysconfig.get_path('purelib'))")
    (Path(there) / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    (made.foreign / ".streamlit").mkdir()
    (made.foreign / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n')
    sample_photo("astronaut").save(made.foreign / "photo.jpg")
    return made


def own_environment(home: Path) -> dict[str, str]:
    """This one's, with all of the user's folders in `home`, and nothing told of fercore."""
    ours = {name for name in os.environ if name.startswith(("FERCORE_", "PYTHON", "XDG_"))}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    moved = {name: str(home) for name in ("HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA")}
    return kept | moved | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return new_environment(tmp_path_factory.mktemp("installed"), wheel)


@contextmanager
def started(
    command: Sequence[str], port: int, where: Installed
) -> Iterator[tuple[str, subprocess.Popen]]:
    """A server that answers on that port of this machine, killed at the end."""
    log = where.foreign / f"server-{port}.log"
    with log.open("w") as written:
        server = subprocess.Popen(
            command, cwd=where.foreign, env=where.environment, stdout=written, stderr=written
        )
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        yield f"http://127.0.0.1:{port}", server
    finally:
        server.kill()
        server.wait(30)


def listening(port: int) -> set[str]:
    """The addresses on which somebody listens to that port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == LISTENING:
                words = np.frombuffer(bytes.fromhex(address), ">u4").astype("<u4")
                family = socket.AF_INET if table == "tcp" else socket.AF_INET6
                found.add(socket.inet_ntop(family, words.tobytes()))
    return found


def test_the_wheel_is_what_runs(wheel, installed):
    assert wheel.stat().st_size < LARGEST
    assert installed.package.is_relative_to(installed.folder)
    assert installed.package.joinpath("py.typed").exists()


def test_shipped_runs_and_studies_are_read_from_the_package(installed):
    listed = installed.run("fercore", "runs", "list").stdout
    assert re.search(r"(?m)^cnn-s0 +shipped", listed)
    shown = installed.run("fercore", "study", "best", "--show").stdout
    assert "cnn_lstm" in shown
    refused = installed.run("fercore", "analyse", "cnn-synthetic", check=False)
    assert refused.returncode == 1
    assert "'cnn-synthetic' came with fercore" in refused.stderr


def test_a_photo_is_answered(installed):
    answer = installed.run("fercore", "predict", "photo.jpg", "--run", "cnn-s0", "--json").stdout
    assert json.loads(answer)


def test_a_training_lands_in_the_users_data_folder(installed):
    package = installed.package
    before = everything(package)
    training = ("cnn", "--recipe", "quick", "--epochs", "1", "--data", "synthetic")
    installed.run("fercore", "train", *training, "--run-id", "mine")
    data = Path(installed.ask("import platformdirs; print(platformdirs.user_data_dir('fercore'))"))
    assert data.is_relative_to(installed.folder.parent)
    assert (data / "runs" / "mine" / "run.json").exists()
    assert re.search(r"(?m)^mine +local", installed.run("fercore", "runs", "list").stdout)
    assert everything(package) == before


def test_a_training_s_own_process_is_of_the_same_fercore(installed):
    """Also where a folder of that name lies in the one that it is started from."""
    said = installed.ask(
        "from fercore.errors import TrainingError\n"
        "from fercore.jobs.processes import estimate\n"
        "from fercore.jobs.request import Request\n"
        "from fercore.training.recipes import find_recipe\n"
        "try: estimate(Request('', 'cnn', find_recipe('quick'), 0, 'nowhere'))\n"
        "except TrainingError as error: print(error)"
    )
    assert "nowhere: there is no such file or folder" in said


def everything(folder: Path) -> dict[str, int]:
    return {
        str(path): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@needs_linux
def test_the_dashboard_opens_from_a_foreign_folder_and_ends_with_ctrl_c(installed, page):
    port, program = free_port(), str(installed.programs / "fercore")
    command = [program, "dashboard", "--port", str(port), "--data", "synthetic"]
    with started([*command, "--", "--server.headless=true"], port, installed) as (there, server):
        assert listening(port) == {"127.0.0.1"}
        page.goto(there)
        settle(page)
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_contain_text("CNN against CNN-LSTM on FER2013", timeout=PATIENCE)
        page.goto(f"{there}/runs")
        settle(page)
        expect(heading).to_contain_text("Runs", timeout=PATIENCE)
        assert page.get_by_test_id("stException").count() == 0
        taken = installed.run("fercore", "dashboard", "--port", str(port), check=False)
        assert taken.returncode == 1
        assert taken.stderr.count("\n") == 1
        assert f"port {port} of 127.0.0.1 (Address already in use)" in taken.stderr
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0


def test_what_cannot_be_is_one_sentence(installed):
    for options, sentence in (
        (("--data", "nowhere"), "nowhere: there is no such file or folder."),
        (("--address", "192.0.2.1"), "Nothing can listen on 192.0.2.1"),
    ):
        ended = installed.run("fercore", "dashboard", *options, check=False)
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"Error: {sentence}")
        assert ended.stderr.count("\n") == 1


@needs_linux
def test_streamlit_keeps_the_settings_wherever_it_is_started(installed):
    """The folder that one starts from asks to serve everybody; the app's own is heard."""
    port = free_port()
    here = installed._replace(environment=installed.environment | {"PYTHONPATH": str(ROOT)})
    program = Path(sys.executable).with_name("streamlit")
    options = ["--server.headless=true", f"--server.port={port}"]
    with started([str(program), "run", str(ROOT / "dashboard" / "app.py"), *options], port, here):
        assert listening(port) == {"127.0.0.1"}


@needs_linux
def test_the_container_does_what_its_file_says(installed):
    """Its CMD and HEALTHCHECK, outside a container and on a port that is free here."""
    told, port = dict(instructions()), free_port()

    def here(words: str) -> list[str]:
        program, *rest = json.loads(words.replace(told["EXPOSE"], str(port)))
        return [str(installed.programs / program), *rest]

    healthy = here(told["HEALTHCHECK"].partition("CMD ")[2])
    assert subprocess.run(healthy, env=installed.environment, stderr=subprocess.PIPE).returncode
    with started(here(told["CMD"]), port, installed):
        assert listening(port) == {"0.0.0.0"}
        subprocess.run(healthy, env=installed.environment, check=True)


def test_an_editable_installation_is_the_checkout(tmp_path):
    """Both packages are found, from any folder, and nothing is copied."""
    link = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["editable"]))
    editable = new_environment(tmp_path, link)
    for name in ("fercore", "dashboard"):
        found = Path(editable.ask(f"import {name}; print({name}.__file__)"))
        assert found == ROOT / name / "__init__.py"
    where = "from fercore.runs.folders import artifacts_folder; print(artifacts_folder())"
    assert Path(editable.ask(where)) == ROOT / "artifacts"
    packages = editable.ask("import sysconfig; print(sysconfig.get_path('purelib'))")
    assert not (Path(packages) / "fercore").exists()
