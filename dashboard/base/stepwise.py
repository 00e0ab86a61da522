"""Work of a session that goes on, step by step, from one run of a page to the next."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stepwise:
    """One step at a time, by whichever thread comes.

    A click begins the page's next run in a thread of its own, while the one before may still be
    within a step. let_go: what ends the work early; called once no step is being made, it may be
    called again.
    """

    def __init__(self, let_go: Callable[[], None]) -> None:
        self.closed = False
        self._let_go, self._lock = let_go, threading.Lock()

    @contextmanager
    def step(self) -> Iterator[bool]:
        """Whether there may be another step. After an error, there is none."""
        try:
            with self._lock:
                yield not self.closed
        except BaseException:
            self.closed = True
            raise
        finally:
            if self.closed:
                self.close()

    def close(self) -> None:
        """No more steps. Nobody waits: who is within one lets go."""
        self.closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._lock.release()
