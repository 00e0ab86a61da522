"""Cached answers about single faces: votes, neighbours, probabilities, and what models look at."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard.base import loading
from dashboard.base.image_loading import dataset
from dashboard.base.loading import KNOWN_BY
from dashboard.base.turns import out_of_turn
from fercore.analysis.neighbours import ThumbnailIndex
from fercore.analysis.occlusion import OcclusionMap, occlusion_map
from fercore.analysis.what_if import Change, along
from fercore.data import FaceSet
from fercore.data.votes import OTHER_ROWS, Votes
from fercore.errors import DataError
from fercore.groups.group import Group
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.runs.origin import votes_of
from fercore.scoring.predictions import Predictions

if TYPE_CHECKING:
    from fercore.models.network import Network
    from fercore.predict.predictor import Answers


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=KNOWN_BY)
def votes(run: Run) -> Votes | None:
    """FER+'s votes on the images a run was scored on, where these are `fer2013.csv`'s."""
    return votes_of(run)


def no_votes(run: Run) -> str:
    """Why there are none."""
    return (
        OTHER_ROWS if run.dataset == "FER2013" else "FER+'s votes are about FER2013's images only."
    )


def doubted_errors(model: Group, part: str) -> float | None:
    """The share of a model's errors on images whose label is not FER+'s plurality.

    None where there are no votes on these images, or other labels than the dataset's are right.
    """
    if model.labelling:
        return None
    table, found = loading.predictions(model, part), votes(model.run)
    if found is None or table.correct.all():
        return None
    disputed = ~found.agreement_with(table.labels, table.rows)
    return float((disputed & ~table.correct).sum() / (~table.correct).sum())


def given_label(run: Run, part: str, row: int) -> str:
    """The dataset's label of the image with that row, whatever it is scored against."""
    table = _as_given(run, part)
    return CLASSES[table.labels[int(np.searchsorted(table.rows, row))]]


@st.cache_resource(max_entries=20, show_spinner=False, hash_funcs=KNOWN_BY)
def _as_given(run: Run, part: str) -> Predictions:
    return run.stored_predictions(part)


def probabilities(model: Group, part: str, row: int) -> NDArray[np.float32]:
    """The seven probabilities of the image with that row, the mean over seeds."""
    table = loading.predictions(model, part)
    mean: NDArray[np.float32] = table.probs[:, int(np.searchsorted(table.rows, row))].mean(0)
    return mean


@st.cache_resource(max_entries=4, show_spinner="Loading the model …", hash_funcs=KNOWN_BY)
@out_of_turn()
def _model(run: Run) -> "Network":
    return run.load_model()


@out_of_turn()
def saliency(
    run: Run, face: NDArray[np.uint8], target: int
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Grad-CAM (48, 48), and the LSTM's steps on the trunk's map where they have places.

    Imports torch.
    """
    from fercore.models.saliency import grad_cam, step_contributions, steps_on_map

    model = _model(run)
    steps = step_contributions(model, face, target)
    return grad_cam(model, face, target), None if steps is None else steps_on_map(model, steps)


@st.cache_resource(max_entries=4, show_spinner="Loading the model …", hash_funcs=KNOWN_BY)
@out_of_turn()
def answers(run: Run) -> "Answers":
    """What asks a run, an ensemble too, about faces. Imports torch."""
    from fercore.predict.predictor import answers_of

    return answers_of(run)


@st.cache_data(max_entries=200, show_spinner="Hiding place after place …", hash_funcs=KNOWN_BY)
@out_of_turn()
def occlusion(run: Run, face: NDArray[np.uint8], target: int) -> OcclusionMap:
    """What hiding each place of a face takes from class `target`."""
    return occlusion_map(answers(run), face, target)


@st.cache_data(
    max_entries=400, show_spinner="Asking along the slider …", hash_funcs=KNOWN_BY
)  # fmt: skip
@out_of_turn()
def scanned(
    run: Run, face: NDArray[np.uint8], change: Change, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """The values (V,) of a change, and what a run says of the face at each of them (V, 7)."""
    values, faces = along(face, change, name)
    return values, answers(run)(faces)


def nearest_training(run: Run, face: NDArray[np.uint8], k: int = 6) -> pd.DataFrame | None:
    """The `k` Training images most like a face, with their pixels in the column 'face'.

    None where the Training images are not on this machine.
    """
    try:
        faces = dataset(run)
    except DataError:
        return None
    index = _thumbnails(faces)
    found = index.nearest(face, k)
    return found.assign(face=[index.faces.images[place] for place in found["position"]])


@st.cache_resource(
    max_entries=2, show_spinner="Looking through the Training images …", hash_funcs=KNOWN_BY
)
@out_of_turn()
def _thumbnails(faces: FaceSet) -> ThumbnailIndex:
    return ThumbnailIndex(faces.part("Training"))
