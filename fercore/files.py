"""Files that are whole or not there: written beside, then renamed."""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercore.errors import FerError

if TYPE_CHECKING:
    import pandas as pd

_HEADER = b"fercore"  # in a Parquet schema's metadata
_PATIENCE, _PAUSE = 1.0, 0.02  # seconds a reader may hold a file, and from one try to the next


@contextmanager
def writing_to(
    folder: Path, undone: str, error: type[FerError], *, variable: str = ""
) -> Iterator[None]:
    """Over what writes in `folder`: raises `error`, with what to do, where the system refuses.

    undone: what has not happened then, "'first' keeps its name". variable: of the environment, that
    names another folder for what is new.
    """
    try:
        yield
    except OSError as refused:
        other = f", or set {variable} to another folder" if variable else ""
        raise error(
            f"{undone}: {refused.strerror or refused} in {folder}. Make that folder writable, with "
            f"room on its disk{other}."
        ) from refused


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`; on success it takes `path`'s place, on error it goes.

    Each caller gets another one, so that of two that write at once the last one stays, whole.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    """On Windows no file is replaced while another process reads it: then wait, briefly."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            temporary.replace(path)
            return
        except PermissionError:
            if time.monotonic() > deadline or not os.access(path.parent, os.W_OK):
                raise
        time.sleep(_PAUSE)


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder of the same name elsewhere; on success it becomes `folder`, whole.

    Of two at once the first one stays: raises `FileExistsError` where there is one by then.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as place:
        made = Path(place) / folder.name
        made.mkdir()
        yield made
        try:
            made.rename(folder)
        except OSError as error:
            # It may be there and gone again: what the system said counts.
            if error.errno in (errno.EEXIST, errno.ENOTEMPTY) or folder.exists():
                raise FileExistsError(f"{folder} is there already") from error
            raise


def remove_folder(folder: Path) -> None:
    """Delete a folder with all that is in it; broken off, it leaves no half of one in its place."""
    gone = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    folder.rename(gone)
    shutil.rmtree(gone)


def write_text(path: Path, text: str, error: type[FerError]) -> None:
    """A file that a person asked for, in a folder that is made where it is not there. Raises
    `error` where nothing can be written there.
    """
    with writing_to(path.parent.absolute(), f"{path} is not written", error):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def write_json_lines(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """One JSON object per line."""
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(record) + "\n" for record in records))


def write_parquet(path: Path, frame: pd.DataFrame, **options: Any) -> None:
    """A table without its index. `options` are those of `DataFrame.to_parquet`."""
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False, **options)


def write_headed(path: Path, frame: pd.DataFrame, header: dict[str, Any]) -> None:
    """A Parquet table without its index, with a header beside the schema; see `read_header`."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _HEADER: json.dumps(header).encode()}
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary)


def read_header(path: Path) -> Any:
    """The header of such a table; raises what Parquet's library does, `KeyError` or `ValueError`
    where it has none.
    """
    from pyarrow import parquet as pq

    return parse_json((pq.read_schema(path).metadata or {})[_HEADER].decode())


def read_json(path: Path) -> Any:
    """Raises `ValueError` where the file is no JSON in UTF-8, `OSError` where it cannot be read."""
    return parse_json(path.read_text(encoding="utf-8"))


def parse_json(content: str) -> Any:
    """Raises `ValueError` where it is no JSON."""
    try:
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def file_stamp(path: Path | str) -> str:
    """Another one whenever the file is another; '' where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return ""
    return f"{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}"


def safe_name(name: str) -> bool:
    """Whether `name` may become one path component: letters, digits, '.', '_', '-', at most 80."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name) is not None and ".." not in name
