"""What a model costs alone: one face on one thread, many on two, and the memory it takes.

python benchmarks/inference.py --run cnn
"""

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from fercore.hardware import describe_hardware
from fercore.predictor import Predictor

ROUNDS = {1: 300, 256: 30}  # by number of faces
MIB = 2**20 if sys.platform == "darwin" else 2**10  # what ru_maxrss counts in


def times_ms(call: Callable[[], object], rounds: int) -> dict[str, float]:
    """Median, and the fastest: what the median comes to where nothing else runs."""
    times = []
    for _ in range(rounds + 3):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    times = times[3:]  # without the warm-up
    return {"median_ms": round(statistics.median(times), 2), "fastest_ms": round(min(times), 2)}


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--run", default="cnn")
    options = arguments.parse_args()

    memory = {"before": round(peak_mib(), 1)}
    predictor = Predictor.from_run(options.run)
    faces = np.random.default_rng(0).integers(0, 256, (256, 48, 48), dtype=np.uint8)
    result = {"run": predictor.run_id, "memory_mib": memory}
    for threads, count in ((1, 1), (2, 256)):
        torch.set_num_threads(threads)
        batch = faces[:count]
        name = f"faces_{count}_threads_{threads}"
        result[name] = times_ms(lambda batch=batch: predictor.probs(batch), ROUNDS[count])
        memory[f"peak_with_{count}"] = round(peak_mib(), 1)
    print(json.dumps(result | {"machine": describe_hardware("cpu", "fp32")}, indent=2))


if __name__ == "__main__":
    main()
