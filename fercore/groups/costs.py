"""What a run's model costs on this machine: measured in a process of its own, with nothing else.

`python -m fercore.groups.costs NAME` is that process.
"""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from fercore.errors import FerError, RunError
from fercore.groups.finding import find_group
from fercore.groups.group import Group
from fercore.places import environment
from fercore.scoring.statistics import Interval, Z

ROUNDS = 60  # single faces, after those that prepare memory and kernels
_WARM_UP = 5
_SECONDS = 120  # for a process to begin, load the model and answer
_STATUS = Path("/proc/self/status")
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Cost(NamedTuple):
    """milliseconds: of one face on one thread, the median, with an interval of it. size: of the
    model's file, in bytes. memory: the most that its process held, in bytes; None on Windows.
    """

    milliseconds: float
    interval: Interval
    size: int
    memory: int | None


def measured_cost(group: Group) -> Cost:
    """The cost of a group's model, of the seed that stands for it. Takes seconds.

    Raises `RunError` where it has no weights here, or could not be measured.
    """
    size = group.run.model_file().stat().st_size
    command = [sys.executable, "-P", "-m", "fercore.groups.costs", group.run.run_id]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS,
            stdin=subprocess.DEVNULL, env=environment() | _ONE_THREAD,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise RunError(
            f"{group.run.run_id} did not answer within {_SECONDS} seconds: this machine is too "
            "busy to measure on. Try again when it is not."
        ) from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["its process ended."]
        raise RunError(f"{group.run.run_id} could not be measured: {said[-1]}")
    found = json.loads(done.stdout)
    times = found["milliseconds"]
    return Cost(float(times[len(times) // 2]), median_interval(times), size, found["memory"])


def median_interval(values: list[float]) -> Interval:
    """Of the median of sorted values: between two of them, by the binomial distribution of how
    many lie below it (David & Nagaraja, 2003, 7.1), nearly normal.
    """
    n = len(values)
    reach = Z * math.sqrt(n) / 2
    low, high = math.floor(n / 2 - reach), math.ceil(n / 2 + reach)
    return Interval(values[max(0, low)], values[min(n - 1, high)])


def main(name: str) -> None:
    """Print the times, sorted, and the memory, as JSON."""
    import numpy as np
    import torch

    from fercore.labels import SIZE
    from fercore.predict.predictor import Predictor

    torch.set_num_threads(1)
    predictor = Predictor.from_run(find_group(name).run)
    face = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE), np.uint8)
    times = []
    for _ in range(_WARM_UP + ROUNDS):
        begun = time.perf_counter()
        predictor.probs(face)
        times.append(round(1000 * (time.perf_counter() - begun), 4))
    print(json.dumps({"milliseconds": sorted(times[_WARM_UP:]), "memory": _most_memory()}))


def _most_memory() -> int | None:
    if _STATUS.exists():  # Linux: getrusage would give what its parent held, were that more
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 2**10
    if os.name == "nt":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except FerError as problem:
        sys.exit(str(problem))
