"""What a stranger's file may cost: pictures and archives that are small and ask for gigabytes."""

import json
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable

import pillow_heif
import pytest
from PIL import Image

from dashboard.faces import kept_photos
from dashboard.own import photos_view
from fercore.errors import ImageError
from fercore.faces import photos
from fercore.faces.decoding import MAX_BYTES, MAX_PIXELS, MAX_SIDE
from fercore.faces.photos import open_photo, opened_photo
from tests.conftest import ROOT
from tests.test_photos_and_faces import encoded

pillow_heif.register_heif_opener()
FAST = {"preset": "ultrafast"}  # of the encoder; what is measured is the reading
LIMIT = 600  # megabytes: the most a process that reads one picture may hold
SIDE = int(MAX_PIXELS**0.5)
TURNED = Image.Exif()
TURNED[0x0112] = 6

GREY, COLOUR, PALETTE, COLOUR_ALPHA = 0, 2, 3, 6
_CHANNELS = {GREY: 1, COLOUR: 3, PALETTE: 1, COLOUR_ALPHA: 4}


def png(width: int, height: int, *, kind: int = GREY, bits: int = 8, rows: int = -1, more=b""):
    """A black PNG, its rows compressed one by one; `rows` of them are there, all by default."""
    row = b"\0" + bytes(-(-width * _CHANNELS[kind] * bits // 8))
    packer = zlib.compressobj(1)
    rows = height if rows < 0 else rows
    data = b"".join([packer.compress(row) for _ in range(rows)] + [packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256)) if kind == PALETTE else b""
    parts = chunk(b"IHDR", header), palette, more, chunk(b"IDAT", data), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def tiff(tags: dict[int, tuple[int, int, int | None]], data: bytes) -> bytes:
    """A TIFF from type, count and value of its tags; None stands for the place of `data`."""
    place = 8 + 2 + 12 * len(tags) + 4
    entries = [
        struct.pack("<HHII", tag, kind, count, place if value is None else value)
        for tag, (kind, count, value) in sorted(tags.items())
    ]
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return head + b"".join(entries) + bytes(4) + data


def small_tiff(compression: int) -> dict:
    """Tags of a grey picture of 10×10."""
    one = {256: 10, 257: 10, 258: 8, 259: compression, 262: 1, 277: 1}
    return {tag: (3, 1, value) for tag, value in one.items()}


def many_strips() -> bytes:
    count = 4_000_000
    tags = {273: (4, count, None), 278: (4, 1, 1), 279: (4, count, None)}
    return tiff(small_tiff(1) | tags, bytes(4 * count))


def large_tile(side: int) -> bytes:
    packer = zlib.compressobj(1)
    row = bytes(side)
    data = b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()])
    tags = {322: (4, 1, side), 323: (4, 1, side), 324: (4, 1, None), 325: (4, 1, len(data))}
    return tiff(small_tiff(8) | tags, data)


def plain(mode: str, form: str, side: int = SIDE, **options) -> bytes:
    return encoded(Image.new(mode, (side, side)), form, **options)


