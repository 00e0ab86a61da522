"""What a run's model costs alone: a face, 16 and 256 at a time, on one thread, and its memory.

python benchmarks/inference.py --run cnn-s0 --run cnn_lstm-s0

The runs take turns in every round, so that what disturbs the machine disturbs them alike. Each
run's peak memory is that of a process of its own that answers to 256 faces.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from fercore.errors import RunError
from fercore.jobs.hardware import describe_hardware
from fercore.predict.predictor import Predictor
from fercore.runs.listing import find_run

COUNTS = (1, 16, 256)  # faces at a time
SECONDS = 4.0  # of every run at every count, at the least
COLUMN = 27  # characters
MIB = 2**20 if sys.platform == "darwin" else 2**10  # what ru_maxrss counts in


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), dtype=np.uint8)


def latencies(predictors: dict[str, Predictor], count: int) -> dict[str, dict[str, float]]:
    """Milliseconds for `count` faces: median, and the fastest and slowest tenth's bounds."""
    faces = noise(count)
    times: dict[str, list[float]] = {name: [] for name in predictors}
    for predictor in predictors.values():
        predictor.probs(faces)  # prepares memory and kernels
    started = time.perf_counter()
    while time.perf_counter() - started < SECONDS * len(predictors):
        for name, predictor in predictors.items():
            before = time.perf_counter()
            predictor.probs(faces)
            times[name].append(1000 * (time.perf_counter() - before))
    return {
        name: dict(zip(("p10", "median", "p90"), np.percentile(values, (10, 50, 90)).round(3)))
        for name, values in times.items()
    }


def peak_mib(run: str) -> int:
    command = [sys.executable, __file__, "--run", run, "--peak"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--run", action="append", help="may be given again")
    arguments.add_argument("--json", type=Path, help="also write the result here")
    arguments.add_argument("--peak", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()

    runs = options.run or ["cnn-s0"]
    try:
        for run in runs:
            find_run(run).weights_file()
    except RunError as error:
        arguments.error(str(error))
    torch.set_num_threads(1)
    if options.peak:
        Predictor.from_run(runs[0]).probs(noise(max(COUNTS)))
        print(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB))
        return

    memory = {run: peak_mib(run) for run in runs}  # first: a process inherits its parent's peak
    predictors = {run: Predictor.from_run(run) for run in runs}
    found = {count: latencies(predictors, count) for count in COUNTS}
    titles = ["1 face, ms", *(f"{count} faces, ms" for count in COUNTS[1:]), "peak MiB"]
    width = max(map(len, runs)) + 2
    print(" " * width + "".join(f"{title:>{COLUMN}}" for title in titles))
    for run in runs:
        cells = [
            f"{times[run]['median']:.2f} [{times[run]['p10']:.2f}, {times[run]['p90']:.2f}]"
            for times in found.values()
        ]
        print(f"{run:{width}}" + "".join(f"{cell:>{COLUMN}}" for cell in [*cells, memory[run]]))
    machine = describe_hardware("cpu", "fp32")
    if options.json:
        result = {"milliseconds": found, "peak_mib": memory, "machine": machine}
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
