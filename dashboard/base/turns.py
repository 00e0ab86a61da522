"""Few runs of the script at a time, for all visitors of this process.

Twenty at once hinder each other: they hand around Python's lock, and Streamlit's on its settings,
at every element, so that all of them take longer than one after the other. What takes long, a clip
or a model that is loaded, is done `out_of_turn`; where that is forgotten, who has waited a while
goes on beside it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

AT_A_TIME = 2
PATIENCE = 1.0  # seconds
_TURNS = threading.BoundedSemaphore(AT_A_TIME)
_MINE = threading.local()  # had: whether this thread's run has one of the turns


@contextmanager
def in_turn() -> Iterator[None]:
    """Over a run of the script: it begins when one of the turns is free, or after `PATIENCE`."""
    _take()
    try:
        yield
    finally:
        _give_back()


@contextmanager
def out_of_turn() -> Iterator[None]:
    """Over long work in it, or around a function that works long: another run has the turn
    meanwhile. What is interrupted or fails goes on without one, so that it ends soon.
    """
    had = _give_back()
    yield
    if had:
        _take()


def _take() -> None:
    _MINE.had = _TURNS.acquire(timeout=PATIENCE)


def _give_back() -> bool:
    """Whether there was one to give back."""
    had: bool = getattr(_MINE, "had", False)
    _MINE.had = False
    if had:
        _TURNS.release()
    return had
