"""What decoding a picture takes, told from its header: a few bytes may declare gigabytes."""

import struct
from collections.abc import Callable, Iterator

from PIL import Image

MAX_BYTES = 450_000_000  # that reading one picture may take, its file included
MAX_PIXELS = 56_000_000  # with which a picture and a copy of it are within that
MAX_SIDE = 30_000  # pixels; each row of a picture takes memory of its own
TAKES_TURNS = 64_000_000  # bytes; a picture that takes more waits until no other such is open
_MAX_VALUES = 200_000  # in one TIFF tag, which Pillow turns into Python numbers; a strip has one
_ROWS = 64  # of a band
_PIXEL = {"1": 1, "L": 1, "P": 1}  # bytes, as Pillow keeps it; 2 for 16 bits, else 4
_RGB = 4
# Bytes a pixel that decoders take beside the picture: canvases, planes, what they hand over.
_DECODERS = {"WEBP": 12, "AVIF": 8, "HEIF": 5}
_DEEP = 8  # more for a HEIC of more than 8 bits in full colour
_TEXT = (1, 2, 7)  # TIFF types that stay bytes
_OFFSETS = (273, 324)  # TIFF tags of strips and tiles: bytes are numbers here too


def bytes_needed(photo: Image.Image, content: int) -> int:
    """How much memory it takes to decode a picture of so many bytes, not decoded yet, and to make
    an upright RGB picture of it. An upper bound, measured for every format that is read.
    """
    stored = 2 if photo.mode.startswith("I;16") else _PIXEL.get(photo.mode, 4)
    decoder = _DECODERS.get(photo.format or "", 0)
    if photo.info.get("bit_depth", 8) > 8 and photo.info.get("chroma") == 444:
        decoder += _DEEP
    if "progressive" in photo.info:  # the coefficients of the whole JPEG, two bytes each
        decoder = 2 * len(photo.getbands())
    pixel = max(decoder + stored, 2 * _RGB)
    return content + photo.width * photo.height * pixel + _largest_tile(photo)


def in_bands(
    photo: Image.Image, change: Callable[[Image.Image], Image.Image], mode: str
) -> Image.Image:
    """The picture that `change` makes of it, of that mode, a few rows at a time: what a step takes
    of its own stays small.
    """
    changed = Image.new(mode, photo.size)
    for place, band in bands(photo):
        changed.paste(change(band), place)
    return changed


def bands(photo: Image.Image) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """The picture's rows, a few at a time, with their place in it."""
    for top in range(0, photo.height, _ROWS):
        bottom = min(top + _ROWS, photo.height)
        yield (0, top), photo.crop((0, top, photo.width, bottom))


def _largest_tile(photo: Image.Image) -> int:
    """Of a TIFF, whose compressed tiles and strips are unpacked whole; they may be the larger."""
    tags = getattr(photo, "tag_v2", None)
    if tags is None or photo.info.get("compression", "raw") == "raw":
        return 0
    width = max(photo.width, int(tags.get(322, 0)))
    rows = int(tags.get(323, 0)) or min(photo.height, int(tags.get(278, photo.height)))
    bits = max(map(int, tags.get(258, (8,))))
    return width * rows * max(1, int(tags.get(277, 1))) * bits // 8


def has_long_tags(content: bytes) -> bool:
    """Whether a TIFF lists more strips, or more of anything, than a picture within the limits has.

    Pillow makes numbers of such a list before it tells a picture's size.
    """
    if content[:4] not in (b"II*\0", b"II+\0", b"MM\0*", b"MM\0+"):
        return False
    order, big = "<" if content[:1] == b"I" else ">", b"+" in content[:4]
    start, count, entry, head = ("Q", "Q", "HHQ8x", 8) if big else ("I", "H", "HHI4x", 4)
    (at,) = struct.unpack_from(order + start, content, head)
    (entries,) = struct.unpack_from(order + count, content, at)
    at += struct.calcsize(order + count)
    size = struct.calcsize(order + entry)
    directory = content[at : at + size * min(entries, 65_535)]
    whole = directory[: len(directory) // size * size]
    return any(
        values > _MAX_VALUES and (kind not in _TEXT or tag in _OFFSETS)
        for tag, kind, values in struct.iter_unpack(order + entry, whole)
    )
