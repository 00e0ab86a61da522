"""Few runs of the script at a time, for all visitors of this process.

Twenty at once hinder each other: they hand around Python's lock, and Streamlit's on its settings,
at every element, so that all of them take longer than one after the other. A run that takes long
holds nobody up: who has waited a while goes on beside it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_A_TIME = 2
PATIENCE = 1.0  # seconds
_TURNS = threading.BoundedSemaphore(AT_A_TIME)


@contextmanager
def in_turn() -> Iterator[None]:
    """Over a run of the script: it begins when one of the turns is free, or after `PATIENCE`."""
    had = _TURNS.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if had:
            _TURNS.release()
