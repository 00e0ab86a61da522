"""Work that goes on from run to run of a page, in real threads: one step at a time, closed once."""

import threading
from collections.abc import Generator, Iterator

import pytest

from dashboard.base.stepwise import Stepwise

PATIENCE = 60  # seconds a thread may take on a busy machine


class Slow(Stepwise):
    """A generator whose second step lasts until it is told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.within, self.go_on = threading.Event(), threading.Event()
        self.ended = False
        self.steps = self._steps()
        self.made: list[int] = []

    def _steps(self) -> Generator[int]:
        try:
            yield 1
            self.within.set()
            assert self.go_on.wait(PATIENCE)
            yield 2
            yield 3
        finally:
            self.ended = True

    def _let_go(self) -> None:
        self.steps.close()

    def advance(self) -> None:
        with self.one_step() as there_is_one:
            if there_is_one:
                self.made.append(next(self.steps))


@pytest.fixture
def slow() -> Iterator[tuple[Slow, threading.Thread]]:
    """The work, and a thread that is within its second step."""
    work = Slow()
    work.advance()
    thread = threading.Thread(target=work.advance)
    thread.start()
    assert work.within.wait(PATIENCE)
    yield work, thread
    work.go_on.set()
    thread.join(PATIENCE)


def test_who_cancels_does_not_wait_and_the_step_lets_go(slow):
    work, thread = slow
    work.close()  # a generator that is at work cannot be closed
    assert thread.is_alive()
    assert not work.ended
    work.go_on.set()
    thread.join(PATIENCE)
    assert work.ended
    work.advance()
    assert work.made == [1, 2]


def test_a_second_thread_waits_and_no_step_is_made_twice(slow):
    work, thread = slow
    other = threading.Thread(target=work.advance)
    other.start()
    work.go_on.set()
    for each in (thread, other):
        each.join(PATIENCE)
    assert work.made == [1, 2, 3]
    assert not work.ended


def test_an_error_that_passes_ends_nothing():
    work = Slow()

    def out_of_memory() -> None:
        with work.one_step():
            raise MemoryError

    with pytest.raises(MemoryError):
        out_of_memory()
    work.advance()
    assert work.made == [1]
