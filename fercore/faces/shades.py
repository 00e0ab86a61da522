"""The shades of a picture, whatever their kind and depth, as 8-bit RGB."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fercore.errors import ImageError

_DEPTHS = (1, 8, 10, 12, 14, 16, 24, 32)  # bits
_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF's tags
_PNG_DEPTH = 24  # where a PNG's header has it
_LEAST_COLOUR = 1 << 6  # of 255; what fills 14 of 16 bits is darker than this


def flattened(photo: Image.Image, name: str, content: bytes = b"") -> tuple[Image.Image, list[str]]:
    """A new RGB picture, transparency laid on white, and a sentence where shades were scaled.

    Grey of more than 8 bits is scaled by its own range, since 12 bits often come in 16. `content`
    is the file's, if there is one. Raises `ImageError` where shades are no numbers from 0 up, where
    colours of 16 bits hold fewer, and for kinds of colour that have no way to RGB.
    """
    if photo.mode in ("I", "F") or photo.mode.startswith("I;16"):
        grey, note = _eight_bits(np.asarray(photo), _declared_bits(photo), name)
        if getattr(photo, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
            grey = 255 - grey
        return Image.fromarray(grey).convert("RGB"), [note] if note else []
    try:
        picture = _on_white(photo)
    except ValueError as error:
        raise ImageError(
            f"{name}: its kind of colour, {photo.mode}, cannot be read. Save it as JPEG or PNG."
        ) from error
    if _has_sixteen_bits(photo, content):
        brightest = max(high for _low, high in picture.getextrema())
        if 0 < brightest < _LEAST_COLOUR:
            raise ImageError(
                f"{name}: its colours declare 16 bits and fill fewer, so that it would be nearly "
                "black. Save it with 8 bits."
            )
    return picture, []


def _on_white(photo: Image.Image) -> Image.Image:
    if not photo.has_transparency_data:
        return photo.convert("RGB")
    glass = photo.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", photo.size, "white"), glass).convert("RGB")


def _eight_bits(values: NDArray, declared: int | None, name: str) -> tuple[NDArray[np.uint8], str]:
    values = values.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise ImageError(
            f"{name}: its shades are no numbers from 0 up. Save it as an 8-bit JPEG or PNG."
        )
    bits = next((bits for bits in _DEPTHS if high < 2**bits), _DEPTHS[-1])
    if high <= 1:
        bits = 1
    if declared and declared < 16:
        bits = declared
    values *= 255 / (2**bits - 1)
    scaled = (values + 0.5).clip(0, 255).astype(np.uint8)
    return (
        scaled,
        "" if bits == 16 else f"Its shades reach {high:g}: they are read as {_say(bits)}.",
    )


def _say(bits: int) -> str:
    return "0 for black and 1 for white" if bits == 1 else f"{bits} bits"


def _declared_bits(photo: Image.Image) -> int | None:
    bits = getattr(photo, "tag_v2", {}).get(_BITS_PER_SAMPLE)
    return bits[0] if bits else None


def _has_sixteen_bits(photo: Image.Image, content: bytes) -> bool:
    if content.startswith(b"\x89PNG"):
        return content[_PNG_DEPTH] == 16
    return _declared_bits(photo) == 16
