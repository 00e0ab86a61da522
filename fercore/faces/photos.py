"""Opens a photo safely, whatever its kind, as an upright 8-bit RGB picture in memory."""

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from fercore.errors import ImageError
from fercore.faces.decoding import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    TAKES_TURNS,
    bytes_needed,
    has_long_tags,
)
from fercore.faces.mending import mended
from fercore.faces.shades import flattened

SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff",
    ".heic", ".heif", ".hif", ".avif",
}  # fmt: skip
NAMED = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF"  # what the suffixes stand for, in words
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")
# What Pillow's decoders raise on a damaged file.
_DAMAGED = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    OverflowError, ZeroDivisionError, struct.error, zlib.error,
)  # fmt: skip
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1")  # from the file's ninth byte on
_SEVERAL = {
    "TIFF": ("has several pages", "the first"),
    "HEIF": ("holds several pictures", "the main one"),
}  # else it moves
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by EXIF orientation

# What is too large is said below. Once, since `catch_warnings` would change other threads' filters.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
_turn = RLock()  # held while a large photo is decoded, and by `opened_photo` while it is open

PhotoLike = Path | str | bytes | Image.Image | NDArray[np.uint8]


class Photo(NamedTuple):
    """An upright RGB picture, and sentences on what of its file could not be read or was scaled."""

    picture: Image.Image
    notes: tuple[str, ...] = ()


def open_photo(source: PhotoLike, name: str = "") -> Image.Image:
    """The picture of `read_photo`, without its notes."""
    return read_photo(source, name).picture


def read_photo(source: PhotoLike, name: str = "") -> Photo:
    """The one way in for a photo: a path, a file's content, a Pillow picture, or an array.

    An array is uint8, grey (height, width) or RGB (height, width, 3). What a file holds is told by
    its content, not by its name. The photo is RGB, turned upright by its EXIF orientation. Of an
    animation or of several pages the first is taken, which is noted. Transparency is laid on white;
    grey of more than 8 bits is scaled by its own range. Metadata that cannot be read are noted,
    where the pixels are whole. Raises `ImageError`, naming the file, for what is no picture, is cut
    short, or is too large: more than `MAX_PIXELS`, a side over `MAX_SIDE`, or more than `MAX_BYTES`
    to read it. Such a one is not decoded.
    """
    with opened_photo(source, name) as photo:
        return photo


@contextmanager
def opened_photo(source: PhotoLike, name: str = "") -> Iterator[Photo]:
    """`read_photo` for as long as the photo is looked at: only one large photo is open at a time,
    whoever asks, so that many visitors need no more memory than one.
    """
    if isinstance(source, Image.Image):
        needed = _checked_size(source, name or "the picture")
        with _in_turn(needed):
            yield _finished(source, name or "the picture")
    elif isinstance(source, np.ndarray):
        yield Photo(_from_array(source, name or "the array"))
    elif isinstance(source, bytes | str | os.PathLike):
        name = name or ("the photo" if isinstance(source, bytes) else str(source))
        content = source if isinstance(source, bytes) else _read(Path(source), name)
        with _in_turn(_needed(content, name)):
            yield _decoded(content, name)
    else:
        raise ImageError(
            f"{type(source).__name__} is no photo: give a path, a Pillow picture, or a NumPy array."
        )


def _in_turn(needed: int) -> AbstractContextManager[object]:
    return _turn if needed > TAKES_TURNS else nullcontext()


def _needed(content: bytes, name: str) -> int:
    """The memory that reading a file takes; all there is for one whose header cannot be read."""
    if not content:
        raise ImageError(f"{name}: the file is empty.")
    try:
        return _checked_size(_opened(content, name), name, len(content))
    except _DAMAGED:
        return MAX_BYTES


def _decoded(content: bytes, name: str) -> Photo:
    try:
        return _finished(_opened(content, name), name, content)
    except _DAMAGED as error:
        problem = error.with_traceback(None)  # it would keep the picture in memory
    for repaired, note in mended(content):
        try:
            photo = _finished(_opened(repaired, name), name, repaired)
        except _DAMAGED:
            continue
        return Photo(photo.picture, (note, *photo.notes))
    raise _said(problem, name) from problem


