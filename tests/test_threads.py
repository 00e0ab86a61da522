"""Each visitor is a thread of one process: together they get what each gets alone."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import TypeVar, cast

import numpy as np
import pandas as pd
from PIL import Image
from skimage.data import astronaut

from dashboard.live.drawing import draw_face
from fercore import data
from fercore.analysis import review
from fercore.analysis.audit import _ranked_labels, label_issues
from fercore.analysis.review import Verdict
from fercore.data import FaceSet
from fercore.data.kept import kept
from fercore.data.settings import choose_data
from fercore.faces import Box, find_faces
from fercore.files import read_json, remove_folder, write_json
from fercore.groups.group import group_of
from fercore.labels import CLASSES, USAGES
from fercore.models.saliency import grad_cam, step_contributions
from fercore.predict.predictor import Predictor
from fercore.predict.track_record import TrackRecord
from fercore.runs.listing import list_runs
from fercore.scoring.predictions import Predictions

VISITORS = 8
T = TypeVar("T")


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """What functions return that all begin at the same moment, each in a thread of its own."""
    begin = Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        begin.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def test_photos_are_looked_at_at_once():
    photo = Image.fromarray(astronaut())
    photos = [photo.resize((side, side)) for side in (256, 300, 350, 400)]
    alone = [find_faces(one) for one in photos]
    assert all(found.boxes for found in alone)
    works = [partial(find_faces, one) for one in photos * 2]
    assert at_once(works) == alone * 2


def test_a_file_that_many_write_is_always_whole(tmp_path):
    path = tmp_path / "settings.json"
    write_json(path, [0] * 500)

    def write(visitor: int) -> None:
        for _ in range(40):
            write_json(path, [visitor] * 500)
            seen = read_json(path)
            assert seen == [seen[0]] * 500

    at_once([partial(write, visitor) for visitor in range(VISITORS)])
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

    def ranked(table: Predictions) -> list[pd.DataFrame]:
        return [_ranked_labels(table) for _ in range(4)]

    works = [partial(ranked, table) for table in tables]
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

    at_once([partial(ask, visitor) for visitor in range(VISITORS)])
    assert "nothing can be kept" not in caplog.text


def _predictions(seed: int, n: int) -> Predictions:
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(0, 7, n), rng.normal(size=(n, 7))
    logits[np.arange(n), labels] += 1.2
    probs = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(np.arange(n), np.arange(n), labels, probs.astype(np.float32))


def test_eight_visitors_do_everything_at_once(two_runs, faces, tmp_path, monkeypatch):
    """What each of them gets is what one alone gets, and nothing of what they write is lost."""
    source = _as_folder(faces, tmp_path / "own")
    predictors = [Predictor.from_run(run) for run in two_runs]
    models = [
        cast(partial, predictor.answers).args[0] for predictor in predictors
    ]  # as shared as they can be
    photo = Image.fromarray(astronaut()).resize((256, 256))
    some = faces.images[:4]

    def answers() -> np.ndarray:
        (a,), (b,) = (predictor(photo) for predictor in predictors)
        return np.concatenate([a.box, a.probs, b.box, b.probs])

    def saliency() -> np.ndarray:
        maps = [grad_cam(model, face, 3) for model in models for face in some]
        steps = [step_contributions(models[1], face, 3) for face in some]
        return np.concatenate([values.ravel() for values in maps + steps])

    def probabilities() -> np.ndarray:
        return np.stack([predictor.probs(some) for predictor in predictors])

    def listing() -> list:
        return [(group_of(run).title, run.metrics()["private"]["accuracy"]) for run in list_runs()]

    def dataset() -> tuple:
        choose_data(source)
        loaded = data.load()
        return loaded.fingerprint, int(loaded.images.sum())

    def records() -> np.ndarray:
        found = [TrackRecord(run.predictions("public")) for run in list_runs()]
        return np.array([(one.temperature, one.threshold) for one in found])

    def issues() -> list:
        return [label_issues(run.predictions("public"))["row"].tolist() for run in list_runs()]

    def video() -> bytes:
        picture = photo.copy()
        draw_face(picture, Box(60, 40, 100), {"A": np.eye(7)[3], "B": np.eye(7)[5]})
        return picture.tobytes()

    works = [answers, saliency, probabilities, listing, dataset, records, issues, video]
    alone = [work() for work in works]
    monkeypatch.setenv("FERCORE_CACHE", str(tmp_path / "another-cache"))  # they build it together

    def visit(visitor: int) -> None:
        for turn in range(len(works)):
            number = (visitor + turn) % len(works)
            found = works[number]()
            if isinstance(found, np.ndarray):
                np.testing.assert_allclose(found, np.asarray(alone[number]), atol=1e-4)
            else:
                assert found == alone[number], works[number].__name__
            verdict = Verdict(100 * visitor + turn, turn, "synthetic", "sad", "wrong", "fear")
            assert review.find(verdict.pixels) is None
            assert review.save(verdict) == review.find(verdict.pixels)

    at_once([partial(visit, visitor) for visitor in range(VISITORS)])
    expected = {100 * visitor + turn for visitor in range(VISITORS) for turn in range(len(works))}
    assert set(review.verdicts()["pixels"]) == expected


def _as_folder(faces: FaceSet, folder: Path) -> Path:
    """The faces as `<split>/<class>/<n>.png`."""
    for number, (image, label, usage) in enumerate(zip(faces.images, faces.labels, faces.usage)):
        split = dict(zip(USAGES, ("train", "val", "test")))[usage]
        place = folder / split / CLASSES[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return folder
