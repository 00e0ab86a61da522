"""What a stranger's archive or table may cost: small files that ask for gigabytes."""

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from fercore.data.synthetic import synthetic
from tests.conftest import ROOT
from tests.test_data_sources import csv_text

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
LIMIT = 600  # megabytes: the most a process that reads one source may hold
MB = 1 << 20
HEADER = b"emotion,pixels,Usage\n"
PNG = "train/happy/1.png"
# More than an archive may expand a hundredfold: 4 MB that do not compress.
BALLAST = os.urandom(4 * MB)


FACES = synthetic((3, 1, 1))


def table() -> bytes:
    return csv_text(FACES).encode()


def packed(*parts: tuple[bytes, int]) -> bytes:
    """A gzip of each part so many times in a row."""
    return b"".join(gzip.compress(part, 1) * times for part, times in parts)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar's header of a file, whatever follows it."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def checked(block: bytes) -> bytes:
    """A tar's header with its sum made right."""
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    return block[:148] + b"%06o\0 " % total + block[156:]


def member(name: str, content: bytes) -> bytes:
    return header(name, len(content)) + content + bytes(-len(content) % 512)


END = bytes(1024)  # of a tar


def large_member() -> bytes:
    """A tar.gz whose table has its few rows behind 350 MB of empty ones."""
    empty = (b" " * 60_000 + b",,\n") * 17  # about 1 MB
    rows = table().removeprefix(HEADER)
    size = len(HEADER) + 350 * len(empty) + len(rows)
    return packed(
        (member("ballast.bin", BALLAST), 1),
        (header("fer2013.csv", size) + HEADER, 1),
        (empty, 350),
        (rows + bytes(-size % 512) + END, 1),
    )


def zip_directory(names: list[bytes] | None = None, count: int = 0, sizes: int = 0) -> bytes:
    """A zip's table of contents alone, of those names or of so many empty ones."""

    def entry(name: bytes) -> bytes:
        fields = struct.pack("<4s6H3I5H2I", b"PK\1\2", *[20] * 2, *[0] * 4, 0, sizes, sizes,
                             len(name), *[0] * 4, 0, 0)  # fmt: skip
        return fields + name

    listed = b"".join(map(entry, names)) if names else entry(b"a") * count
    number = min(65_535, len(names or []) or count)
    return listed + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, number, number, len(listed), 0, 0)


def sparse_chain() -> bytes:
    """A tar whose sparse file lists its holes without end."""
    start = bytearray(header("train/happy/1.png", 0, tarfile.GNUTYPE_SPARSE))
    start[482] = 1
    hole = b"00000000001\0" * 2
    return packed(
        (member("ballast.bin", BALLAST) + checked(bytes(start)), 1),
        ((hole * 21 + b"\1" + bytes(7)) * 2000, 200),
    )


def sparse_map() -> bytes:
    """The same in the newer way, with the list before the content."""
    pax = tarfile.TarInfo("train/happy/1.png")
    pax.size = 90 * MB
    pax.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "train/happy/1.png",
        "GNU.sparse.realsize": "1",
    }  # fmt: skip
    return packed((pax.tobuf(tarfile.PAX_FORMAT) + b"99999999\n", 1), (b"1\n" * MB, 45))


def long_names() -> bytes:
    name = header("././@LongLink", MB, tarfile.GNUTYPE_LONGNAME) + b"a" * MB
    one = name + header("short", 0)
    return packed((member("ballast.bin", BALLAST), 1), (one, 700), (END, 1))


