"""Opens a photo safely, whatever its format, as an upright 8-bit RGB picture in memory."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fercore.errors import ImageError

MAX_PIXELS = 60_000_000
SUFFIXES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff")
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I")


def open_photo(source: Path | bytes, name: str = "") -> Image.Image:
    """The photo as RGB, turned upright by its EXIF orientation; an animation's first frame.

    Transparency is laid on white, 16-bit grey scaled to 8. Raises `ImageError`, naming the file,
    for what is no picture, is cut short, or declares more than `MAX_PIXELS`.
    """
    name = name or str(source)
    try:
        content = source if isinstance(source, bytes) else source.read_bytes()
        if not content:
            raise ImageError(f"{name}: the file is empty.")
        photo = Image.open(io.BytesIO(content))
        if photo.width * photo.height > MAX_PIXELS:
            raise ImageError(
                f"{name}: {photo.width}×{photo.height} pixels are too many. "
                f"Reduce it below {MAX_PIXELS // 1_000_000} megapixels."
            )
        return _flattened(ImageOps.exif_transpose(photo))
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ImageError(
            f"{name}: this is not a picture that can be read. Use JPEG, PNG, WebP, BMP or GIF."
        ) from error
    except FileNotFoundError as error:
        raise ImageError(f"{name}: there is no such file.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise ImageError(f"{name}: this is no file that can be read.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise ImageError(f"{name}: the picture is damaged or cut short.") from error


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
