"""The few choices that outlive a session, in the platform's configuration folder.

`FERCORE_CONFIG` moves the folder.
"""

import os
from pathlib import Path
from typing import Any

import platformdirs

from fercore.files import read_json, write_json


def settings_path() -> Path:
    folder = os.environ.get("FERCORE_CONFIG") or platformdirs.user_config_dir("fercore")
    return Path(folder) / "settings.json"


def chosen_data() -> str | None:
    """The dataset chosen in the dashboard or by `fercore data use`, if any: a path, or a word."""
    return _read().get("data")


def chosen_class_names(source: Path) -> str:
    """What the class names of `source` stand for, where it is the one that was chosen."""
    chosen = _read()
    same = chosen.get("data") == str(source.resolve())
    return chosen.get("class_names", "") if same else ""


def choose_data(source: Path | str, class_names: str = "") -> None:
    """Remember `source`, a path or a word for one, and its class names, as the dataset to use."""
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    data = str(source.resolve()) if isinstance(source, Path) else source
    write_json(settings_path(), {"data": data, "class_names": class_names})


def forget_data() -> None:
    """Choose no dataset: it is looked for as if none had ever been chosen."""
    settings_path().unlink(missing_ok=True)


def _read() -> dict[str, Any]:
    path = settings_path()
    return read_json(path) if path.is_file() else {}