def zipped(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


# What is tried, and what is said of it; '' where it is read.
SOURCES: dict[str, tuple[Callable[[], bytes], str]] = {
    "bomb.zip": (lambda: zip_directory([b"a.csv"], sizes=3 << 30), "expands to far more"),
    "cut.zip": (lambda: zipped("fer2013.csv", HEADER)[:60], "damaged"),
    "million.zip": (lambda: zip_directory(count=1_000_000), "more than 300\u2009000 files"),
    "many.zip": (lambda: zip_directory(count=650_000), "more than 300\u2009000 files"),
    "names.zip": (
        lambda: zip_directory([b"train/happy/%06d.png" % n for n in range(50_000)]),
        "damaged",
    ),
    "lzma.zip": (
        lambda: zipped("fer2013.csv", table(), zipfile.ZIP_LZMA),
        "compressed in an uncommon way",
    ),
    "nested.zip": (lambda: zipped("fer2013.zip", zipped("fer2013.csv", table())), "Unpack them"),
    "nested.tar.gz": (
        lambda: packed((member("fer2013.tar.gz", packed((HEADER, 1))) + END, 1)),
        "Unpack them",
    ),
    "large.tar.gz": (large_member, ""),
    "bomb.csv.gz": (
        lambda: packed((HEADER, 1), ((b" " * 60_000 + b"\n") * 17, 110)),
        "expands to far more",
    ),
    "line.csv": (lambda: HEADER + b'0,"' + b"1 " * 50 * MB, "longer than any row"),
    "field.csv.gz": (lambda: packed((HEADER + b'0,"', 1), (b"1\n" * MB, 45)), "longer than any"),
    "cells.csv.gz": (
        lambda: packed((HEADER + b'0,"', 1), (b'\n12","' * (MB // 6), 90)),
        "longer than any row",
    ),
    "empty rows.csv.gz": (
        lambda: packed((HEADER, 1), (b",,\n" * (MB // 3), 95)),
        "more than a million rows are empty",
    ),
    "labels.csv": (
        lambda: HEADER + b"".join(b"a%d,,\n" % n for n in range(4_000_000)),
        "are not among the seven",
    ),
    "long name.tar.gz": (
        lambda: packed(
            (member("ballast.bin", BALLAST), 1),
            (header("././@LongLink", 700 * MB, tarfile.GNUTYPE_LONGNAME), 1),
            (b"a" * MB, 700),
        ),
        "expands to far more",
    ),
    "long names.tar.gz": (long_names, "very long names"),
    "sparse chain.tar.gz": (sparse_chain, "expands to far more"),
    "sparse map.tar.gz": (sparse_map, "expands to far more"),
    "headers.tar.gz": (
        lambda: packed(
            (header("././@LongLink", 1, tarfile.GNUTYPE_LONGNAME) + b"a" + bytes(511), 3000)
        ),
        "damaged",
    ),
    "negative.tar": (
        lambda: (
            checked(header(PNG, 0)[:124] + b"\xff" * 10 + bytes(2) + header(PNG, 0)[136:]) + END
        ),
        "damaged",
    ),
    "blank.csv.gz": (
        lambda: packed((HEADER, 1), (b"\n" * MB, 90)),
        "more than a million rows are empty",
    ),
    "short.tar": (lambda: header("fer2013.csv", 1 << 60) + HEADER, "expands to far more"),
}

_READS_EACH = """
import json, sys
from pathlib import Path
from fercore import data
from fercore.errors import FerError

def megabytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6

found = {}
for path in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")
    try:
        said = f"{len(data.load(path))} faces"
    except FerError as error:
        said = str(error)
    except Exception as error:
        said = f"Traceback: {error!r}"
    found[path.name] = megabytes(), said
print(json.dumps(found))
"""


def test_no_archive_and_no_table_costs_more_than_600_megabytes(tmp_path):
    for name, (content, _) in SOURCES.items():
        (tmp_path / name).write_bytes(content())
    command = [sys.executable, "-c", _READS_EACH, *map(str, tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    found = json.loads(done.stdout)
    assert {name: peak for name, (peak, _) in found.items() if peak > LIMIT} == {}
    for name, (_, expected) in SOURCES.items():
        assert (expected or f"{len(FACES)} faces") in found[name][1], name
        assert len(found[name][1]) < 1500


_ROWS = 15_000
_READS_WITHIN = f"""
import resource, sys
from pathlib import Path
from fercore import data
lines = Path("/proc/self/status").read_text().splitlines()
held = next(int(line.split()[1]) for line in lines if line.startswith("VmData")) * 1024
more = held + ({_ROWS} * 48 * 48 * 9) // 10
resource.setrlimit(resource.RLIMIT_DATA, (more, more))
print(len(data.load(sys.argv[1])))
"""


def test_memory_does_not_grow_with_the_rows_of_a_table(tmp_path):
    """Less than its images alone take, had with the operating system's own limit."""
    row = b"3," + b"7 " * 2304 + b",Training\n"
    path = tmp_path / "rows.tar.gz"
    content = HEADER + row * _ROWS
    path.write_bytes(
        gzip.compress(member("ballast.bin", BALLAST) + member("fer2013.csv", content) + END, 1)
    )
    command = [sys.executable, "-c", _READS_WITHIN, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == f"{_ROWS}\n", done.stderr
