"""What was measured of a run, checked when read: its `metrics.json` and its `history.jsonl`."""

from typing import Any

import pandas as pd

from fercore.files import parse_json
from fercore.labels import CLASSES
from fercore.scoring.predictions import PARTS
from fercore.shapes import misfit, number, optional, share, text, whole

_BY_CLASS = {"precision": share, "recall": share, "f1": share}


def _interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and not misfit(value, [share])


def _classes(value: Any) -> bool:
    """A line per class, with figures where it has images."""
    if misfit(value, [{"class": text, "support": whole()}]):
        return False
    occurring = [line for line in value if line["support"]]
    return tuple(line["class"] for line in value) == CLASSES and not misfit(occurring, [_BY_CLASS])


_PART = {
    "n": whole(1),
    "accuracy": share,
    "accuracy_interval": _interval,
    "macro_f1": share,
    "macro_f1_interval": _interval,
    "weighted_f1": share,
    "macro_auc": optional(share),
    "per_class": _classes,
}


def checked_metrics(value: Any) -> dict[str, Any]:
    """The content of a `metrics.json`. Raises `ValueError`, saying what is odd."""
    problem = misfit(value, {f"{part}?": _PART for part in PARTS})
    if problem or not set(value) & {"private", "public"}:
        raise ValueError(problem or "it holds no part of the images")
    metrics: dict[str, Any] = value
    return metrics


def _loss(value: Any) -> bool:
    return type(value) in (int, float) and not value < 0  # of a training that diverged: no number


_EPOCH = {
    "epoch": whole(1),
    "train_loss": _loss,
    "train_accuracy": share,
    "val_loss": optional(_loss),
    "val_accuracy": optional(share),
    "learning_rate": number(0, 1e300),
    "seconds": number(),
    "images_per_second": number(),
}


def history_lines(content: str) -> list[dict[str, Any]]:
    """The lines of a `history.jsonl` that is being written, up to the first that is damaged."""
    lines = []
    for line in content.splitlines():
        try:
            record = parse_json(line)
        except ValueError:
            break
        if misfit(record, _EPOCH):
            break
        lines.append(record)
    return lines


def history_frame(content: str) -> pd.DataFrame:
    """The content of a `history.jsonl` as a table, a line per epoch.

    Raises `ValueError`, saying what is odd.
    """
    lines = [parse_json(line) for line in content.splitlines()]
    if problem := misfit(lines, [_EPOCH]):
        raise ValueError(problem)
    if not lines or [line["epoch"] for line in lines] != list(range(1, len(lines) + 1)):
        raise ValueError("its epochs do not follow each other from 1")
    floats = dict.fromkeys(set(_EPOCH) - {"epoch"}, float)
    return pd.DataFrame(lines, columns=list(_EPOCH)).astype(floats)
