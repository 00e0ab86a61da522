"""The few choices that outlive a session, in the platform's configuration folder.

`FERCORE_CONFIG` moves the folder.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import platformdirs

from fercore.errors import DataError
from fercore.files import read_json, write_json
from fercore.shapes import misfit, optional, text


def settings_path() -> Path:
    folder = os.environ.get("FERCORE_CONFIG") or platformdirs.user_config_dir("fercore")
    return Path(folder) / "settings.json"


def chosen_data() -> str | None:
    """The dataset chosen in the dashboard or by `fercore data use`, if any: a path, or a word.

    Raises `DataError` where the settings are damaged.
    """
    return _read().get("data")


def chosen_class_names(source: Path) -> str:
    """What the class names of `source` stand for, where it is the one that was chosen."""
    with suppress(DataError):  # then none is known to be chosen
        chosen = _read()
        if chosen.get("data") == str(source.resolve()):
            return chosen.get("class_names") or ""
    return ""


def choose_data(source: Path | str, class_names: str = "") -> None:
    """Remember `source`, a path or a word for one, and its class names, as the dataset to use.

    Raises `DataError` where that cannot be written.
    """
    path = settings_path()
    data = str(source.resolve()) if isinstance(source, Path) else source
    with _kept(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"data": data, "class_names": class_names})


def forget_data() -> None:
    """Choose no dataset: it is looked for as if none had ever been chosen. Raises `DataError`."""
    with _kept(settings_path()), suppress(FileNotFoundError, NotADirectoryError):
        settings_path().unlink()


def _read() -> dict[str, Any]:
    path = settings_path()
    if not path.exists():
        return {}
    try:
        settings: dict[str, Any] = read_json(path)
        problem = misfit(settings, {"data?": optional(text), "class_names?": optional(text)})
    except (OSError, ValueError) as error:
        raise _damaged(path, "it cannot be read") from error
    if problem:
        raise _damaged(path, problem)
    return settings


def _damaged(path: Path, problem: str) -> DataError:
    return DataError(
        f"{path}: {problem}, so which dataset was chosen is not known. Choose it again, in the "
        "sidebar under Data or with 'fercore data use', or delete that file."
    )


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path.parent}: the choice cannot be kept there ({error.strerror or error}). Make "
            "the folder writable, name another in FERCORE_CONFIG, or set FERCORE_DATA."
        ) from error
