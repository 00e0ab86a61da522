"""A command of fercore's as a process that outlives the one that began it."""

import os
import subprocess
import sys
from typing import IO

from fercore.places import environment

FERCORE = (sys.executable, "-P", "-m", "fercore")  # and no other that lies where one stands
_NICENESS = 10


def spawned(arguments: list[str], log: IO[str], *, low_priority: bool = False) -> None:
    """Begin `fercore` with `arguments`, in a session of its own, what it prints going to `log`."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS if low_priority else 0
    process = subprocess.Popen(
        [*FERCORE, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment(),
        start_new_session=True,
        creationflags=flags,
    )
    if low_priority and hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
