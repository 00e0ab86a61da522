"""Runs and one's own faces in the browser, and an app that is served to others."""

import re
import shutil
import socket
import threading
from contextlib import closing, suppress

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PATIENCE, choose, open_list, served, settle
from tests.test_own_photos import THIRTY, drawn, zipped

expect.set_options(timeout=PATIENCE)
CLOSED = re.compile("closed because this app is served to others")


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_folders):
    """The folders of a server of its own: these tests add runs and take them away."""
    folder = tmp_path_factory.mktemp("own-faces")
    shutil.copytree(run_folders, folder / "artifacts" / "runs")
    return folder


@pytest.fixture(scope="module")
def address(home):
    with served(home) as where:
        yield where


def combobox(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stMain").get_by_role("combobox", name=re.compile(name))


def test_a_run_is_deleted_after_asking_and_shipped_ones_are_not_offered(page, address, home):
    runs = home / "artifacts" / "runs"
    for name, place in (("spare", runs), ("came-along", home / "artifacts" / "shipped")):
        shutil.copytree(runs / "first", place / name)
        info = place / name / "run.json"
        info.write_text(info.read_text().replace('"run_id": "first"', f'"run_id": "{name}"'))
    try:
        page.goto(f"{address}/runs?a=spare&b=second")
        settle(page)
        open_list(combobox(page, "Run"))
        expect(page.get_by_role("option", name=re.compile("^spare:"))).to_be_visible()
        expect(page.get_by_role("option", name=re.compile("^came-along:"))).to_have_count(0)
        page.keyboard.press("Escape")

        choose(combobox(page, "Run"), "spare")
        page.get_by_role("button", name="Delete …").click()
        page.get_by_role("button", name="Keep it").click()
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert (runs / "spare" / "run.json").exists()

        page.get_by_role("button", name="Delete …").click()
        page.get_by_role("button", name="Delete it").click()
        expect(page.get_by_text("spare is deleted.")).to_be_visible()
        assert not (runs / "spare").exists()
        expect(page).not_to_have_url(re.compile("a=spare"))
        assert page.locator('[data-testid="stException"]').count() == 0
    finally:
        shutil.rmtree(runs / "spare", ignore_errors=True)
        shutil.rmtree(home / "artifacts" / "shipped", ignore_errors=True)


def test_fine_tuning_on_thirty_faces_of_ones_own(page, address, home, tmp_path):
    (tmp_path / "mine.zip").write_bytes(zipped(drawn(THIRTY, "mine/")))
    page.goto(f"{address}/your_faces?a=first&b=second")
    settle(page)
    field = page.get_by_test_id("stMain").locator('input[type="file"]')
    with page.expect_response(re.compile("upload_file")):  # its name stands there before
        field.set_input_files(tmp_path / "mine.zip")
    settle(page)
    page.get_by_role("button", name="Find the faces").click()
    expect(page.get_by_text("Every photo is kept, 30 of them whole.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^(happy|sad|surprise) · "))).to_have_count(30)

    page.get_by_role("button", name="Keep these 30 faces").click()
    expect(page.get_by_text(re.compile("Kept 30 faces in"))).to_be_visible()
    assert len(list((home / "faces" / "mine").rglob("*.png"))) == 30

    choose(combobox(page, "Start from"), "first")
    page.get_by_role("button", name="Fine-tune").click()
    expect(page.get_by_text(re.compile("is on its way"))).to_be_visible()
    changed = page.get_by_text(re.compile("What fine-tuning first to .* changed"))
    expect(changed).to_be_visible()
    for images in ("mine PrivateTest", "synthetic PrivateTest"):
        expect(page.get_by_text(images, exact=True)).to_be_visible()

    page.get_by_role("button", name="Delete these faces …").click()
    page.get_by_role("button", name="Delete them").click()
    expect(page.get_by_text("mine is deleted.")).to_be_visible()
    assert not (home / "faces" / "mine").exists()


@pytest.fixture
def proxied(address):
    """The app's address behind a reverse proxy, which says so in a header as proxies do."""
    target = int(address.rsplit(":", 1)[1])
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=_serve, args=(server, target), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _serve(server: socket.socket, target: int) -> None:
    with suppress(OSError):  # the socket is closed at the end
        while True:
            browser, _ = server.accept()
            app = socket.create_connection(("127.0.0.1", target))
            for ends in ((browser, app, b"\r\nX-Forwarded-For: 203.0.113.9\r\n"), (app, browser)):
                threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, header: bytes = b"") -> None:
    """Copy what comes; the header goes after the first line of the connection's first request."""
    with suppress(OSError), closing(sink):
        while chunk := source.recv(1 << 16):
            if header:
                chunk, header = chunk.replace(b"\r\n", header, 1), b""
            sink.sendall(chunk)


def test_behind_a_proxy_reading_is_open_and_writing_closed(page, proxied, address):
    page.goto(f"{proxied}/runs?a=first&b=second")
    settle(page)
    expect(page.get_by_test_id("stMain").get_by_text(CLOSED)).to_be_visible()
    expect(page.get_by_role("button", name="Delete …")).to_have_count(0)
    page.goto(f"{proxied}/your_faces")
    settle(page)
    expect(page.get_by_test_id("stMain").get_by_text(CLOSED)).to_be_visible()
    expect(page.get_by_test_id("stMain").locator('input[type="file"]')).to_have_count(0)

    page.goto(f"{address}/runs")
    settle(page)
    expect(page.get_by_role("button", name="Delete …")).to_be_visible()
