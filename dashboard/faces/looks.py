"""What models look at in a face: from inside by Grad-CAM, from outside by hiding places."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from PIL import Image

from dashboard.faces import face_loading
from fercore.analysis.occlusion import PATCH, STRIDE
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.wording import percent, points

_SEEN = np.array([0xE6, 0x9F, 0x00])  # the map's colour over the grey face
_FACTOR = 6
_SEEN_WIDTH = 280  # pixels on the screen


def what_they_look_at(runs: Mapping[str, Run], face: np.ndarray, target: int) -> None:
    """Of each run, by 'A' and 'B', what speaks for class `target` in a face: Grad-CAM and an LSTM's
    steps where it was trained here, and a map by hidden places, for an ensemble too.
    """
    with st.container(horizontal=True):
        for key, run in runs.items():
            if run.trained:
                _from_inside(key, run, face, target)
            _from_outside(key, run, face, target)
    st.caption(
        f"Orange: what speaks for {CLASSES[target]}. Grad-CAM (Selvaraju et al., 2017) asks the "
        f"network's last map; hiding (Zeiler & Fergus, 2014) moves a grey square of "
        f"{PATCH}×{PATCH} pixels over the face in steps of {STRIDE} and shows where its "
        "probability drops. Each map is stretched to its own largest value."
    )


def _from_inside(key: str, run: Run, face: np.ndarray, target: int) -> None:
    seen, steps = face_loading.saliency(run, face, target)
    st.image(overlaid(face, seen), caption=f"{key}: Grad-CAM", width=_SEEN_WIDTH)
    if steps is not None:
        strength = np.abs(steps) / max(float(np.abs(steps).max()), 1e-12)
        st.image(
            overlaid(face, strength), width=_SEEN_WIDTH,
            caption=f"{key}: what each step of the LSTM adds, for or against",
        )  # fmt: skip


def _from_outside(key: str, run: Run, face: np.ndarray, target: int) -> None:
    found = face_loading.occlusion(run, face, target)
    most = float(found.drops.max())
    lost = (
        f"at most {points(-most)} of {percent(found.probability)}" if most > 0 else "nothing lost"
    )
    st.image(
        overlaid(face, found.strength), caption=f"{key}: places hidden, {lost}", width=_SEEN_WIDTH
    )


def overlaid(face: np.ndarray, seen: np.ndarray) -> Image.Image:
    """The face in grey, orange where `seen`, a square map of any side from 0 to 1, is high."""
    places = np.arange(len(face)) * len(seen) // len(face)
    strength = 0.75 * seen[np.ix_(places, places)][..., None]
    mixed = face[..., None] * (1 - strength) + _SEEN * strength
    picture = Image.fromarray(mixed.round().astype(np.uint8))
    return picture.resize((48 * _FACTOR, 48 * _FACTOR), Image.Resampling.NEAREST)
