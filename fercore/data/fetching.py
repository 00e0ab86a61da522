"""A file over HTTP: what has come stays on disk, and the next call goes on from there."""

import http.client
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from fercore import __version__
from fercore.errors import ConfigError, DataError
from fercore.files import read_json, safe_name, write_json
from fercore.shapes import misfit, optional, text, whole
from fercore.wording import megabytes

MAX_BYTES = 2 << 30  # FER2013 as text is 0.3 GB
_TIMEOUT = 20.0  # seconds from one byte to the next
_PIECE = 1 << 18  # bytes
_TRIES = 4  # in a row that bring nothing
_ABOUT = {"url": text, "version": text, "total": optional(whole())}  # of the part on disk

Told = Callable[[int, int | None], None]  # bytes here, and of how many, where that is known


def fetch(url: str, folder: Path, told: Told) -> Path:
    """Download `url` into `folder` and return the file, named as in the address.

    A part that an earlier call left is gone on with where the server says that the file is still
    the same, and a connection that breaks off is made again. `told` may end it by raising. Raises
    `DataError` where it cannot be had, `ConfigError` for an address that is none.
    """
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise ConfigError(f"'{url}' is no address to download from: it begins with https://.")
    folder.mkdir(parents=True, exist_ok=True)
    part, tries, broken = part_in(folder), 0, ""
    while tries < _TRIES:
        before = _size(part)
        try:
            _go_on(url, part, told)
            return part.replace(folder / _name(url))
        except HTTPError as error:
            raise DataError(f"the server answers '{error.code} {error.reason}'") from error
        except (URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            broken = str(getattr(error, "reason", "") or error or type(error).__name__)
        tries = 0 if _size(part) > before else tries + 1
        if not _size(part):
            break  # nobody there, rather than a bad line
    raise DataError(f"{broken}{_so_far(part)}")


def part_in(folder: Path) -> Path:
    """Where what has come of a file lies until all of it is there."""
    return folder / "download.part"


def forget_part(folder: Path) -> None:
    """Delete what has come of a file."""
    for path in (part_in(folder), _about(part_in(folder))):
        path.unlink(missing_ok=True)


def _go_on(url: str, part: Path, told: Told) -> None:
    """Add to the part what is missing. Raises what `urlopen` raises, and where it breaks off."""
    headers = {"User-Agent": f"fercore/{__version__}", "Accept-Encoding": "identity"}
    known = _known(url, part)
    if known:
        headers |= {"Range": f"bytes={_size(part)}-", "If-Range": known["version"]}
    with _opened(Request(url, headers=headers), part) as response:
        if response.headers.get_content_type() == "text/html":
            raise DataError("it gives a web page, not a file")
        goes_on = bool(known) and response.status == 206
        here = _size(part) if goes_on else 0
        length = response.headers["Content-Length"]
        total = here + int(length) if length and length.isdigit() else None
        if (total or 0) > MAX_BYTES:
            raise DataError(f"it gives {megabytes(total or 0)}, which is no FER2013")
        if not goes_on:
            version = response.headers["ETag"] or response.headers["Last-Modified"] or ""
            write_json(_about(part), {"url": url, "version": version, "total": total})
        told(here, total)
        with part.open("ab" if goes_on else "wb") as file:
            while piece := response.read1(_PIECE):
                told(here, total)  # where nobody waits any more, nothing is written
                file.write(piece)
                here += len(piece)
                told(here, total)
                if here > MAX_BYTES:
                    raise DataError("it does not end, as FER2013 does")
    if total is not None and here < total:
        raise ConnectionError("the connection broke off")
    _about(part).unlink(missing_ok=True)


def _opened(request: Request, part: Path) -> Any:
    try:
        return urlopen(request, timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code != 416:  # there is nothing behind what is here: it is begun anew
            raise
    part.unlink(missing_ok=True)
    return urlopen(Request(request.full_url, headers={}), timeout=_TIMEOUT)


def _known(url: str, part: Path) -> dict[str, Any] | None:
    """What was said of the file whose part lies there, where it can be gone on with."""
    try:
        about: dict[str, Any] = read_json(_about(part))
    except (OSError, ValueError):
        return None
    # A weak ETag does not promise the same bytes.
    fits = not misfit(about, _ABOUT) and about["url"] == url and _size(part)
    return about if fits and about["version"] and not about["version"].startswith("W/") else None


def _about(part: Path) -> Path:
    return part.with_suffix(".json")


def _size(path: Path) -> int:
    with suppress(OSError):
        return os.path.getsize(path)
    return 0


def _name(url: str) -> str:
    name = PurePosixPath(urlsplit(url).path).name
    return name if safe_name(name) else "fer2013.csv"


def _so_far(part: Path) -> str:
    return f" after {megabytes(_size(part))}" if _size(part) else ""
