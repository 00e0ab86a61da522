"""All that is known of a run's images, by which they are sliced."""

import pandas as pd

from fercore.analysis.marks import with_marks
from fercore.data import FaceSet
from fercore.data.votes import Votes
from fercore.runs.artifacts import Run
from fercore.scoring.image_properties import measured_in
from fercore.scoring.predictions import Predictions
from fercore.scoring.slices import slice_properties


def known_properties(
    run: Run, predictions: Predictions, *, faces: FaceSet | None, votes: Votes | None
) -> pd.DataFrame:
    """A table of `slice_properties`, marks included, of the images of a run's `predictions`.

    faces: the run's images, as far as they are here. votes: FER+'s, where its raters saw them.
    """
    frame = run.stored_frame
    properties = slice_properties(
        predictions,
        measured=measured_in(faces, predictions.pixels) if faces else None,
        votes=votes,
        copied_rows=frame.loc[frame["copy"], "row"].to_numpy(),
    )
    return with_marks(properties, predictions.rows, predictions.pixels)
