"""What a run was made on, found again on this machine: the images, and FER+'s votes on them."""

from collections.abc import Callable
from pathlib import Path

from fercore.data.faceset import FaceSet
from fercore.data.finding import find_faces, sources
from fercore.data.votes import Votes, votes_for
from fercore.runs.artifacts import Run


def faces_of(run: Run, *, progress: Callable[[int], None] | None = None) -> FaceSet:
    """The dataset a run was made on, or the copy of it that holds most of its test images.

    Raises `DataError` where none of them is on this machine.
    """
    pixels = run.prediction_frame["pixels"].to_numpy()
    return find_faces(run.dataset, run.info["dataset"]["fingerprint"], pixels, progress=progress)


def votes_of(run: Run) -> Votes | None:
    """FER+'s votes on the images a run was scored on, where they are here and belong to them."""
    if run.dataset != "FER2013":
        return None
    frame = run.prediction_frame
    rows, usage = frame["row"].to_numpy(), frame["usage"].to_numpy()
    return votes_for(rows, usage, sources(run.dataset, run.info["dataset"]["fingerprint"]))


def holding(run: Run, faces: FaceSet) -> int:
    """How many of the test images that a run was scored on are among `faces`."""
    return int((faces.positions(run.prediction_frame["pixels"].to_numpy()) >= 0).sum())


def partly(run: Run, faces: FaceSet, found: int, of: int) -> str:
    """How many of a run's images are in the copy that is here, for people."""
    other = (
        " FER2013's JPEG editions have other pixels: the original fer2013.csv has all."
        if run.dataset == "FER2013" and 2 * found < of
        else ""
    )
    return (
        f"{found} of the {of} test images that {run.run_id} was scored on are in the copy here "
        f"({Path(faces.source).name}). What needs their pixels is of those.{other}"
    )
