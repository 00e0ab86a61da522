"""Work of a session that goes on, step by step, from one run of a page to the next."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager


class Stepwise(ABC):
    """One step at a time, by whichever thread comes.

    A click begins the page's next run in a thread of its own, while the one before may still be
    within a step.
    """

    def __init__(self) -> None:
        self._closed, self._lock = False, threading.Lock()

    @contextmanager
    def one_step(self) -> Iterator[bool]:
        """Whether there may be another step: not once it is closed."""
        try:
            with self._lock:
                yield not self._closed
        finally:
            if self._closed:
                self.close()

    def close(self) -> None:
        """No more steps. Nobody waits: who is within one lets go."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._lock.release()

    @abstractmethod
    def _let_go(self) -> None:
        """End the work, of which no step is being made; maybe once more."""