def film() -> bytes:
    frames = [Image.new("P", (1000, 1000), shade) for shade in range(60)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


ZEROS = zlib.compress(bytes(200 << 20), 1)
# What is tried, and whether it is a picture (True), a sentence (False) or either (None).
PICTURES: dict[str, tuple[Callable[[], bytes], bool | None]] = {
    "one pixel wide": (lambda: png(1, 59_000_000, rows=0), False),
    "one pixel high": (lambda: png(59_000_000, 1, rows=0), False),
    "wide": (lambda: png(MAX_SIDE, 1800, kind=COLOUR), True),
    "16 bits of grey": (lambda: png(SIDE, SIDE, bits=16), True),
    "colour and alpha": (lambda: png(7400, 7400, kind=COLOUR_ALPHA), True),
    "palette with transparency": (lambda: png(SIDE, SIDE, kind=PALETTE), True),
    "JPEG of CMYK, turned": (lambda: plain("CMYK", "JPEG", 7400, exif=TURNED), True),
    "progressive JPEG": (
        lambda: plain("RGB", "JPEG", 6600, progressive=True, subsampling=0, exif=TURNED),
        True,
    ),
    "progressive JPEG, larger": (
        lambda: plain("CMYK", "JPEG", 7000, progressive=True, subsampling=0),
        False,
    ),
    "WebP": (lambda: plain("RGBA", "WEBP", 5200, exif=TURNED, method=0), True),
    "WebP, larger": (lambda: plain("RGB", "WEBP", method=0), False),
    "BMP": (lambda: plain("RGB", "BMP", 6200), True),
    "TIFF": (lambda: plain("CMYK", "TIFF", 5500, compression="tiff_lzw", exif=TURNED), True),
    "TIFF of millions of strips": (many_strips, False),
    "TIFF of one large tile": (lambda: large_tile(24_000), False),
    "HEIC": (lambda: plain("RGB", "HEIF", 5000, enc_params=FAST), True),
    "AVIF": (lambda: plain("RGB", "AVIF", 5000, speed=10), True),
    "animation": (film, True),
    "long text": (lambda: png(9, 9, more=chunk(b"zTXt", b"a\0\0" + ZEROS)), None),
    "long profile": (lambda: png(9, 9, more=chunk(b"iCCP", b"a\0\0" + ZEROS)), None),
    "long EXIF": (lambda: png(9, 9, more=chunk(b"eXIf", many_strips())), None),
}

_READS_EACH = """
import json, sys
from pathlib import Path
from fercore.errors import FerError
from fercore.faces.detection import Found, crops, find_faces, whole_picture
from fercore.faces.photos import opened_photo

def megabytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6

def look(path):
    with opened_photo(path) as (photo, _):
        if "search" in path.name:
            find_faces(photo)
        crops(photo, Found([whole_picture(photo)], whole=True))

found = {}
for path in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")
    try:
        look(path)
        said = ""
    except FerError as error:
        said = str(error)
    found[path.name] = megabytes(), said
print(json.dumps(found))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_no_picture_costs_more_than_600_megabytes(tmp_path):
    for name, (content, _) in PICTURES.items():
        (tmp_path / name).write_bytes(content())
    (tmp_path / "16 bits of grey").rename(tmp_path / "search")
    command = [sys.executable, "-c", _READS_EACH, *map(str, tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    found = json.loads(done.stdout)
    found["16 bits of grey"] = found.pop("search")
    assert {name: peak for name, (peak, _) in found.items() if peak > LIMIT} == {}
    for name, (_, readable) in PICTURES.items():
        said = found[name][1]
        assert readable is None or (said == "") is readable, (name, said)
        assert not said or "Traceback" not in said


def test_only_one_large_photo_is_open_at_a_time():
    """A second one waits until the first is let go; a small one does not."""
    large, small = png(4000, 3000, kind=COLOUR), png(64, 64)
    opened = threading.Event()

    def second():
        with opened_photo(large):
            opened.set()

    waiting = threading.Thread(target=second, daemon=True)
    with opened_photo(large) as (photo, _):
        waiting.start()
        assert open_photo(small).size == (64, 64)
        assert not opened.wait(0.3)
        assert photo.getpixel((3999, 2999)) == (0, 0, 0)
    assert opened.wait(60)
    waiting.join(60)


def test_a_large_photo_that_is_damaged_lets_the_next_one_in():
    large = png(4000, 3000, kind=COLOUR)
    with pytest.raises(ImageError, match="damaged"):
        open_photo(large[: len(large) // 2])
    done = threading.Thread(target=open_photo, args=(large,), daemon=True)
    done.start()
    done.join(60)
    assert not done.is_alive()


def test_what_goes_wrong_while_a_photo_is_open_is_not_called_its_damage():
    with pytest.raises(ValueError, match="mine"), opened_photo(png(64, 64)):
        raise ValueError("mine")


def test_a_side_that_is_too_long_is_named():
    with pytest.raises(ImageError, match=r"^the photo: .* 30\u2009000 a side"):
        open_photo(png(MAX_SIDE + 1, 10, rows=0))


def test_a_file_too_large_to_read_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "MAX_BYTES", 50)
    (tmp_path / "mine.png").write_bytes(png(64, 64))
    with pytest.raises(ImageError, match=r"mine.png: the file is larger than"):
        open_photo(tmp_path / "mine.png")


def test_an_upload_and_the_picture_read_from_it_stay_within_the_limit():
    fields = photos_view.UPLOAD_MEGABYTES, kept_photos.UPLOAD_MEGABYTES
    assert max(fields) + MAX_BYTES / 10**6 < LIMIT
