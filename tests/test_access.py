"""Who may train, delete and review: every way in which the app is served, and what is said."""

import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import streamlit as st

from dashboard.base import access
from dashboard.base.access import comes_from_here, may_write
from fercore.analysis import review
from fercore.runs.listing import list_runs
from tests.conftest import ROOT
from tests.driving import press_keyed
from tests.test_pages import open_page, said

HERE = {"Host": "localhost:8501", "Origin": "http://localhost:8501"}


class User(dict):
    """What `st.user` is where an identity provider is configured."""

    @property
    def is_logged_in(self) -> bool:
        return self["is_logged_in"]

    def to_dict(self) -> dict:
        return dict(self)


NO_PROVIDER = User()
STRANGER = User(is_logged_in=False)


@pytest.fixture
def served(monkeypatch):
    """Sets how the app is served, and to whom."""

    def serve(address="0.0.0.0", headers=HERE, user=NO_PROVIDER, allow=None, writers=None):
        monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
        monkeypatch.setattr(st, "context", SimpleNamespace(headers=headers))
        monkeypatch.setattr(st, "user", user)
        for name, value in ((access.ALLOW, allow), (access.WRITERS, writers)):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)

    return serve


def signed_in(email: str | None = "Ann@example.org", **claims) -> User:
    return User(is_logged_in=True, email=email, **claims)


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "::1"])
def test_writing_is_open_where_only_this_machine_is_served(served, address):
    served(address)
    assert may_write() == (True, "")


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7", "example.org", "", None, "unix://s"])
def test_writing_is_closed_where_others_are_served(served, address):
    served(address)
    allowed, reason = may_write()
    assert not allowed
    assert reason.startswith(
        "Reading is open; training, deleting and reviewing are closed because this app is served "
        "to others. "
    )
    assert "FERCORE_ALLOW_WRITE=1" in reason


PROXIED = {
    "X-Forwarded-For": "203.0.113.9",
    "x-forwarded-proto": "https",
    "X-Forwarded-Host": "faces.example.org",
    "Forwarded": "for=203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "Via": "1.1 proxy",
    "CF-Connecting-IP": "203.0.113.9",
} | dict.fromkeys(
    [
        *("X-Client-IP", "Fly-Client-IP", "X-Envoy-External-Address", "X-Cluster-Client-IP"),
        *("Fastly-Client-IP", "X-Original-Host", "X-Scheme", "X-Request-Start", "CDN-Loop"),
        *("X-Amzn-Trace-Id", "X-Azure-ClientIP", "X-Goog-Authenticated-User-Email", "Ngrok-Id"),
        *("X-Vercel-Id", "Tailscale-User-Login", "X-Railway-Edge", "X-ProxyUser-Ip", "Traceparent"),
        *(
            "X-Request-Id",
            "Remote-User",
            "Client-IP",
            "Proxy-Authorization",
            "A-New-Header",
        ),
    ],
    "203.0.113.9",
)
CHROMIUM = {
    "Connection": "Upgrade", "Pragma": "no-cache", "Cache-Control": "no-cache",
    "User-Agent": "Mozilla/5.0", "Upgrade": "websocket", "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-US", "Cookie": "_streamlit_xsrf=2|a", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "a", "Sec-WebSocket-Protocol": "streamlit", "Sec-Fetch-Mode": "websocket",
}  # fmt: skip


@pytest.mark.parametrize("header", PROXIED)
def test_a_server_on_localhost_behind_a_proxy_serves_others(served, header):
    served("127.0.0.1", HERE | {header: PROXIED[header]})
    assert not may_write().allowed


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "faces.example.org"},
        {"Host": "localhost:8501", "Origin": "https://faces.example.org"},
        {"Host": "localhost.example.org:8501"},
        {"Host": "localhost:8501", "Origin": "null"},
        {"Host": "[bad"},
    ],
)
def test_an_address_that_is_not_this_machines_is_not_local(headers):
    assert not comes_from_here(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        HERE,
        HERE | CHROMIUM,
        {"host": "127.0.0.1:8501"},
        {"Host": "[::1]:8501", "Origin": "http://[::1]:8501"},
    ],
)
def test_a_browser_on_this_machine_is_local(headers):
    assert comes_from_here(headers)


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("0", False), ("", False)])
def test_the_variable_opens_writing(served, value, allowed):
    served(allow=value)
    assert may_write().allowed is allowed


