"""The few choices that outlive a session, in the platform's configuration folder.

`FERCORE_CONFIG` moves the folder.
"""

import os
from pathlib import Path

import platformdirs

from fercore.files import read_json, write_json


def settings_path() -> Path:
    folder = os.environ.get("FERCORE_CONFIG") or platformdirs.user_config_dir("fercore")
    return Path(folder) / "settings.json"


def chosen_data() -> Path | None:
    """The dataset chosen in the dashboard or by `fercore data use`, if any."""
    path = settings_path()
    source = read_json(path).get("data") if path.is_file() else None
    return Path(source) if source else None


def choose_data(source: Path) -> None:
    """Remember `source` as the dataset to use."""
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    write_json(settings_path(), {"data": str(source.resolve())})
