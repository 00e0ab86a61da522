"""The test images that answers can be about, as tables without pixels.

Any run knows those that it was scored on, so that FER2013 need not be on this machine.
"""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from fercore.data import existing_source, load
from fercore.data.container import open_container
from fercore.data.faceset import FaceSet
from fercore.data.tree_source import image_names
from fercore.errors import DataError, FerError, RunError
from fercore.importing.editions import rows_in_original
from fercore.runs.artifacts import Run
from fercore.runs.info import DatasetInfo
from fercore.runs.listing import list_runs
from fercore.runs.origin import faces_of
from fercore.scoring.predictions import PROBABILITY_COLUMNS, image_frame

FER2013 = "FER2013"


@dataclass(frozen=True)
class TestImages:
    """frame: usage, row, label, pixels, copy, a line for each test image, in row order.

    file_rows: by a file's name, the row of its image, for a tree of files. faces: the dataset,
    where it was read. notes: what a user should know.
    """

    dataset: DatasetInfo
    frame: pd.DataFrame
    file_rows: dict[str, int]
    faces: FaceSet | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.dataset["name"]

    @property
    def images_in_all(self) -> int:
        """Those of Training included."""
        return sum(map(sum, self.dataset["counts"].values()))

    def in_usage(self, usage: str) -> int:
        return int((self.frame["usage"] == usage).sum())


def images_of_run(run: Run) -> TestImages:
    """The images that a run was scored on."""
    frame = run.prediction_frame.drop(columns=PROBABILITY_COLUMNS)
    return TestImages(run.info["dataset"], frame.sort_values("row", ignore_index=True), {})


def known_images() -> TestImages:
    """FER2013's, which every run on it knows. Raises `DataError` where there is none."""
    for run in list_runs():
        if run.dataset == FER2013:
            try:
                return images_of_run(run)
            except RunError:  # damaged; another one knows them too
                continue
    raise DataError(
        "No run on FER2013 is here that knows its test images. Name the dataset with --data."
    )


def images_of_data(data: str | Path | None) -> TestImages:
    """Those of a dataset at a path, or of 'synthetic'; else of FER2013, wherever it is found.

    A tree of an edition with other pixels than a run's dataset, as FER2013's in JPEG, stands for
    that dataset where it is here: its answers are compared with ours. Raises `DataError`.
    """
    faces = load(data)
    source = existing_source(data)
    rows = _file_rows(source, faces) if isinstance(source, Path) else {}
    if rows and (original := _original(faces, rows)):
        return original
    about: DatasetInfo = {
        "name": faces.name, "fingerprint": faces.fingerprint, "counts": faces.counts(),
    }  # fmt: skip
    frame = image_frame(faces).sort_values("row", ignore_index=True)
    if frame.empty:
        raise DataError(f"{data}: all of its images are Training's. Answers need test images.")
    return TestImages(about, frame, rows, faces)


def _file_rows(source: Path, faces: FaceSet) -> dict[str, int]:
    """By a file's name, its row in the dataset; of a table there are no files.

    A tree's rows count its images in the order of their names. Where some were left out, the names
    cannot be told from here.
    """
    names = image_names(open_container(source).names)
    if len(names) != len(faces):
        return {}
    alone = [PurePosixPath(name).name for name in names]
    if len(set(alone)) < len(alone):
        return dict(zip(names, map(int, faces.row), strict=True))
    return dict(zip(alone, map(int, faces.row), strict=True))


def _original(faces: FaceSet, file_rows: dict[str, int]) -> TestImages | None:
    """The images of a run's dataset that these are an edition of, with the same files' names."""
    tried = {faces.fingerprint}
    for run in list_runs():
        about = run.info["dataset"]
        if about["fingerprint"] in tried or about["counts"] != faces.counts():
            continue
        tried.add(about["fingerprint"])
        try:
            original, known = faces_of(run), images_of_run(run)
        except FerError:  # its pixels are not here
            continue
        if (original.positions(known.frame["pixels"].to_numpy()) < 0).any():
            continue
        rows = rows_in_original(faces, original)
        if rows is not None:
            places = dict(zip(map(int, faces.row), map(int, rows), strict=True))
            files = {name: places[row] for name, row in file_rows.items()}
            note = (
                f"{Path(faces.source).name} is an edition of {known.name} with other pixels: its "
                "images are found in the original, so that they can be compared."
            )
            return replace(known, file_rows=files, faces=original, notes=(note,))
    return None
