"""Where the project's own files lie: the app, the shipped runs, the studies.

In a checkout they lie beside the package. A wheel carries them within it, in `project/`, where
nothing is ever written.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CARRIED = _PACKAGE / "project"
INSTALLED = _CARRIED.is_dir()  # from a wheel, that is, and not used from a checkout
PROJECT = _CARRIED if INSTALLED else _PACKAGE.parent  # holds dashboard/, pages/, artifacts/
APP = PROJECT / "dashboard" / "app.py"


def environment() -> dict[str, str]:
    """For a process that imports this very fercore and this very app, and no other that lies about.

    What lies in the folder that one starts from is not imported: it may be one of its own.
    """
    path = filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))
    return os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1"}
