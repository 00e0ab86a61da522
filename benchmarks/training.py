"""Images per second of the training loop: against one constant batch, fp32, the machine, Keras.

python benchmarks/training.py
python benchmarks/training.py --keras-python KERAS/bin/python

Keras (the extra `bench`) may live in an environment of its own, since it brings TensorFlow. All
train the same architecture on drawn noise of the recipe's size, one after the other in every round,
so that what disturbs the machine disturbs them alike. 'loop' is the real one, with shuffling,
augmentation, progress and checkpoints; 'constant' steps on one batch in memory; Keras's `fit` is
fed in its two usual ways, with the same augmentation. Ratios are medians over the rounds, with the
lowest and the highest.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch.nn.functional import cross_entropy

from fercore.jobs.hardware import describe_hardware
from fercore.models import build
from fercore.models.cost import count_parameters, flops_per_image
from fercore.models.precision import Precision, choose_precision
from fercore.training.estimate import images_per_second
from fercore.training.optimizer import optimizer
from fercore.training.recipes import Recipe, find_recipe

WORKER = Path(__file__).with_name("training_keras.py")
SECONDS = 4.0
MATRIX = 2048  # side of the product whose speed stands for the machine's limit
BACKWARD = 2  # passes that a backward pass counts as


def constant_batch(model: str, recipe: Recipe, precision: Precision) -> float:
    """Images per second of forward, backward and optimiser on one batch that is always there."""
    network = build(model, **recipe.model_arguments)
    # torch forgets this argument in its types.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.train()
    stepping = optimizer(network, recipe)
    images = torch.randint(0, 256, (recipe.batch_size, 1, *2 * (recipe.full_side,))).float()
    labels = torch.randint(0, 7, (recipe.batch_size,))

    def step() -> None:
        with precision.autocast():
            loss = cross_entropy(network(images), labels, label_smoothing=recipe.label_smoothing)
        network.zero_grad(set_to_none=True)
        loss.backward()
        stepping.step()

    return recipe.batch_size * per_second(step)


def matrix_flops(precision: Precision) -> float:
    """FLOP/s of a large matrix product."""
    one, other = torch.rand(2, MATRIX, MATRIX)

    def multiply() -> None:
        with precision.autocast():
            one @ other

    return 2 * MATRIX**3 * per_second(multiply)


def per_second(call) -> float:
    for _ in range(3):
        call()
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        call()
        count += 1
    return count / (time.perf_counter() - started)


def keras(python: str, model: str, recipe: Recipe, threads: int) -> dict[str, float]:
    """What Keras does with the same architecture, by the way it is fed."""
    question = json.dumps(
        {
            "parameters": count_parameters(build(model, **recipe.model_arguments)),
            "threads": threads,
            "recipe": recipe.to_json(),
        }
    )
    command = [python, str(WORKER)]
    answer = subprocess.run(command, input=question, capture_output=True, text=True)
    if answer.returncode:
        sys.exit(f"Keras did not run:\n{answer.stderr[-2000:]}")
    return json.loads(answer.stdout.splitlines()[-1])


def one_round(options: argparse.Namespace, recipe: Recipe) -> dict[str, float]:
    """Images per second of each, once; and the matrix product's FLOP/s."""
    found = {}
    for dtype in dict.fromkeys((choose_precision().dtype, "fp32")):
        precision = choose_precision(dtype)
        found[f"loop {dtype}"] = images_per_second("cnn", recipe, precision=dtype)
        found[f"constant {dtype}"] = constant_batch("cnn", recipe, precision)
        found[f"matrix {dtype}"] = matrix_flops(precision)
    if options.keras_python and "trunk" not in recipe.model_arguments:  # Keras has the VGG trunk
        found |= keras(options.keras_python, "cnn", recipe, torch.get_num_threads())
    return found


def ratio(rounds: list[dict[str, float]], one: str, other: str, factor: float = 1.0) -> dict:
    values = sorted(factor * found[one] / found[other] for found in rounds)
    return {"median": median(values), "from": values[0], "to": values[-1]}


def measured(options: argparse.Namespace, recipe: Recipe) -> dict[str, dict]:
    """A recipe's speeds, medians over the rounds, and their ratios."""
    rounds = [one_round(options, recipe) for _ in range(options.rounds)]
    best = choose_precision().dtype
    one_view = build("cnn", **recipe.model_arguments | {"views": 1})  # as in training
    work = (1 + BACKWARD) * flops_per_image(one_view)
    ratios = {
        "loop / constant batch": ratio(rounds, f"loop {best}", f"constant {best}"),
        "share of the machine's limit": ratio(rounds, f"loop {best}", f"matrix {best}", work),
    }
    if best != "fp32":
        ratios["bf16 / fp32"] = ratio(rounds, f"loop {best}", "loop fp32")
    for fed in [name for name in rounds[0] if name.startswith("keras")]:
        for dtype in dict.fromkeys((best, "fp32")):
            ratios[f"loop {dtype} / {fed}"] = ratio(rounds, f"loop {dtype}", fed)
    speeds = {name: median(found[name] for found in rounds) for name in rounds[0]}
    return {"per_second": speeds, "ratios": ratios}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--recipe", action="append", help="may be given again; default: paper")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--keras-python", help="a Python that has the extra `bench`")
    arguments.add_argument("--json", type=Path, help="also write the result here")
    options = arguments.parse_args()

    result = {name: measured(options, find_recipe(name)) for name in options.recipe or ["paper"]}
    for recipe, found in result.items():
        print(f"\nrecipe {recipe}")
        for name, speed in found["per_second"].items():
            scale, unit = (1e-9, "GFLOP/s") if name.startswith("matrix") else (1, "images/s")
            print(f"{name:40}{scale * speed:6.0f}  {unit}")
        for name, values in found["ratios"].items():
            print(f"{name:40}{values['median']:6.2f}  [{values['from']:.2f}, {values['to']:.2f}]")
    best = choose_precision().dtype
    result["machine"] = describe_hardware("cpu", best) | {"threads": torch.get_num_threads()}
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