@pytest.mark.parametrize("value", ["0", "no", "false", "true", "2"])
def test_any_value_but_1_closes_writing_to_everyone(served, value):
    """On this machine too, and to the writers on the list."""
    for user in (NO_PROVIDER, signed_in()):
        served("127.0.0.1", user=user, allow=value, writers="ann@example.org")
        allowed, reason = may_write()
        assert not allowed
        assert "closed by FERCORE_ALLOW_WRITE: it opens them where it is 1" in reason
    served("127.0.0.1", allow="")
    assert may_write().allowed


SIGNED_IN = {
    "on the list": (signed_in(), True, ""),
    "in other letters": (signed_in("ANN@EXAMPLE.ORG "), True, ""),
    "not on the list": (signed_in("eve@example.org"), False, "eve@example.org is not on the list"),
    "without address": (signed_in(None), False, "without an e-mail address"),
    "verified": (signed_in(email_verified=True), True, ""),
    "not verified": (signed_in(email_verified=False), False, "has not been verified"),
    "not signed in": (STRANGER, False, "Sign in, if you are on the list"),
}


@pytest.mark.parametrize(("user", "allowed", "words"), SIGNED_IN.values(), ids=SIGNED_IN)
def test_who_is_signed_in(served, user, allowed, words):
    served(user=user, writers="bob@example.org, ann@example.org")
    assert may_write().allowed is allowed
    assert words in may_write().reason


def test_without_a_list_nobody_who_signs_in_may_write(served):
    served(user=signed_in(), writers=None)
    assert not may_write().allowed
    served(user=signed_in(""), writers=" , ")
    assert not may_write().allowed


@pytest.fixture
def closed(monkeypatch):
    monkeypatch.setattr(access, "serves_this_machine_only", lambda: False)
    monkeypatch.delenv(access.ALLOW, raising=False)


def labels(app) -> set[str]:
    return {button.label for button in app.button}


def test_a_closed_app_shows_runs_and_deletes_none(two_runs, closed):
    app = open_page("runs")
    assert len(app.dataframe[0].value) == 2
    assert not labels(app) & {"Delete …", "Rename", "Save the note", "Use this dataset"}
    assert "closed because this app is served to others" in said(app)
    assert len(list_runs()) == 2


def test_a_closed_app_takes_no_photos(two_runs, closed):
    app = open_page("your_faces")
    assert "Find the faces" not in labels(app)
    assert not app.file_uploader
    assert "closed because this app is served to others" in said(app)


def test_a_closed_app_takes_no_verdict(two_runs, closed):
    app = open_page("misclassified", a="first", b="none")
    press_keyed(app, "face-")
    assert "closed because this app is served to others" in said(app)
    assert not labels(app) & {"Save", "Remove"}
    assert not open_page("review").file_uploader
    assert review.verdicts().empty


def test_whoever_may_sign_in_finds_the_button(two_runs, closed, monkeypatch):
    monkeypatch.setattr(st, "user", STRANGER)
    app = open_page("runs")
    assert "Sign in" in labels(app)
    assert "Sign in, if you are on the list" in said(app)
    monkeypatch.setattr(st, "user", signed_in("eve@example.org"))
    assert "Sign out" in labels(open_page("runs"))


FOREIGN = """
[server]
address = "0.0.0.0"
fileWatcherType = "auto"
[browser]
gatherUsageStats = true
[client]
showErrorDetails = "full"
"""


def test_the_apps_settings_hold_over_those_of_the_folder_it_is_started_from(tmp_path):
    """Such as another project's: it would serve the network and send statistics."""
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(FOREIGN)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard" / "app.py")]
    options = ["--server.headless=true", f"--server.port={port}"]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([*command, *options], cwd=tmp_path, stdout=log, stderr=log)
    try:
        while not reached("127.0.0.1", port):
            assert server.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        assert not reached("127.0.0.2", port)  # this machine too, but no address that is served
    finally:
        server.kill()
        server.wait()
    said = (tmp_path / "log").read_text()
    assert "statistics" not in said
    assert "External URL" not in said


def reached(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return False
    return True
