"""Pictures whose pixels are whole and whose file is not: other versions of the file to try."""

import hashlib
import io
import zlib
from collections.abc import Iterator

from PIL import Image

from fercore.faces.decoding import bands

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf"}
_END = b"\xff\xd9"  # of a JPEG
_START_OF_SCAN, _ADOBE, _COMMENT = 0xDA, 0xEE, 0xFE
_FILLER = bytes.fromhex("5a3c") * 64  # no marker is in it
_METADATA = "Some of its metadata cannot be read and are left out."


def mended(content: bytes) -> Iterator[tuple[bytes, str]]:
    """Versions of a PNG or JPEG that cannot be read as it is, each with a sentence on it.

    Without texts and other metadata; a JPEG also with its end mark, where the pixels are all there.
    """
    if content.startswith(_PNG):
        yield _png_without_metadata(content), _METADATA
    elif content.startswith(_JPEG):
        bare = _jpeg_without_metadata(content)
        for version, note in ((content, ""), (bare, f" {_METADATA}")):
            whole = version.rstrip(b"\xff") + _END
            if not version.endswith(_END) and _pixels_are_there(version):
                yield whole, f"The end of its file is missing; its pixels are all there.{note}"
        yield bare, _METADATA


def _png_without_metadata(content: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind in _PNG_KEPT:
            kept.append(content[at : at + 12 + length])
        at += 12 + length
    end = b"IEND"
    return b"".join([*kept, bytes(4), end, zlib.crc32(end).to_bytes(4, "big")])


def _jpeg_without_metadata(content: bytes) -> bytes:
    kept, at = [_JPEG], len(_JPEG)
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            break
        metadata = 0xE0 <= marker <= 0xEF and marker != _ADOBE
        if not metadata and marker != _COMMENT:
            kept.append(content[at : at + 2 + length])
        at += 2 + length
    return b"".join([*kept, content[at:]])


def _pixels_are_there(content: bytes) -> bool:
    """Whether a JPEG without its end holds all pixels: what is put after it then changes none."""
    content = content.rstrip(b"\xff")
    try:
        one, other = (_pixels(content + more + _END) for more in (b"", _FILLER))
    except (OSError, ValueError, SyntaxError):
        return False
    return one == other


def _pixels(content: bytes) -> bytes:
    """A hash over the pixels: two pictures at once would take too much memory."""
    digest = hashlib.sha256()
    for _, band in bands(Image.open(io.BytesIO(content), formats=("JPEG",))):
        digest.update(band.tobytes())
    return digest.digest()
