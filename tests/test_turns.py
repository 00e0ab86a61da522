"""Runs of the script take turns, and long ones hold nobody up."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dashboard.base import turns
from dashboard.base.turns import AT_A_TIME, in_turn

WAIT = 60  # seconds for what never takes so long


def test_only_so_many_run_at_once(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", WAIT)
    lock, running, most = threading.Lock(), 0, []
    together = threading.Barrier(AT_A_TIME)

    def run(_: int) -> None:
        nonlocal running
        with in_turn():
            with lock:
                running += 1
                most.append(running)
            together.wait(WAIT)  # as many as may run do run at once
            with lock:
                running -= 1

    with ThreadPoolExecutor(8) as visitors:
        list(visitors.map(run, range(4 * AT_A_TIME)))
    assert max(most) == AT_A_TIME


def test_whoever_waits_long_goes_on_beside_the_others(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    done = threading.Event()
    with ThreadPoolExecutor(AT_A_TIME) as others:
        barrier = threading.Barrier(AT_A_TIME + 1)

        def long() -> None:
            with in_turn():
                barrier.wait(WAIT)
                assert done.wait(WAIT)

        busy = [others.submit(long) for _ in range(AT_A_TIME)]
        barrier.wait(WAIT)
        with in_turn():
            done.set()
        for each in busy:
            each.result(WAIT)


def test_a_turn_comes_back_after_an_error(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    for _ in range(2 * AT_A_TIME):
        with pytest.raises(KeyError), in_turn():
            raise KeyError
    assert turns._TURNS._value == AT_A_TIME
