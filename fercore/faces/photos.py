"""Opens a photo safely, whatever its format, as an upright 8-bit RGB picture in memory."""

import glob
import io
import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fercore.errors import ImageError

MAX_PIXELS = 60_000_000
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I")
# What Pillow's decoders raise on a damaged file.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error)
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1")  # from the file's fifth byte on


def open_photo(source: Path | bytes, name: str = "") -> Image.Image:
    """The photo as RGB, turned upright by its EXIF orientation; an animation's first frame.

    What a file holds is told by its content, not by its name. Transparency is laid on white,
    16-bit grey scaled to 8. Raises `ImageError`, naming the file, for what is no picture, is cut
    short, or declares more than `MAX_PIXELS`, which are then not decoded.
    """
    name = name or str(source)
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
    except FileNotFoundError as error:
        raise ImageError(f"{name}: there is no such file.") from error
    except OSError as error:
        raise ImageError(f"{name}: this is no file that can be read.") from error
    if not content:
        raise ImageError(f"{name}: the file is empty.")
    if content[4:12] in _HEIC:
        raise ImageError(f"{name}: HEIC photos cannot be read. Save it as JPEG.")
    try:
        with warnings.catch_warnings(action="ignore"):  # what is too large is said below
            photo = Image.open(io.BytesIO(content), formats=_FORMATS)
        if photo.width * photo.height > MAX_PIXELS:
            raise _too_large(name, f"{photo.width}×{photo.height} pixels are too many")
        return _flattened(ImageOps.exif_transpose(photo))
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: this is not a picture that can be read. Use JPEG, PNG, WebP, BMP or GIF."
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(name, "it declares too many pixels") from error
    except _DAMAGED as error:
        raise ImageError(f"{name}: the picture is damaged or cut short.") from error


def find_photos(paths: Iterable[str | Path]) -> tuple[list[Path], list[str]]:
    """The files that paths, folders and patterns stand for, each once, in order; and a sentence
    for each that stands for nothing.

    A folder stands for every picture in it and below, by its suffix; hidden ones are left out. A
    pattern may hold `**`. A file that is named is taken whatever its suffix.
    """
    photos: dict[Path, None] = {}
    problems = []
    for path in map(Path, paths):
        if path.is_dir():
            found, missing = _pictures_below(path), "no picture is in this folder."
        elif path.exists() or not glob.has_magic(str(path)):
            found, missing = [path], ""
        else:
            matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]
            found = [match for match in matches if match.is_file()]
            missing = "no file matches this pattern."
        if not found:
            problems.append(f"{path}: {missing}")
        photos |= dict.fromkeys(found)
    return list(photos), problems


def _pictures_below(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def _too_large(name: str, why: str) -> ImageError:
    limit = MAX_PIXELS // 1_000_000
    return ImageError(f"{name}: {why}. Reduce it below {limit} megapixels.")


def _flattened(photo: Image.Image) -> Image.Image:
    if photo.mode in _SIXTEEN_BIT:
        values = np.asarray(photo, np.float64)
        scale = 257 if values.max() > 255 else 1
        return Image.fromarray((values / scale).clip(0, 255).astype(np.uint8)).convert("RGB")
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        white = Image.new("RGBA", photo.size, "white")
        return Image.alpha_composite(white, photo).convert("RGB")
    return photo.convert("RGB")
