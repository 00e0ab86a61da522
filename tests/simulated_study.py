"""A study whose trainings are simulated: what each has right is drawn, by how good its head is."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from fercore.files import write_json
from fercore.runs.listing import read_run
from fercore.scoring.predictions import PROBABILITY_COLUMNS
from fercore.study.store import StudyStore
from fercore.study.thinning import stored_frame, thinned, write_compactly
from fercore.study.variants import Study
from tests.test_groups import drawn, level

FEWER = {20: 3, 8: 2, 6: 2, 3: 2, 2: 2}  # seeds, where the protocol has more


def smaller(study: Study) -> Study:
    """The same variants, with fewer seeds."""
    variants = tuple(replace(one, seeds=FEWER[one.seeds]) for one in study.variants)
    return replace(study, variants=variants)


def simulate(
    name: str,
    study: Study,
    accuracies: Mapping[str, float],
    like: Path,
    *,
    seed: int = 0,
    scored: bool = True,
    dataset: str = "FER2013",
) -> StudyStore:
    """All the study's trainings, in the store of that name.

    like: a run folder, whose facts they take. accuracies: of a variant, by its name; 0.6 where it
    is not named.
    """
    store, run, variants = StudyStore(name), read_run(like), study.variants
    frame = run.prediction_frame.drop(columns=PROBABILITY_COLUMNS)
    usage = frame["usage"].to_numpy()
    parts = {part: frame[usage == part].reset_index(drop=True) for part in np.unique(usage)}
    rng = np.random.default_rng(seed)
    levels = [level(accuracies.get(variant.name, 0.6)) for variant in variants]
    right = {
        part: drawn([variant.seeds for variant in variants], len(images), levels, rng)
        for part, images in parts.items()
    }
    store.folder.mkdir(parents=True)
    write_compactly(store.folder / "images.parquet", parts["PublicTest"])
    for place, variant in enumerate(variants):
        for number in range(variant.seeds):
            run_id = f"{variant.name}-s{study.first_seed + number}"
            _write_cell(store, run_id, variant, study.first_seed + number, run.info, dataset, like)
            labels = {part: images["label"].to_numpy() for part, images in parts.items()}
            answers = {
                part: thinned(_probs(labels[part], right[part][place][number])) for part in parts
            }
            cell = store.folder / "cells" / run_id
            write_compactly(cell / "probs.parquet", stored_frame(answers["PublicTest"]))
            if scored:
                store.begin_scoring(run_id, commit="abc")
                store.add_scores(run_id, parts["PrivateTest"], answers["PrivateTest"])
    store.write_table()
    return store


def _probs(labels, right):
    said = np.where(right, labels, (labels + 1) % 7)
    return (0.4 * np.eye(7)[said] + 0.6 / 7).astype(np.float32)


def _write_cell(store, run_id, variant, seed, info, dataset, like) -> None:
    cell = store.folder / "cells" / run_id
    cell.mkdir(parents=True)
    facts = {
        "run_id": run_id, "variant": variant.name, "model": variant.model, "seed": seed,
        "dataset": info["dataset"] | {"name": dataset}, "git_commit": "b4a159fc8216",
    }  # fmt: skip
    write_json(cell / "run.json", json.loads(json.dumps(dict(info))) | facts)
    (cell / "history.jsonl").write_bytes((like / "history.jsonl").read_bytes())
