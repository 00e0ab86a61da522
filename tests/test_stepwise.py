"""Work that goes on from run to run of a page, in real threads: one step at a time, closed once."""

import threading
from collections.abc import Generator, Iterator

import pytest

from dashboard.base.stepwise import Stepwise

PATIENCE = 60  # seconds a thread may take on a busy machine


class Slow:
    """A generator whose second step lasts until it is told to end."""

    def __init__(self) -> None:
        self.within, self.go_on = threading.Event(), threading.Event()
        self.let_go = False
        self.steps = self._steps()
        self.work = Stepwise(self.steps.close)
        self.made: list[int] = []

    def _steps(self) -> Generator[int]:
        try:
            yield 1
            self.within.set()
            assert self.go_on.wait(PATIENCE)
            yield 2
            yield 3
        finally:
            self.let_go = True

    def advance(self) -> None:
        with self.work.step() as there_is_one:
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
    work.work.close()  # a generator that is at work cannot be closed
    assert thread.is_alive()
    assert not work.let_go
    work.go_on.set()
    thread.join(PATIENCE)
    assert work.let_go
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
    assert not work.let_go


def test_after_its_end_there_is_no_step():
    work = Slow()
    work.go_on.set()
    for _ in range(3):
        work.advance()
    with pytest.raises(StopIteration):
        work.advance()
    work.advance()
    assert work.made == [1, 2, 3]
