"""What a run was made on: the images, found again on this machine, and FER+'s votes on them."""

from collections.abc import Callable
from pathlib import Path

from fercore.data.faceset import FaceSet
from fercore.data.finding import find_faces
from fercore.data.votes import Votes
from fercore.runs.artifacts import Run
from fercore.scoring.labelling import votes_on
from fercore.wording import count


def faces_of(run: Run, *, progress: Callable[[int], None] | None = None) -> FaceSet:
    """The dataset a run was made on, or the copy of it that holds most of its test images.

    Raises `DataError` where none of them is on this machine.
    """
    pixels = run.prediction_frame["pixels"].to_numpy()
    return find_faces(run.dataset, run.info["dataset"]["fingerprint"], pixels, progress=progress)


def votes_of(run: Run) -> Votes | None:
    """FER+'s votes, where the images a run was scored on are those of `fer2013.csv`, else None."""
    return votes_on(run.dataset, run.stored_frame)


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
        f"{count(found)} of the {count(of)} test images that {run.run_id} was scored on are in the "
        f"copy here ({Path(faces.source).name}). What needs their pixels is of those.{other}"
    )
