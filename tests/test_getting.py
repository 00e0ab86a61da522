"""FER2013's download: real HTTP to a stand-in, a real process, cancelled and gone on with."""

import json
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from fercore import data
from fercore.data.cache import entries
from fercore.data.download import COUNTS, URLS, get_fer2013, other_than, sources
from fercore.data.fetching import fetch, part_in
from fercore.data.settings import chosen_data
from fercore.errors import Busy, ConfigError, DataError
from fercore.jobs import getting
from fercore.jobs.locks import held
from fercore.jobs.status import LOCK
from fercore.training.records import Interrupted
from tests.conftest import ROOT
from tests.stand_in import stand_in
from tests.test_cli import fails, run
from tests.test_data_sources import csv_text

WAIT = 60.0  # seconds at most


@pytest.fixture(scope="module")
def archive(faces) -> bytes:
    """A zip of a CSV with the 84 drawn faces."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("fer2013.csv", csv_text(faces))
    return content.getvalue()


@pytest.fixture
def server(archive, monkeypatch):
    """A stand-in for the sources, whose file has these counts; the way to it is not set yet."""
    monkeypatch.setenv(COUNTS, "42,21,21")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with stand_in(archive) as server:
        yield server


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < deadline
        assert getting.current().state != "lost", getting.current()
        time.sleep(0.05)


def use(monkeypatch, *urls: str) -> None:
    monkeypatch.setenv(URLS, " ".join(urls))


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/fer2013.csv"


def test_the_file_is_downloaded_read_and_chosen(server, faces, monkeypatch):
    use(monkeypatch, server.url("file"))
    told: list[str] = []
    got = getting.download_here(told=lambda at: told.append(at.message))
    assert got.fingerprint == faces.fingerprint
    assert Path(chosen_data() or "") == getting.download_folder() / "fer2013.csv.zip"
    assert data.load().fingerprint == faces.fingerprint
    assert any("images read" in message for message in told)
    assert getting.current() == getting.Download("")
    assert not part_in(getting.download_folder()).exists()


def test_what_broke_off_is_gone_on_with(server, archive, tmp_path):
    heard: list[tuple[int, int | None]] = []
    path = fetch(server.url("broken"), tmp_path, lambda *at: heard.append(at))
    assert path.read_bytes() == archive
    ranges = [asked for _, asked in server.asked]
    assert ranges[0] is None
    assert ranges[1] == f"bytes={len(archive) // 2}-"
    assert heard[-1] == (len(archive), len(archive))


def test_a_part_of_another_file_is_begun_anew(server, archive, tmp_path):
    fetch(server.url("file"), tmp_path, lambda *at: None).rename(part_in(tmp_path))
    about = {"url": server.url("file"), "version": '"older"', "total": 9}
    part_in(tmp_path).with_suffix(".json").write_text(json.dumps(about))
    assert fetch(server.url("file"), tmp_path, lambda *at: None).read_bytes() == archive
    assert server.asked[-1][1] is not None


def test_another_file_is_said_to_be_one_and_not_kept(server, monkeypatch):
    monkeypatch.setenv(COUNTS, "28709,3589,3589")
    use(monkeypatch, server.url("file"))
    with pytest.raises(DataError, match=r"holds 42 Training, 21 .* another file"):
        getting.download_here()
    assert getting.current().state == "failed"
    assert chosen_data() is None
    assert not entries()
    assert not list(getting.download_folder().glob("*.zip"))


@pytest.mark.parametrize(
    ("kind", "words"), [("page", "a web page"), ("gone", "404"), ("nobody", "refused")]
)
def test_the_next_source_is_asked_where_one_fails(server, faces, monkeypatch, kind, words):
    bad = closed_port() if kind == "nobody" else server.url(kind)
    use(monkeypatch, bad)
    with pytest.raises(DataError, match=words):
        get_fer2013(getting.download_folder())
    use(monkeypatch, bad, server.url("file"))
    assert get_fer2013(getting.download_folder()).fingerprint == faces.fingerprint


def test_an_address_and_counts_that_are_none(monkeypatch, tmp_path):
    use(monkeypatch, "file:///etc/passwd")
    with pytest.raises(ConfigError, match="no address"):
        get_fer2013(tmp_path)
    monkeypatch.setenv(COUNTS, "all")
    with pytest.raises(ConfigError, match="28709,3589,3589"):
        get_fer2013(tmp_path)


def test_kaggle_comes_first_and_hugging_face_behind_it(server, faces, monkeypatch, tmp_path):
    """kagglehub itself, its two calls answered by the stand-in, to which a proxy's name leads."""
    pytest.importorskip("kagglehub")
    assert [source.title for source in sources()] == ["Kaggle", "Hugging Face"]
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("http_proxy", server.url("")[: -len("//fer2013.csv.zip")])
    heard: list[int] = []
    got = get_fer2013(tmp_path / "ours", lambda at: heard.append(at.done))
    assert got.fingerprint == faces.fingerprint
    assert [name for name, _ in server.asked] == ["GetDataset", "DownloadDataset"]
    assert (tmp_path / "kagglehub") in Path(got.source).parents


