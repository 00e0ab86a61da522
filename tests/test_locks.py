"""Locks that are asked for without being taken, by threads and by processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from fercore import jobs
from fercore.errors import Busy
from fercore.jobs.locks import held, is_held
from fercore.jobs.request import Request, prepare
from fercore.jobs.status import LOCK, StatusFile
from fercore.jobs.turns import _ahead, turn
from fercore.runs.folders import local_folder
from fercore.training.recipes import find_recipe

ASKERS, QUESTIONS = 8, 1000
HOLDER = """
import sys, time
from pathlib import Path
from fercore.jobs.locks import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def processes():
    fresh = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(ASKERS // 2, fresh) as pool:
        yield pool


@pytest.fixture
def asked_at_once(processes, lock):
    """What askers hear, half of them threads of this process and half processes of their own."""

    def ask() -> set[bool]:
        half = ASKERS // 2
        with ThreadPoolExecutor(half) as threads:
            asked = [p.submit(answers, lock) for p in (threads, processes) for _ in range(half)]
            heard = [answer for future in asked for answer in future.result()]
        assert len(heard) == ASKERS * QUESTIONS
        return set(heard)

    return ask


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "lock"


@pytest.fixture
def holder(lock):
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def answers(lock) -> list[bool]:
    return [is_held(lock) for _ in range(QUESTIONS)]


def test_askers_do_not_mislead_each_other(lock, holder, asked_at_once):
    assert asked_at_once() == {True}
    holder.kill()
    holder.wait()
    assert not is_held(lock), "a killed process is gone at once"
    assert asked_at_once() == {False}


def test_a_holder_is_known_in_its_own_process_too(lock, asked_at_once):
    with held(lock):
        assert asked_at_once() == {True}
        with pytest.raises(Busy, match="at it already"), held(lock):
            pass
        assert is_held(lock)
    assert asked_at_once() == {False}


def test_who_asks_never_hinders_who_begins(lock):
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            is_held(lock)

    with ThreadPoolExecutor(ASKERS) as threads:
        for _ in range(ASKERS):
            threads.submit(ask)
        try:
            for _ in range(200):
                with held(lock):
                    assert is_held(lock)
        finally:
            stop.set()


def test_asking_leaves_nothing_behind(tmp_path, lock):
    assert not is_held(lock)
    assert list(tmp_path.iterdir()) == []


def test_a_training_is_running_for_each_of_many_who_ask():
    prepare(Request("asked", "cnn", find_recipe("quick"), data="synthetic"))
    folder = local_folder("asked")
    StatusFile(folder).write("running", "training")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder / LOCK], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with ThreadPoolExecutor(ASKERS) as threads:
            asked = threads.map(lambda _: jobs.find_job("asked").state, range(200))
            assert set(asked) == {"running"}
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert jobs.find_job("asked").state == "lost"


def test_a_ticket_lives_for_each_who_waits_behind_it(tmp_path, monkeypatch):
    monkeypatch.setattr("fercore.jobs.turns._YOUNG_SECONDS", 0.0)
    with turn(), ThreadPoolExecutor(ASKERS) as threads:
        mine = tmp_path / "cache" / "queue" / f"{time.time_ns():020d}-0"
        assert set(threads.map(lambda _: _ahead(mine), range(200))) == {1}
