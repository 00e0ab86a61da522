"""What is computed once from a run's weights and stored in the run's folder.

`robustness.parquet` holds the accuracy under every corruption, `embedding.parquet` a map of the
penultimate features. They are no part of the run proper: a run without them is complete. Reading
needs no torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow import ArrowException

from fercore.analysis.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from fercore.data import FaceSet
from fercore.errors import RunError
from fercore.files import write_parquet, writing_to
from fercore.places import INSTALLED
from fercore.runs.artifacts import Run
from fercore.scoring.metrics import confusion_matrix, macro_f1
from fercore.scoring.statistics import Interval, wilson_interval

if TYPE_CHECKING:
    from fercore.models.network import Network

ROBUSTNESS, EMBEDDING = "robustness.parquet", "embedding.parquet"
CLEAN = "clean"  # the kind of the row without a corruption
_COLUMNS = {
    ROBUSTNESS: ["kind", "strength", "value", "accuracy", "low", "high", "macro_f1", "n"],
    EMBEDDING: ["usage", "row", "pixels", "label", "x", "y"],
}
_NAMES = {"low": "accuracy_low", "high": "accuracy_high"}  # outside that file
_COMPONENTS, _PERPLEXITY = 30, 30  # of PCA before t-SNE; of t-SNE (van der Maaten & Hinton, 2008)
_FEWEST = 3  # images that can be mapped
_TSNE_SECONDS = 0.01  # an image, on one or two cores; for the first estimate of the time left


class Progress(NamedTuple):
    """Where `analyse_weights` stands: what it does, the share of the time spent, what is left."""

    doing: str
    share: float
    seconds_left: float


def robustness(run: Run) -> pd.DataFrame | None:
    """Scores on PrivateTest under each corruption; None where they were not computed.

    One row of kind 'clean', and one for each kind and strength 1 to 5: kind, strength, value (in
    the corruption's unit), accuracy with its interval accuracy_low, accuracy_high, macro_f1 (all
    from 0 to 1), n. Raises `RunError` where the file is damaged.
    """
    table = _stored(run, ROBUSTNESS)
    return None if table is None else table.rename(columns=_NAMES)


def embedding(run: Run) -> pd.DataFrame | None:
    """The map of the PublicTest and PrivateTest images; None where it was not computed.

    Columns: usage, row, pixels (hash), label (index of the class), x, y (float32, no unit).
    Raises `RunError` where the file is damaged.
    """
    return _stored(run, EMBEDDING)


def analyse_weights(
    run: Run, faces: FaceSet, progress: Callable[[Progress], None] = lambda progress: None
) -> None:
    """Compute both tables with the run's weights and store them in its folder. Imports torch.

    They are of those of the run's test images that `faces` hold, known by their pixels, and of the
    labels that the run stored. Raises `RunError` where `faces` hold none of them, and for a run
    that came with an installed fercore.
    """
    if INSTALLED and run.shipped:
        raise RunError(f"'{run.run_id}' came with fercore as it is, and is not analysed again.")
    _in(run.prediction_frame, run, faces)
    started = time.monotonic()
    map_seconds = _TSNE_SECONDS * len(run.prediction_frame)

    def report(doing: str, seconds_left: float) -> None:
        spent = time.monotonic() - started
        progress(Progress(doing, spent / (spent + seconds_left), seconds_left))

    def scored(done: int, total: int) -> None:
        each = (time.monotonic() - started) / done
        report(
            f"{done} of {total} versions of PrivateTest scored", each * (total - done) + map_seconds
        )

    table = compute_robustness(run, faces, on_scored=scored)
    stored = {name: kept for kept, name in _NAMES.items()}
    _store(run, ROBUSTNESS, table.rename(columns=stored))
    report("mapping the features", map_seconds)
    _store(run, EMBEDDING, compute_embedding(run, faces))


def compute_robustness(
    run: Run, faces: FaceSet, *, on_scored: Callable[[int, int], None] = lambda done, total: None
) -> pd.DataFrame:
    """The table that `robustness` reads, from the run's weights on its PrivateTest images.

    `on_scored` gets the number of rows computed and to compute. Raises `RunError` as
    `analyse_weights`, and where the run has no PrivateTest.
    """
    from fercore.models.inference import for_inference, predict_logits
    from fercore.models.precision import REFERENCE

    frame = run.prediction_frame
    private = frame[frame["usage"] == "PrivateTest"]
    if not len(private):
        raise RunError(f"{run.dataset} has no PrivateTest images to corrupt.")
    found, images = _in(private, run, faces)
    labels = private["label"].to_numpy(np.int64)[found]
    # What is random is drawn by an image's place: the others keep theirs where some are not here.
    whole = np.zeros((len(private), *images.shape[1:]), np.uint8)
    whole[found] = images
    model = for_inference(run.load_model())
    tasks = [(CLEAN, 0), *((kind, strength) for kind in CORRUPTIONS for strength in STRENGTHS[1:])]
    rows = []
    for kind, strength in tasks:
        seen = images if kind == CLEAN else corrupt(whole, kind, strength)[found]
        predicted = predict_logits(model, seen, precision=REFERENCE).argmax(1).numpy()
        value = 0.0 if kind == CLEAN else float(CORRUPTIONS[kind].values[strength])
        rows.append({"kind": kind, "strength": strength, "value": value})
        rows[-1] |= _scores(labels, predicted)
        on_scored(len(rows), len(tasks))
    return pd.DataFrame(rows, columns=_COLUMNS[ROBUSTNESS]).rename(columns=_NAMES)


def compute_embedding(run: Run, faces: FaceSet) -> pd.DataFrame:
    """The table that `embedding` reads, from the run's weights on its test images.

    Penultimate features, reduced to 30 dimensions by PCA and to 2 by t-SNE from a fixed seed.
    Raises `RunError` as `analyse_weights`.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    found, images = _in(run.prediction_frame, run, faces)
    if len(images) < _FEWEST:
        raise RunError(f"A map needs {_FEWEST} images or more, and there are {len(images)}.")
    features, _ = penultimate_features(run.load_model(), images)
    reduced = PCA(min(_COMPONENTS, *features.shape), random_state=0).fit_transform(features)
    perplexity = min(_PERPLEXITY, (len(images) - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
    table = run.prediction_frame.loc[found, ["usage", "row", "pixels", "label"]].copy()
    table[["x", "y"]] = places.astype(np.float32)
    return table


def penultimate_features(
    model: Network, images: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the model's classifier sees (N, F), and the logits (N, 7) it makes of it.

    `images` are uint8 (N, 48, 48).
    """
    from fercore.models.inference import predict_logits
    from fercore.models.precision import REFERENCE

    seen = []
    hook = model.classify.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0].float().cpu().numpy())
    )
    try:
        logits = predict_logits(model, images, precision=REFERENCE).numpy()
    finally:
        hook.remove()
    return np.concatenate(seen), logits


def robustness_drops(table: pd.DataFrame) -> pd.DataFrame:
    """Per corruption, from a table of `robustness`: kind; the accuracy's mean drop and F1's, and
    the accuracy's drop at the highest strength, each a share from 0 to 1, positive for a loss.
    """
    clean = table[table["kind"] == CLEAN].iloc[0]
    groups = table[table["kind"] != CLEAN].groupby("kind", sort=False)
    return pd.DataFrame(
        {
            "mean_drop": clean["accuracy"] - groups["accuracy"].mean(),
            "mean_f1_drop": clean["macro_f1"] - groups["macro_f1"].mean(),
            "last_drop": clean["accuracy"] - groups["accuracy"].last(),
        }
    ).reset_index()


def placed(samples: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The lines of a sample table that the map of `embedding` holds, with x and y, index kept."""
    places = table.set_index(["row", "pixels"])[["x", "y"]]
    return samples.join(places, on=["row", "pixels"], how="inner")


class Selected(NamedTuple):
    """Some images: how many, the share that is right with its interval, and each class's count
    among the labels and among the predictions, most frequent first.
    """

    n: int
    accuracy: float
    interval: Interval
    labels: pd.Series
    predicted: pd.Series


def describe_selected(samples: pd.DataFrame, model: str) -> Selected:
    """What a model ('a' or 'b') makes of some lines, at least one, of a sample table."""
    right = samples[f"{model}_correct"]
    return Selected(
        len(samples),
        float(right.mean()),
        wilson_interval(int(right.sum()), len(samples)),
        samples["label"].value_counts(),
        samples[f"{model}_predicted"].value_counts(),
    )


def _in(
    frame: pd.DataFrame, run: Run, faces: FaceSet
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]]:
    """Which lines (N,) of a prediction table have their image in `faces`, and these images.

    Raises `RunError` where none has.
    """
    place = faces.positions(frame["pixels"].to_numpy())
    found = place >= 0
    if not found.any():
        raise RunError(
            f"{run.run_id} was scored on other images than those of {faces.name} "
            f"({faces.fingerprint}): give the dataset it was made with, {run.dataset} "
            f"({run.info['dataset']['fingerprint']}), with --data."
        )
    return found, np.asarray(faces.images[place[found]])


def _scores(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, float]:
    right, n = int((predicted == labels).sum()), len(labels)
    low, high = wilson_interval(right, n)
    f1 = float(macro_f1(confusion_matrix(labels, predicted)))
    return {"accuracy": right / n, "low": low, "high": high, "macro_f1": f1, "n": n}


def _store(run: Run, name: str, table: pd.DataFrame) -> None:
    with writing_to(run.folder, f"{name} is not stored with '{run.run_id}'", RunError):
        write_parquet(run.folder / name, table)


def _stored(run: Run, name: str) -> pd.DataFrame | None:
    if not (run.folder / name).exists():
        return None
    try:
        table = pd.read_parquet(run.folder / name, columns=_COLUMNS[name])
    except (OSError, ValueError, KeyError, ArrowException) as error:
        raise _damaged(run, name) from error
    if not _whole(name, table):
        raise _damaged(run, name)
    return table


def _whole(name: str, table: pd.DataFrame) -> bool:
    """Whether it is a table as it was written."""
    words = {ROBUSTNESS: ["kind"], EMBEDDING: ["usage"]}[name]
    figures = table.drop(columns=words)
    if any(getattr(kind, "kind", "O") not in "iuf" for kind in figures.dtypes):
        return False
    if not len(table) or not np.isfinite(figures.to_numpy(np.float64)).all():
        return False
    if name == EMBEDDING:
        return not table["row"].duplicated().any()
    lines = list(zip(table["kind"], table["strength"], strict=True))
    expected = [(CLEAN, 0), *((kind, level) for kind in CORRUPTIONS for level in STRENGTHS[1:])]
    return sorted(lines) == sorted(expected)


def _damaged(run: Run, name: str) -> RunError:
    return RunError(
        f"{run.run_id}: its {name} cannot be read. Run 'fercore analyse {run.run_id}' again."
    )
