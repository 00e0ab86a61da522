"""Ctrl-C as a request, so that long work ends where it can go on."""

import signal


def stop_on_signal() -> list[int]:
    """A list that is empty until Ctrl-C or a termination request."""
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received_number, _frame: received.append(received_number))
    return received
