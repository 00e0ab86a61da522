"""Which runs are seeds of one training: alike in all but the seed."""

import json
from typing import Any

from fercore.runs.artifacts import Run

_OF_THE_SEED = "drawn by the seed"
_OF_THE_IMAGES = ("name", "fingerprint", "class_names", "validation")


def training_of(run: Run) -> dict[str, Any]:
    """All that decides what a run is but its seed, as plain values; two seeds have the same.

    What the seed draws (an order of reading, the share that chooses the epoch) counts as alike.
    """
    info: dict[str, Any] = dict(run.home.info)
    arguments, dataset = dict(info["model_arguments"]), dict(info["dataset"])
    if arguments.get("order") == info["seed"]:
        arguments["order"] = _OF_THE_SEED
    if dataset.get("validation"):
        dataset["validation"] = {**dataset["validation"], "seed": _OF_THE_SEED}
    return {
        "model": info["model"],
        "model_arguments": arguments,
        "recipe": {key: value for key, value in run.recipe.to_json().items() if key != "summary"},
        "epochs_done": run.epochs_done,
        "dataset": {name: dataset.get(name) for name in _OF_THE_IMAGES},
        "start_from": info.get("start_from"),
        "pretrained": info.get("pretrained"),
        "teacher": info.get("teacher"),
        "verdicts": info.get("verdicts"),
        "labels": info.get("labels"),
    }


def training_key(run: Run) -> str:
    """The same for two seeds of one training, another for any two others."""
    return json.dumps(training_of(run), sort_keys=True)
