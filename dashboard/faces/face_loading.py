"""Cached answers about single faces: votes, neighbours, probabilities, and what models look at."""

import numpy as np
import pandas as pd
import streamlit as st

from dashboard.base.loading import dataset, identity, predictions, stamp
from fercore.analysis.neighbours import ThumbnailIndex
from fercore.data import FaceSet, finding
from fercore.data.votes import Votes, votes_path
from fercore.errors import DataError
from fercore.runs.artifacts import Run, find_run
from fercore.runs.origin import votes_of


def votes(run: Run) -> Votes | None:
    """FER+'s votes on the images a run was scored on, where they are here and belong to them."""
    if run.dataset != "FER2013":
        return None
    path = votes_path(finding.sources(run.dataset, run.info["dataset"]["fingerprint"]))
    return _votes(*identity(run), str(path), path and stamp(path), run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _votes(run_id: str, created: str, path: str, version: str | None, _run: Run) -> Votes | None:
    return votes_of(_run)


def doubted_errors(run: Run, part: str) -> float | None:
    """The share of a run's errors on images whose label most FER+ raters did not choose.

    None where the votes are not on this machine.
    """
    table, found = predictions(run, part), votes(run)
    if found is None or table.correct.all():
        return None
    disputed = ~found.agreement_with(table.labels, table.rows)
    return float(disputed[~table.correct].mean())


def probabilities(run: Run, part: str, row: int) -> np.ndarray:
    """The seven probabilities of the image with that row."""
    table = predictions(run, part)
    return table.probs[int(np.searchsorted(table.rows, row))]


@st.cache_resource(max_entries=4, show_spinner="Loading the model …")
def _model(run_id: str, created: str):
    return find_run(run_id).load_model()


def saliency(run: Run, face: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Grad-CAM (48, 48), and the LSTM's steps on the trunk's map where they have places.

    Imports torch.
    """
    from fercore.models.saliency import grad_cam, step_contributions, steps_on_map

    model = _model(*identity(run))
    steps = step_contributions(model, face, target)
    return grad_cam(model, face, target), None if steps is None else steps_on_map(model, steps)


def nearest_training(run: Run, face: np.ndarray, k: int = 6) -> pd.DataFrame | None:
    """The `k` Training images most like a face, with their pixels in the column 'face'.

    None where the Training images are not on this machine.
    """
    try:
        faces = dataset(run)
    except DataError:
        return None
    index = _thumbnails(faces.fingerprint, faces)
    found = index.nearest(face, k)
    return found.assign(face=[index.faces.images[place] for place in found["position"]])


@st.cache_resource(max_entries=2, show_spinner="Looking through the Training images …")
def _thumbnails(fingerprint: str, _faces: FaceSet) -> ThumbnailIndex:
    return ThumbnailIndex(_faces.part("Training"))
