"""How long until a model is better than the paper's 63.25 %: recipe `fast`, and the same in Keras.

python benchmarks/time_to_accuracy.py --keras-python KERAS/bin/python

Each of ours is `fercore train cnn --recipe fast` in a process of its own, timed from its start to
the written run, which has PrivateTest scored, once. Then the same architecture is trained in Keras
(the extra `bench`, in an environment of its own) as it usually is: whole images, Adam at 0.001,
batch 64, the rate halved on a plateau, the same augmentation; it is stopped at the first epoch
whose PublicTest accuracy is our runs' median, so that nothing is decided on PrivateTest.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

from fercore import data
from fercore.jobs.hardware import describe_hardware
from fercore.models import build
from fercore.models.cost import count_parameters
from fercore.models.precision import choose_precision
from fercore.study.references import PAPER
from fercore.training.recipes import find_recipe

WORKER = Path(__file__).with_name("training_keras.py")
LIMIT = 900.0  # seconds, after which Keras is stopped


def train(recipe: str, seed: int, artifacts: Path) -> dict[str, float]:
    """One training in a fresh process, from its start to the written run."""
    command = [sys.executable, "-m", "fercore", "train", "cnn", "--recipe", recipe, "--json"]
    command += ["--seed", str(seed), "--run-id", f"cnn-{recipe}-s{seed}"]
    environment = os.environ | {"FERCORE_ARTIFACTS": str(artifacts)}
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(done.stderr.strip())
    info = json.loads(done.stdout)
    scores = {part: found["accuracy"] for part, found in info["metrics"].items()}
    return {"seed": seed, "seconds": seconds, "training_seconds": info["seconds"]} | scores


def keras(python: str, recipe_name: str, feed: str, target: float) -> dict:
    """The epochs of Keras's training until its PublicTest accuracy is the target."""
    recipe, faces = find_recipe(recipe_name), data.load()
    training, public = faces.part("Training"), faces.part("PublicTest")
    question = {
        "parameters": count_parameters(build("cnn", **recipe.model_arguments)),
        "threads": torch.get_num_threads(),
        "recipe": recipe.to_json(),
        "feed": feed,
        "target": target,
        "limit": LIMIT,
    }
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "faces.npz"
        question["faces"] = str(images)
        np.savez(
            images,
            images=training.images,
            labels=training.labels,
            public_images=public.images,
            public_labels=public.labels,
        )
        done = subprocess.run(
            [python, str(WORKER)], input=json.dumps(question), stdout=subprocess.PIPE, text=True
        )
    if done.returncode:
        sys.exit("Keras did not run; what it said stands above.")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--recipe", default="fast")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--keras-python", help="a Python that has the extra `bench`")
    arguments.add_argument(
        "--feed", choices=["ImageDataGenerator", "tf.data"], default="ImageDataGenerator"
    )
    arguments.add_argument("--artifacts", type=Path, help="keep the runs in this folder")
    arguments.add_argument("--json", type=Path, help="also write the result here")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.artifacts or Path(scratch)
        runs = [train(options.recipe, seed, folder) for seed in range(options.seeds)]
    print(f"{'seed':>6}{'seconds':>10}{'of training':>14}{'PublicTest %':>15}{'PrivateTest %':>15}")
    for run in runs:
        print(
            f"{run['seed']:6}{run['seconds']:10.1f}{run['training_seconds']:14.1f}"
            f"{100 * run['public']:15.2f}{100 * run['private']:15.2f}"
        )
    middle = {key: median(run[key] for run in runs) for key in runs[0] if key != "seed"}
    print(
        f"median{middle['seconds']:10.1f}{middle['training_seconds']:14.1f}"
        f"{100 * middle['public']:15.2f}{100 * middle['private']:15.2f}"
    )
    above = sum(run["private"] > PAPER["CNN"] for run in runs)
    print(f"{above} of {len(runs)} above the paper's {100 * PAPER['CNN']:.2f} % on PrivateTest")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    result = {"recipe": options.recipe, "runs": runs, "median": middle, "peak_mib": round(peak)}
    if options.keras_python:
        found = keras(options.keras_python, options.recipe, options.feed, middle["public"])
        last = found["epochs"][-1]
        reached = last["public"] >= middle["public"]
        print(
            f"Keras, {options.feed}: {100 * last['public']:.2f} % on PublicTest after "
            f"{len(found['epochs'])} epochs and {last['seconds']:.0f} s"
            f"{'' if reached else ', not reached'}: {last['seconds'] / middle['seconds']:.1f} times"
        )
        result["keras"] = found | {"feed": options.feed, "reached": reached}
    result["machine"] = describe_hardware("cpu", choose_precision().dtype)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
