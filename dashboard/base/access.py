"""Who may train, delete and review. Reading is open to everyone who reaches the app.

`FERCORE_ALLOW_WRITE=1` opens writing to whoever reaches the app, any other value closes it to
everyone. Where it is not set, writing is open where the app serves this machine only, and to people
who signed in (Streamlit's OIDC) and whose e-mail address is in `FERCORE_WRITERS`, a list with
commas.

Serving this machine only means a loopback address in `server.address` and a request that comes
from a browser here. Behind a reverse proxy every request seems to: a proxy betrays itself by any
header that browsers do not send, and by a Host or Origin that is not this machine's. What passes
bytes on unchanged, as `ssh -L` does, cannot be told from a browser here.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import NamedTuple
from urllib.parse import urlsplit

import streamlit as st

from dashboard.base.plain import plain

ALLOW, WRITERS = "FERCORE_ALLOW_WRITE", "FERCORE_WRITERS"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# What browsers send of their own with a websocket's first request, beside `Sec-…`. Proxies add to
# it under countless names: X-Forwarded-For, Via, Fly-Client-IP, Tailscale-User-Login, …
_BROWSERS_HEADERS = {
    *("host", "origin", "referer", "connection", "upgrade", "user-agent", "cookie", "accept"),
    *("accept-encoding", "accept-language", "accept-charset", "cache-control", "pragma", "dnt"),
    *("priority", "te", "save-data", "upgrade-insecure-requests", "x-requested-with"),
}
_CLOSING = "Reading is open; training, deleting and reviewing are closed"
_CLOSED = f"{_CLOSING} because this app is served to others."


class Access(NamedTuple):
    """Whether the person at the browser may change anything; `reason` says why not."""

    allowed: bool
    reason: str


def may_write() -> Access:
    """Whether training, deleting and reviewing are open to whoever looks at this page."""
    allow = os.environ.get(ALLOW, "").strip()
    if allow not in ("", "1"):
        return Access(False, f"{_CLOSING} by {ALLOW}: it opens them where it is 1.")
    if allow or serves_this_machine_only():
        return Access(True, "")
    if not sign_in_configured():
        return Access(
            False, f"{_CLOSED} Whoever runs it can open them by starting it with {ALLOW}=1."
        )
    if not st.user.is_logged_in:
        return Access(False, f"{_CLOSED} Sign in, if you are on the list of its writers.")
    address = str(st.user.to_dict().get("email") or "").strip().lower()
    if not address:
        return Access(False, f"{_CLOSED} You are signed in without an e-mail address.")
    if st.user.to_dict().get("email_verified") is False:
        return Access(False, f"{_CLOSED} Your address {address} has not been verified.")
    if address not in _writers():
        return Access(False, f"{_CLOSED} {address} is not on the list of its writers.")
    return Access(True, "")


def write_or_say_why(place: str) -> bool:
    """`may_write`, with the reason and a sign-in button on the page where it is closed.

    `place` names the caller, for the button's key. Widgets that change something are drawn only
    where this is true: Streamlit runs no callback of a widget that was not drawn.
    """
    access = may_write()
    if access.allowed:
        return True
    st.info(plain(access.reason), icon=":material/lock:")
    if sign_in_configured():
        if st.user.is_logged_in:
            st.button("Sign out", on_click=st.logout, key=f"sign-out-{place}")
        elif not all(map(find_spec, ("authlib", "httpx"))):
            st.caption("To let people sign in, whoever runs it installs `fercore[login]`.")
        else:
            st.button("Sign in", on_click=st.login, type="primary", key=f"sign-in-{place}")
    return False


def sign_in_configured() -> bool:
    """Whether Streamlit's secrets name an identity provider (`[auth]` in `secrets.toml`)."""
    return "is_logged_in" in st.user


def _writers() -> set[str]:
    listed = os.environ.get(WRITERS, "").split(",")
    return {address.strip().lower() for address in listed} - {""}


def serves_this_machine_only() -> bool:
    """Whether whoever looks at this page sits at the machine that runs the app."""
    return st.get_option("server.address") in _LOOPBACK and comes_from_here(st.context.headers)


def comes_from_here(headers: Mapping[str, str]) -> bool:
    """Whether a request's headers are those of a browser on this machine, with no proxy between."""
    sent = {name.lower(): value for name, value in headers.items()}
    if any(name not in _BROWSERS_HEADERS and not name.startswith("sec-") for name in sent):
        return False
    addresses = [sent["origin"]] if "origin" in sent else []
    addresses += [f"//{sent['host']}"] if "host" in sent else []
    return all(_hostname(address) in _LOOPBACK for address in addresses)


def _hostname(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # a malformed address is nobody's
        return None
