"""Signing in with an identity provider, here one of our own that says yes to the first name given.

OpenID Connect's authorisation code flow: discovery, authorise, token with a signed identity, keys.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import PATIENCE, free_port, new_page, served, settle

pytest.importorskip("authlib", reason="signing in needs fercore[login]")
expect.set_options(timeout=PATIENCE)
CLIENT = "fercore-test"


class Provider(ThreadingHTTPServer):
    """Signs in whoever `email` says, without asking."""

    email = "eve@example.org"

    def __init__(self) -> None:
        from joserfc.jwk import RSAKey

        super().__init__(("127.0.0.1", 0), _Answers)
        self.key = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.nonces: list[str] = []

    def identity(self) -> str:
        """A signed identity token."""
        from joserfc import jwt

        now = int(time.time())
        claims: dict[str, str | int] = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.email,
            "email": self.email,
        }
        claims |= {"iat": now, "exp": now + 600, "nonce": self.nonces[-1]}
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.key)


class _Answers(BaseHTTPRequestHandler):
    server: "Provider"

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        url, provider = urlsplit(self.path), self.server
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/authorize":
            provider.nonces.append(asked["nonce"])
            back = urlencode({"code": "yes", "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        elif url.path == "/keys":
            self._json({"keys": [provider.key.as_dict(private=False)]})
        else:
            ends = {"authorization": "authorize", "token": "token"}
            known = {f"{name}_endpoint": f"{provider.url}/{end}" for name, end in ends.items()}
            self._json(known | {"issuer": provider.url, "jwks_uri": f"{provider.url}/keys"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"access_token": "x", "token_type": "Bearer", "expires_in": 600}
        self._json(answer | {"id_token": self.server.identity()})

    def _json(self, value: dict) -> None:
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running() -> Iterator[Provider]:
    with Provider() as provider:
        Thread(target=provider.serve_forever, daemon=True).start()
        yield provider
        provider.shutdown()


def test_only_a_listed_person_who_signed_in_may_write(browser, tmp_path, two_runs, monkeypatch):
    port, secrets = free_port(), tmp_path / "secrets.toml"
    monkeypatch.setenv("FERCORE_WRITERS", "ann@example.org")
    options = ["--server.address=0.0.0.0", f"--secrets.files={secrets}"]
    with running() as provider:
        secrets.write_text(
            f"""[auth]
            redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
            cookie_secret = "{"a secret of more than thirty-two bytes":x<40}"
            client_id = "{CLIENT}"
            client_secret = "secret"
            server_metadata_url = "{provider.url}/.well-known/openid-configuration"
            """
        )
        with served(tmp_path, *options, port=port):
            for page in new_page(browser):
                main = page.get_by_test_id("stMain")
                page.goto(f"http://127.0.0.1:{port}/runs")
                settle(page)
                expect(main.get_by_text("Sign in, if you are on the list")).to_be_visible()
                expect(page.get_by_role("button", name="Delete …")).to_have_count(0)

                main.get_by_role("button", name="Sign in").click()
                page.wait_for_url(f"http://127.0.0.1:{port}/")
                page.goto(f"http://127.0.0.1:{port}/runs")
                settle(page)
                expect(main.get_by_text("eve@example.org is not on the list")).to_be_visible()
                expect(page.get_by_role("button", name="Delete …")).to_have_count(0)

                main.get_by_role("button", name="Sign out").click()
                page.wait_for_url(f"http://127.0.0.1:{port}/")
                settle(page)
                provider.email = "ann@example.org"
                page.goto(f"http://127.0.0.1:{port}/runs")
                main.get_by_role("button", name="Sign in").click()
                page.wait_for_url(f"http://127.0.0.1:{port}/")
                page.goto(f"http://127.0.0.1:{port}/runs")
                expect(page.get_by_role("button", name="Delete …")).to_be_visible()
