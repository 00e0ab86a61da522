"""Each visitor is a thread of one process: together they get what each gets alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pandas as pd
from PIL import Image
from skimage.data import astronaut

from fercore.analysis.audit import _ranked_labels
from fercore.data.kept import kept
from fercore.faces import find_faces
from fercore.files import read_json, remove_folder, write_json
from fercore.scoring.predictions import Predictions

VISITORS = 8


def at_once(works: list[Callable[[], object]]) -> list:
    """What functions return that all begin at the same moment, each in a thread of its own."""
    begin = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        begin.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def test_photos_are_looked_at_at_once():
    photo = Image.fromarray(astronaut())
    photos = [photo.resize((side, side)) for side in (256, 300, 350, 400)]
    alone = [find_faces(one) for one in photos]
    assert all(found.boxes for found in alone)
    works = [lambda one=one: find_faces(one) for one in photos * 2]
    assert at_once(works) == alone * 2


def test_a_file_that_many_write_is_always_whole(tmp_path):
    path = tmp_path / "settings.json"
    write_json(path, [0] * 500)

    def write(visitor: int) -> None:
        for _ in range(40):
            write_json(path, [visitor] * 500)
            seen = read_json(path)
            assert seen == [seen[0]] * 500

    at_once([lambda visitor=visitor: write(visitor) for visitor in range(VISITORS)])
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_that_two_delete_is_gone(tmp_path):
    for attempt in range(20):
        folder = tmp_path / f"run-{attempt}"
        (folder / "deep").mkdir(parents=True)

        def delete(folder=folder) -> bool:
            try:
                remove_folder(folder)
            except FileNotFoundError:
                return False
            return True

        assert sorted(at_once([delete, delete])) == [False, True]
    assert list(tmp_path.iterdir()) == []


def test_labels_are_ranked_at_once():
    """cleanlab keeps its tables in variables of its module."""
    tables = [_predictions(seed, 300 + 10 * (seed // 2)) for seed in range(VISITORS)]
    alone = [_ranked_labels(table) for table in tables]
    works = [lambda table=table: [_ranked_labels(table) for _ in range(4)] for table in tables]
    for found, right in zip(at_once(works), alone, strict=True):
        for one in found:
            pd.testing.assert_frame_equal(one, right)


def test_kept_results_are_whole_while_others_write_and_forget_them(monkeypatch, caplog):
    """More results than are kept, so that they are made, read and forgotten all the time."""
    monkeypatch.setattr("fercore.data.kept._NEWEST", 2)

    def tables(number: int) -> dict[str, pd.DataFrame]:
        return {name: pd.DataFrame({name: [number] * 50}) for name in ("first", "second", "third")}

    def ask(visitor: int) -> None:
        for step in range(30):
            number = (step + visitor // 2) % 4
            found = kept("slow", [str(number)], lambda: tables(number))  # noqa: B023
            assert found.keys() == tables(number).keys()
            for name, table in tables(number).items():
                pd.testing.assert_frame_equal(found[name], table)

    at_once([lambda visitor=visitor: ask(visitor) for visitor in range(VISITORS)])
    assert "nothing can be kept" not in caplog.text


def _predictions(seed: int, n: int) -> Predictions:
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(0, 7, n), rng.normal(size=(n, 7))
    logits[np.arange(n), labels] += 1.2
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(np.arange(n), np.arange(n), labels, probs.astype(np.float32))
