"""Damage to run folders, as disks, editors and other programs do it; the same each time."""

import copy
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

DEEP = "[" * 100_000
ODD = [None, -1, 5, 1e999, float("nan"), True, "z", "\ud800", [], {}, [None], {"a": 1}, 10**30]


class Case(NamedTuple):
    """A copy of a run by that name, what is done to it, and the file that it hurts."""

    name: str
    hurt: str
    damage: Callable[[Path], None]


def damaged_runs() -> Iterator[Case]:
    """Every case; the names tell what was done, as far as a folder's name can."""
    cases = [*_contents(), *_odd_values(), *_tables(), *_histories(), *_metrics(), *_weights()]
    for number, (hurt, damage) in enumerate(cases):
        yield Case(f"damaged-{number:03}", hurt, damage)


def make(case: Case, whole: Path) -> Path:
    """A copy of the run in `whole`, damaged, beside it. What is not hurt is the same file."""
    folder = whole.with_name(case.name)
    folder.mkdir()
    for path in whole.iterdir():
        if path.name == case.hurt:
            shutil.copyfile(path, folder / path.name)
        elif path.name != "run.json":
            os.link(path, folder / path.name)
    info = json.loads((whole / "run.json").read_text()) | {"run_id": case.name}
    (folder / "run.json").write_text(json.dumps(info))
    case.damage(folder / case.hurt)
    return folder


def _contents() -> Iterator[tuple[str, Callable]]:
    """Any file, as no reader expects it."""
    for name in ("run.json", "predictions.parquet", "history.jsonl", "weights.safetensors"):
        for content in (b"", b"[]", b"null", b"{", b"\xff\xfe\x00", DEEP.encode(), b'{"a": 1}'):
            yield name, lambda path, content=content: path.write_bytes(content)
        yield name, lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        yield name, lambda path: (path.unlink(), path.mkdir())
        yield name, lambda path: (path.unlink(), path.symlink_to("nowhere"))
        if name != "run.json":  # without it the folder holds no run
            yield name, Path.unlink


def _odd_values() -> Iterator[tuple[str, Callable]]:
    """Each key of run.json that is read, missing and with each odd value."""
    keys = [
        "schema", "run_id", "classes", "model", "model_arguments", "recipe", "seed", "created",
        "dataset", "best_epoch", "selected_on", "parameters", "flops_per_image", "seconds",
        "hardware", "files", "members", "start_from", "dataset.name", "dataset.fingerprint",
        "dataset.counts", "dataset.counts.Training", "hardware.processor", "hardware.threads",
        "hardware.precision", "recipe.name", "recipe.epochs", "recipe.augmentation",
    ]  # fmt: skip
    for key in keys:
        yield "run.json", changing(key)
        for value in ODD:
            yield "run.json", changing(key, value)


def changing(key: str, *value: Any) -> Callable[[Path], None]:
    """Give a key, with dots between, a value; without one, take it away."""
    *outer, last = key.split(".")

    def damage(path: Path) -> None:
        info = json.loads(path.read_text())
        place = info
        for name in outer:
            place = place[name]
        place.pop(last, None)
        if value:
            place[last] = copy.deepcopy(value[0])
        path.write_text(json.dumps(info))

    return damage


def _tables() -> Iterator[tuple[str, Callable]]:
    changes: list[Callable[[pd.DataFrame], pd.DataFrame]] = [
        *(lambda table, name=name: table.drop(columns=name) for name in ("usage", "row", "label")),
        *(
            lambda table, name=name: table.drop(columns=name)
            for name in ("pixels", "copy", "p_sad")
        ),
        lambda table: table.assign(p_angry="much"),
        lambda table: table.assign(label=9),
        lambda table: table.assign(label=-1),
        lambda table: table.assign(label=0.5),
        lambda table: table.assign(usage="Nowhere"),
        lambda table: table.assign(usage=None),
        lambda table: table.assign(p_angry=float("nan")),
        lambda table: table.assign(p_angry=-0.5),
        lambda table: table.assign(p_angry=2.0),
        lambda table: table.assign(p_angry=float("inf")),
        lambda table: table.assign(row="one"),
        lambda table: table.assign(row=0),
        lambda table: table.assign(copy="no"),
        lambda table: table.assign(pixels="#"),
        lambda table: pd.concat([table, table]),
        lambda table: table.head(0),
    ]
    for change in changes:
        yield (
            "predictions.parquet",
            lambda path, change=change: change(pd.read_parquet(path)).to_parquet(path),
        )


def _histories() -> Iterator[tuple[str, Callable]]:
    def changed(**values: Any) -> Callable[[Path], None]:
        def damage(path: Path) -> None:
            lines = [json.loads(line) | values for line in path.read_text().splitlines()]
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))

        return damage

    yield "history.jsonl", lambda path: path.write_text(path.read_text()[:-30])
    yield "history.jsonl", lambda path: path.write_text(path.read_text() * 2)
    for values in ({"epoch": 0}, {"epoch": None}, {"train_loss": "x"}, {"val_accuracy": 7}):
        yield "history.jsonl", changed(**values)


def _metrics() -> Iterator[tuple[str, Callable]]:
    for content in ("", "[]", "null", "{", DEEP, "{}", '{"private": 5}', '{"public": {}}'):
        yield "metrics.json", lambda path, content=content: path.write_text(content)
    for value in (None, 7, "x"):
        yield "metrics.json", changing("private.accuracy", value)
        yield "metrics.json", changing("private.per_class", value)
    yield "metrics.json", Path.unlink


def _weights() -> Iterator[tuple[str, Callable]]:
    def changed(change: Callable[[dict], dict]) -> Callable[[Path], None]:
        def damage(path: Path) -> None:
            from safetensors.torch import load_file, save_file

            save_file(change(load_file(path)), path)

        return damage

    def first(weights: dict) -> str:
        return min(name for name, value in weights.items() if value.is_floating_point())

    for change in (
        lambda weights: {f"other.{name}": value for name, value in weights.items()},
        lambda weights: {name: weights[name] for name in list(weights)[1:]},
        lambda weights: weights | {"more": weights[first(weights)].clone()},
        lambda weights: weights | {first(weights): weights[first(weights)].flatten()[:0].clone()},
        lambda weights: weights | {first(weights): weights[first(weights)] * float("nan")},
    ):
        yield "weights.safetensors", changed(change)
