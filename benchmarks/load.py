"""How many people the dashboard serves: sessions over Streamlit's own websocket, without browsers.

Starts `streamlit run dashboard/app.py`, opens sessions that walk through all pages in orders of
their own with a second's thought between, and measures each switch from the request to the end of
the script. 'Cold' is a server that has just started and whose pages nobody has opened; what is kept
on disk stays. Dataset and votes are those that the environment names (`FERCORE_DATA`).

    python benchmarks/load.py                      # one session, twenty, twenty on a cold server
    python benchmarks/load.py --switches 2000      # one session without thought: is memory flat?
    python benchmarks/load.py --pages              # one session: the median of each page

The sessions share the machine with the server; their own processor time is printed as well.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from fercore.jobs.hardware import describe_hardware

ROOT = Path(__file__).parents[1]
SEED, PAGES = 0, len(list(ROOT.glob("pages/*.py")))
_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


@dataclass
class Server:
    port: int
    pid: int

    @property
    def cpu_seconds(self) -> float:
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / _TICKS

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 2**20


@contextmanager
def server() -> Iterator[Server]:
    """A freshly started one, ended afterwards."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
    options = ["--server.headless=true", f"--server.port={port}"]
    process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait()


@dataclass
class Visitor:
    """One session: what it waited for, in seconds by page, and what went wrong."""

    connection: ClientConnection
    pages: dict[str, str] = field(default_factory=dict)  # title → the page's hash
    waits: list[tuple[str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    received: int = 0  # bytes

    async def open(self, title: str = "") -> None:
        """Ask for a page, the first one without a title, and wait for its script to end."""
        request = BackMsg()
        request.rerun_script.query_string = ""
        request.rerun_script.page_script_hash = self.pages.get(title, "")
        asked = time.perf_counter()
        await self.connection.send(request.SerializeToString())
        while not self._ends(await self.connection.recv(decode=False)):
            pass
        self.waits.append((title, time.perf_counter() - asked))

    def _ends(self, data: bytes) -> bool:
        self.received += len(data)
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.pages = {p.page_name: p.page_script_hash for p in message.navigation.app_pages}
        if kind == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message)
            if element.WhichOneof("type") == "alert" and element.alert.format == 1:
                self.errors.append(element.alert.body)
        return kind == "script_finished" and message.script_finished == 0


async def visit(
    port: int,
    rounds: int,
    thought: float,
    seed: int,
    on_round: Callable[[], object] = lambda: None,
    on_page: Callable[[str], object] = lambda title: None,
) -> Visitor:
    """One session through all pages, `rounds` times, each round in another order."""
    order = random.Random(seed)
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    async with connect(
        address,
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        compression=None,
        ping_timeout=None,
    ) as connection:
        visitor = Visitor(connection)
        await visitor.open()
        for _ in range(rounds):
            for title in order.sample(sorted(visitor.pages), len(visitor.pages)):
                await asyncio.sleep(thought * order.uniform(0.5, 1.5))
                await visitor.open(title)
                on_page(title)
            on_round()
    return visitor


def measure(at: Server, sessions: int, rounds: int, thought: float) -> dict:
    """All sessions at once. Times in seconds."""

    async def all_visits() -> list[Visitor]:
        visits = (visit(at.port, rounds, thought, SEED + k) for k in range(sessions))
        return await asyncio.gather(*visits)

    began, server_cpu, own_cpu = time.perf_counter(), at.cpu_seconds, time.process_time()
    visitors = asyncio.run(all_visits())
    waits = [wait for visitor in visitors for wait in visitor.waits]
    seconds = np.array([second for _, second in waits])
    slowest = sorted(waits, key=lambda wait: -wait[1])[:3]
    return {
        "sessions": sessions,
        "switches": len(seconds),
        "median_s": round(float(np.median(seconds)), 3),
        "p95_s": round(float(np.quantile(seconds, 0.95)), 3),
        "max_s": round(float(seconds.max()), 3),
        "slowest": ", ".join(f"{title or 'first'} {second:.1f} s" for title, second in slowest),
        "wall_s": round(time.perf_counter() - began, 1),
        "server_cpu_s": round(at.cpu_seconds - server_cpu, 1),
        "own_cpu_s": round(time.process_time() - own_cpu, 1),
        "kilobytes_a_switch": round(sum(v.received for v in visitors) / len(seconds) / 1024),
        "server_mb": round(at.megabytes),
        "errors": [error for visitor in visitors for error in visitor.errors],
    }


def memory(at: Server, switches: int) -> dict:
    """Resident megabytes after each round of one session without thought."""
    measured: list[int] = []
    rounds = -(-switches // PAGES)
    walk = visit(at.port, rounds, 0, SEED, on_round=lambda: measured.append(round(at.megabytes)))
    visitor = asyncio.run(walk)
    tenths = [measured[k * rounds // 10 - 1] for k in range(1, 11)]
    return {"switches": len(visitor.waits), "server_mb": tenths, "errors": visitor.errors}


def by_page(at: Server, rounds: int) -> dict:
    """One warm session without thought: by page, the median wait and the server's processor time,
    which other programs on the machine do not lengthen, both in seconds.
    """
    costs: dict[str, list[float]] = defaultdict(list)
    before = [at.cpu_seconds]

    def note(title: str) -> None:
        now = at.cpu_seconds
        costs[title].append(now - before[0])
        before[0] = now

    visitor = asyncio.run(visit(at.port, rounds, 0, SEED, on_page=note))
    waits: dict[str, list[float]] = defaultdict(list)
    for title, wait in visitor.waits:
        waits[title].append(wait)
    return {
        title: {
            "median_s": round(float(np.median(waits[title])), 3),
            "server_cpu_s": round(float(np.mean(costs[title])), 3),
        }
        for title in visitor.pages
    } | {"errors": visitor.errors}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sessions", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--thought", type=float, default=1.0, help="seconds, on average")
    arguments.add_argument("--switches", type=int, help="measure memory over so many instead")
    arguments.add_argument("--pages", action="store_true", help="measure each page instead")
    options = arguments.parse_args()
    with server() as warm:
        measure(warm, 1, 1, 0)
        if options.pages:
            result = by_page(warm, 10 * options.rounds)
        elif options.switches:
            result = memory(warm, options.switches)
        else:
            many = options.sessions, options.rounds, options.thought
            result = {
                "one, warm": measure(warm, 1, options.rounds, options.thought),
                "many, warm": measure(warm, *many),
            }
    if not (options.switches or options.pages):
        with server() as cold:
            result["many, cold"] = measure(cold, options.sessions, 1, options.thought)
    machine = describe_hardware("cpu", "fp32")
    print(json.dumps(result | {"machine": machine}, indent=2))


if __name__ == "__main__":
    main()
