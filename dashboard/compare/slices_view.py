"""Slices: cached scores on every slice, and their table for people."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import streamlit as st

from dashboard.base import image_loading, loading
from dashboard.base.downloads import csv_button
from dashboard.base.selection import ANY, Selection
from dashboard.base.tables import Format, readable
from dashboard.base.turns import out_of_turn
from dashboard.faces import face_loading
from fercore.analysis import marks
from fercore.analysis.properties import known_properties
from fercore.data import FaceSet
from fercore.data.votes import Votes
from fercore.errors import DataError
from fercore.groups.group import Group
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.scoring.grouped.slices import slice_differences, slices
from fercore.scoring.samples import selected_samples
from fercore.scoring.slices import slice_mask
from fercore.scoring.statistics import LEVEL
from fercore.wording import bounds_in, in_p, in_points, interval, number, points_interval, signed

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

GROUP_TEST = "Student's t over seeds and images"


@dataclass(frozen=True)
class ModelSlices:
    """A model's `slice_properties` and its table of `slices` on one part."""

    properties: pd.DataFrame
    table: pd.DataFrame


class _Known(NamedTuple):
    """What this machine knows of a run's images, by which they are sliced."""

    where: tuple[image_loading.Place, ...]
    votes: Votes | None
    marked: str


def _known(run: Run) -> _Known:
    return _Known(image_loading.places(run), face_loading.votes(run), marks.stamp())


def properties(run: Run, part: str) -> pd.DataFrame:
    """All that this machine knows of a run's images, a line each."""
    return _properties(run, part, _known(run))


@st.cache_data(max_entries=40, show_spinner="Measuring the images …", hash_funcs=loading.KNOWN_BY)
@out_of_turn()
def _properties(run: Run, part: str, known: _Known) -> pd.DataFrame:
    predictions = loading.run_predictions(run, part)
    return known_properties(run, predictions, faces=_faces(run), votes=known.votes)


def _faces(run: Run) -> FaceSet | None:
    with suppress(DataError):  # the page says that the images are not here
        return image_loading.dataset(run)
    return None


def model_slices(model: Group, part: str) -> ModelSlices:
    """The slices of a model, by all that this machine knows of its images."""
    known = _known(model.run)
    return ModelSlices(_properties(model.run, part, known), _slices(model, part, known))


def crossed_slices(model: Group, part: str, crossed: tuple[str, str]) -> pd.DataFrame:
    """The slices by one property within those by another."""
    return _slices(model, part, _known(model.run), crossed=crossed)


def class_slices(model: Group, part: str, name: str) -> pd.DataFrame:
    """The slices of a class's images alone, as `slices.slices` has them; empty where nothing tells
    them apart.
    """
    return _slices(model, part, _known(model.run), label=CLASSES.index(name))


@st.cache_data(max_entries=100, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _slices(
    model: Group,
    part: str,
    known: _Known,
    *,
    label: int | None = None,
    crossed: tuple[str, str] | None = None,
) -> pd.DataFrame:
    of_images = _properties(model.run, part, known)
    return slices(loading.predictions(model, part), of_images, label=label, crossed=crossed)


def differences_section(selection: Selection, a: Group, b: Group) -> None:
    """A minus B on every slice."""
    st.subheader("A − B on each slice", anchor=False)
    gaps = _differences(a, b, selection.part, _known(a.run))
    written = gaps[["property", "slice", "n"]].rename(columns={"n": "images"})
    written["A − B, points"] = list(map(in_points, gaps["difference"]))
    written["A − B, 95 %"] = list(map(points_interval, bounds_in(gaps, "difference")))
    written["corrected p"] = list(map(in_p, gaps["p_holm"]))
    st.dataframe(readable(written), hide_index=True, height=300)
    test = "exact McNemar test" if a.single and b.single else GROUP_TEST
    st.caption(
        f"Beyond chance: {(gaps['p_holm'] < LEVEL).sum()} of {len(gaps)} slices ({test}, p below "
        f"{LEVEL} after Holm's correction for the number of slices)."
    )
    csv_button(gaps, "slice-differences", models=selection.models, part=selection.part)


@st.cache_data(max_entries=40, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _differences(a: Group, b: Group, part: str, known: _Known) -> pd.DataFrame:
    of_images = _properties(a.run, part, known)
    return slice_differences(loading.predictions(a, part), loading.predictions(b, part), of_images)


def slices_in_words(
    found: pd.DataFrame,
    metrics: Mapping[str, str] = MappingProxyType({"accuracy": "accuracy", "macro_f1": "macro F1"}),
    others: str = "all",
) -> "Styler":
    """The models' slices, stacked, for people. metrics: which columns, and what they are called;
    others: the images that `difference` is against.
    """
    names = [name for name in ("model", "property", "slice", "n") if name in found]
    written = found[names].rename(columns={"n": "images"})
    formats: dict[str, Format] = {f"against {others}, points": signed}
    for name, title in metrics.items():
        written[f"{title} %"], formats[f"{title} %"] = 100 * found[name], number
        written[f"{title}, 95 %"] = list(map(interval, bounds_in(found, name)))
    written[f"against {others}, points"] = 100 * found["difference"]
    written["corrected p"] = list(map(in_p, found["p_holm"]))
    return readable(written, formats)


def selected(samples: pd.DataFrame, selection: Selection) -> pd.Series:
    """Which lines of a sample table the sidebar selects, bool (N,).

    Raises `RunError` where these images know no such slice, or nothing of B.
    """
    keep = selected_samples(samples, **selection.sample_filter)
    if selection.slice != ANY:
        known = properties(selection.a.run, selection.part)
        keep &= slice_mask(known, *selection.slice.split(": ", 1))
    return keep
