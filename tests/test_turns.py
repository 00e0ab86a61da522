"""Runs of the script take turns, and long ones hold nobody up."""

import ast
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from dashboard.base import turns
from dashboard.base.turns import AT_A_TIME, in_turn, out_of_turn
from tests.conftest import ROOT

WAIT = 60  # seconds for what never takes so long


def free() -> int:
    """How many of the turns nobody has."""
    return turns._TURNS._value


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
    assert free() == AT_A_TIME


def test_long_work_leaves_its_turn_to_others_and_takes_one_again(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", WAIT)
    at_work, again = (threading.Barrier(AT_A_TIME + 1) for _ in range(2))
    done, drawn = threading.Event(), threading.Event()

    def long() -> None:
        with in_turn():
            with out_of_turn():
                at_work.wait(WAIT)
                assert done.wait(WAIT)
            again.wait(WAIT)
            assert drawn.wait(WAIT)

    with ThreadPoolExecutor(AT_A_TIME) as visitors:
        busy = [visitors.submit(long) for _ in range(AT_A_TIME)]
        at_work.wait(WAIT)
        with in_turn():  # at once, though as many as may run are at work
            assert free() == AT_A_TIME - 1
        done.set()
        again.wait(WAIT)
        assert free() == 0
        drawn.set()
        for each in busy:
            each.result(WAIT)
    assert free() == AT_A_TIME


def test_long_work_that_fails_goes_on_without_a_turn():
    @out_of_turn()
    def fails() -> None:
        raise KeyError

    with in_turn():
        with pytest.raises(KeyError):
            fails()
        assert free() == AT_A_TIME
        with out_of_turn():  # nothing to give back
            assert free() == AT_A_TIME
        assert free() == AT_A_TIME
    assert free() == AT_A_TIME


def test_a_cached_answer_is_made_out_of_turn_and_read_in_turn():
    @st.cache_data
    @out_of_turn()
    def made(number: int) -> tuple[int, int]:
        return number, free()

    with in_turn():
        assert made(1) == made(1) == (1, AT_A_TIME)
        assert made(2) == (2, AT_A_TIME)
        assert free() == AT_A_TIME - 1


def test_what_is_waited_for_by_a_spinner_is_made_out_of_turn():
    made = {
        f"{path.name}: {node.name}": {ast.unparse(each) for each in node.decorator_list}
        for path in (ROOT / "dashboard").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any("show_spinner='" in ast.unparse(each) for each in node.decorator_list)
    }
    assert made
    assert not [name for name, over in made.items() if "out_of_turn()" not in over]