def test_without_kagglehub_the_second_source_gives_it(server, faces, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    monkeypatch.setattr("fercore.data.download.HUGGING_FACE", server.url("file", "fer2013.zip"))
    assert get_fer2013(tmp_path).fingerprint == faces.fingerprint


def test_one_at_a_time(server, monkeypatch):
    use(monkeypatch, server.url("file"))
    getting.download_folder().mkdir(parents=True)
    with held(getting.download_folder() / LOCK), pytest.raises(Busy, match="already"):
        getting.download_here()
    assert not server.asked


def test_a_hanging_source_is_left_for_the_next(server, faces, monkeypatch):
    monkeypatch.setattr("fercore.data.download._PATIENCE", 0.5)
    use(monkeypatch, server.url("slow"), server.url("file"))
    assert get_fer2013(getting.download_folder()).fingerprint == faces.fingerprint


def test_a_process_of_its_own_is_watched_cancelled_and_gone_on_with(server, faces, monkeypatch):
    use(monkeypatch, server.url("slow"))
    getting.start()
    assert getting.current().alive
    half = len(server.content) // 2
    until(lambda: getting.current().kept == half and getting.current().share)
    assert getting.current().state == "running"
    assert "from 127.0.0.1" in getting.current().message
    getting.start()  # a second press begins no second one
    assert len(server.asked) == 1
    getting.cancel()
    until(lambda: getting.current().state == "cancelled")
    assert getting.current().kept == half
    server.go.set()
    getting.start()
    until(lambda: not getting.current().alive)
    assert getting.current() == getting.Download("")
    assert server.asked[1][1] == f"bytes={half}-"
    assert data.load().fingerprint == faces.fingerprint


def test_what_has_come_can_be_deleted(server, monkeypatch):
    use(monkeypatch, server.url("slow"))
    stop = iter([False] * 5 + [True] * 1000)
    with pytest.raises(Interrupted):
        getting.download_here(stop_requested=lambda: next(stop))
    assert getting.current().kept
    getting.forget()
    assert getting.current() == getting.Download("")


def test_the_command_line_breaks_off_at_ctrl_c_and_goes_on(server, monkeypatch):
    use(monkeypatch, server.url("slow"))
    command = [sys.executable, "-m", "fercore", "data", "download", "--json"]
    first = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: getting.current().kept)
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=WAIT)
    assert first.returncode == 130
    assert "do not pass them on" in " ".join(errors.split())
    assert "Go on with: fercore data download" in errors
    server.go.set()
    assert json.loads(run("data", "download", "--json"))["images"] == 84
    assert server.asked[-1][1]


def test_without_a_network_it_is_said_what_to_do_by_hand(monkeypatch):
    use(monkeypatch, closed_port())
    words = fails("data", "download")
    assert "refused" in words
    assert words.index("1. In any browser") < words.index("2. ") < words.index("3. Drop it")


def test_fer2013_is_told_from_other_sets(faces):
    assert "28\u202f709 Training" in other_than(faces)
    assert not other_than(faces, {"Training": 42, "PublicTest": 21, "PrivateTest": 21})