def _read(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"{name}: the file is larger than {MAX_BYTES // 10**6} MB. Reduce it.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{name}: there is no such file.") from error
    except (OSError, ValueError) as error:  # a ValueError is a path that cannot be one
        raise ImageError(f"{name}: this is no file that can be read.") from error


def _opened(content: bytes, name: str) -> Image.Image:
    """The picture in a file, not decoded yet."""
    if has_long_tags(content):
        raise ImageError(f"{name}: it lists more than a picture needs. Save it as JPEG or PNG.")
    formats: tuple[str, ...] = _FORMATS
    if content[4:8] == b"ftyp" and content[8:12] not in (b"avif", b"avis"):
        import pillow_heif

        pillow_heif.register_heif_opener()
        formats = ("HEIF",)
    try:
        photo = Image.open(io.BytesIO(content), formats=formats)
    except Image.DecompressionBombError as error:
        raise _too_large(name, "it declares too many pixels") from error
    except UnidentifiedImageError as error:
        if content[8:12] in _HEIC:
            raise OSError("a HEIC without a picture") from error
        raise
    _checked_size(photo, name, len(content))
    return photo


def _finished(photo: Image.Image, name: str, content: bytes = b"") -> Photo:
    several = _one_of_several(photo) if content else []  # who opened it chose its frame
    try:
        photo.load()
    except _DAMAGED as error:
        if content:  # perhaps it is mended
            raise
        raise _said(error, name) from error
    try:
        if has_long_tags((photo.info.get("exif") or b"").removeprefix(b"Exif\0\0")):
            raise ValueError
        turn, notes = photo.getexif().get(ExifTags.Base.Orientation), []
    except _DAMAGED:
        turn, notes = None, ["Its EXIF data cannot be read: it is taken as it lies."]
    photo, told = flattened(photo, name, content)  # step by step: what was before is let go
    if turn in _TURNS:
        photo = photo.transpose(_TURNS[turn])
    photo.info = {}  # with its orientation, which is followed now
    return Photo(photo, (*several, *notes, *told))


def _one_of_several(photo: Image.Image) -> list[str]:
    """A sentence on what is looked at in a file of several pictures. A JPEG's further ones are
    previews and maps of the same.
    """
    try:
        several = getattr(photo, "is_animated", False) and photo.format not in ("JPEG", "MPO")
    except _DAMAGED:  # what comes after the first
        return []
    if not several:
        return []
    kind, first = _SEVERAL.get(photo.format or "", ("is an animation", "its first frame"))
    return [f"It {kind}: {first} alone is looked at."]


def _from_array(values: NDArray[np.uint8], name: str) -> Image.Image:
    shaped = values.ndim == 2 or (values.ndim == 3 and values.shape[2] == 3)
    if values.dtype != np.uint8 or not shaped or not values.size:
        raise ImageError(
            f"{name}: {values.dtype} of shape {values.shape} is no photo. Give uint8 from 0 to "
            "255, grey (height, width) or RGB (height, width, 3)."
        )
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise _too_large(name, f"{values.shape[1]}×{values.shape[0]} pixels are too many")
    return Image.fromarray(np.ascontiguousarray(values)).convert("RGB")


def _checked_size(photo: Image.Image, name: str, content: int = 0) -> int:
    """The memory that reading a picture takes; `content` is the size of its file."""
    needed = bytes_needed(photo, content)
    pixels = photo.width * photo.height
    if not pixels:
        raise ImageError(f"{name}: the picture has no pixels.")
    too_many = f"{photo.width}×{photo.height} pixels are too many"
    if max(photo.size) > MAX_SIDE:
        raise ImageError(f"{name}: {too_many}. Cut it to {MAX_SIDE // 1000}\u2009000 a side.")
    if pixels > MAX_PIXELS or needed > MAX_BYTES:
        raise _too_large(name, too_many, min(MAX_PIXELS, pixels * MAX_BYTES // needed))
    return needed


def _too_large(name: str, why: str, limit: int = MAX_PIXELS) -> ImageError:
    return ImageError(f"{name}: {why}. Reduce it below {limit // 10**6} megapixels.")


def _said(error: Exception, name: str) -> ImageError:
    if isinstance(error, UnidentifiedImageError):
        return ImageError(f"{name}: this is not a picture that can be read. Use {NAMED}.")
    return ImageError(f"{name}: the picture is damaged or cut short.")
