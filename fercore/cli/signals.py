"""Ctrl-C as a request, so that long work ends where it can go on."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fercore.training.records import Interrupted

INTERRUPTED = 130  # the exit status that shells give it


def stop_on_signal() -> list[int]:
    """A list that is empty until Ctrl-C or a termination request."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received_number, _frame: received.append(received_number))
    return received


@contextmanager
def ending_when_stopped(go_on: str) -> Iterator[None]:
    """Where what is done here is stopped, the command ends, and says how to go on."""
    try:
        yield
    except Interrupted as interruption:
        print(f"{interruption} {go_on}", file=sys.stderr)
        sys.exit(INTERRUPTED)
