"""The shades of a picture, whatever their kind and depth, as 8-bit RGB."""

import numpy as np
from PIL import Image

from fercore.errors import ImageError
from fercore.faces.decoding import bands, in_bands

_DEPTHS = (1, *range(8, 33, 2))  # bits
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
        bits, note = _bits(photo, name)
        inverted = getattr(photo, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        grey = in_bands(photo, lambda band: _eight_bits(band, bits, inverted=inverted), "L")
        return grey.convert("RGB"), [note] if note else []
    try:
        picture = in_bands(photo, _on_white, "RGB")
    except ValueError as error:
        raise ImageError(
            f"{name}: its kind of colour, {photo.mode}, cannot be read. Save it as JPEG or PNG."
        ) from error
    if _has_sixteen_bits(photo, content):
        brightest = int(np.max(picture.getextrema()))
        if 0 < brightest < _LEAST_COLOUR:
            raise ImageError(
                f"{name}: its colours declare 16 bits and fill fewer, so that it would be nearly "
                "black. Save it with 8 bits."
            )
    return picture, []


def _on_white(band: Image.Image) -> Image.Image:
    if not band.has_transparency_data:
        return band.convert("RGB")
    glass = band.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", band.size, "white"), glass).convert("RGB")


def _bits(photo: Image.Image, name: str) -> tuple[int, str]:
    """How many bits a picture's shades fill, and a sentence where they are not 16."""
    extremes = [band.getextrema() for _, band in bands(photo)]
    low, high = float(np.min(extremes)), float(np.max(extremes))
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise ImageError(
            f"{name}: its shades are no numbers from 0 up. Save it as an 8-bit JPEG or PNG."
        )
    bits = next((bits for bits in _DEPTHS if high < 2**bits), _DEPTHS[-1])
    if high <= 1:
        bits = 1
    declared = _declared_bits(photo)
    if declared and declared < 16:
        bits = declared
    return bits, "" if bits == 16 else f"Its shades reach {high:g}: they are read as {_say(bits)}."


def _eight_bits(band: Image.Image, bits: int, *, inverted: bool) -> Image.Image:
    values = np.asarray(band, np.float32) * np.float32(255 / (2**bits - 1))
    grey = (values + 0.5).clip(0, 255).astype(np.uint8)
    return Image.fromarray(255 - grey if inverted else grey)


def _say(bits: int) -> str:
    return "0 for black and 1 for white" if bits == 1 else f"{bits} bits"


def _declared_bits(photo: Image.Image) -> int | None:
    bits = getattr(photo, "tag_v2", {}).get(_BITS_PER_SAMPLE)
    return bits[0] if bits else None


def _has_sixteen_bits(photo: Image.Image, content: bytes) -> bool:
    if content.startswith(b"\x89PNG"):
        return content[_PNG_DEPTH] == 16
    return _declared_bits(photo) == 16
