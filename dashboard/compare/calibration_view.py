"""The calibration page's cached results, sentences and figures. Nothing here imports torch."""

from dataclasses import dataclass
from statistics import mean

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard.base import loading
from dashboard.base.figures import drawn_once
from dashboard.base.parameters import PROBABILITIES
from dashboard.base.widgets import letter
from fercore.figures.colours import MODEL_COLOURS, REFERENCE_COLOUR
from fercore.figures.parts import in_csv, ring, styled
from fercore.groups.group import Group
from fercore.scoring.calibration import CalibrationScores, SelectiveAccuracy
from fercore.scoring.grouped import calibration
from fercore.scoring.grouped.predictions import GroupPredictions
from fercore.scoring.statistics import Interval
from fercore.wording import NO_BREAK, count, interval, percent

TRAINED, SCALED = PROBABILITIES.values()
_LEAST_ANSWERED = 0.05  # the accuracy of fewer images than these jumps about
_CURVE_POINTS = 400
_NEAR_ONE = 0.05  # a temperature this near to 1 changes nothing that a person would see
_PERCENTS = {"ticksuffix": " %", "fixedrange": True}


@dataclass(frozen=True)
class Calibration:
    """One model on one part; see `fercore.scoring.calibration` for the columns."""

    predictions: GroupPredictions
    scores: CalibrationScores
    reliability: pd.DataFrame
    risk_coverage: pd.DataFrame
    risk_area: float


def temperatures(model: Group) -> dict[str, float]:
    """Each seed's temperature, fitted on PublicTest; empty where none was scored on it."""
    model = model.home
    return _temperatures(model) if loading.is_scored(model, "public") else {}


@st.cache_data(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _temperatures(model: Group) -> dict[str, float]:
    return calibration.fit_temperatures(loading.predictions(model, "public"))


def versions(model: Group, part: str) -> dict[str, Calibration]:
    """A model as trained and, where it has temperatures, scaled by them."""
    fitted = {TRAINED: {}, SCALED: temperatures(model)}
    return {
        name: _calibrated(model, part, own)
        for name, own in fitted.items()
        if name == TRAINED or own
    }


@st.cache_resource(max_entries=60, show_spinner=False, hash_funcs=loading.KNOWN_BY)
def _calibrated(model: Group, part: str, fitted: dict[str, float]) -> Calibration:
    table = loading.predictions(model, part)
    if fitted:
        table = calibration.with_temperatures(table, fitted)
    return Calibration(
        table,
        calibration.calibration_scores(table),
        calibration.reliability(table),
        calibration.risk_coverage(table),
        calibration.area_under_risk_coverage(table),
    )


def temperature_in_words(key: str, temperatures: list[float]) -> str:
    """What the temperatures of a model's seeds say of how sure it is."""
    if not temperatures:
        return (
            f"{letter(key)} was not scored on PublicTest, so no temperature can be fitted: it is "
            "shown as trained."
        )
    fitted = mean(temperatures)
    surer = "over-confident" if fitted > 1 else "under-confident"
    if abs(fitted - 1) < _NEAR_ONE:
        surer = "neither over- nor under-confident on the whole"
    seeds = ""
    if len(temperatures) > 1:
        low, high = min(temperatures), max(temperatures)
        seeds = f" in the mean, {low:.2f} to {high:.2f} in {len(temperatures)} seeds"
    return f"{letter(key)} T = {fitted:.2f}{seeds}: {surer}."


def scores_row(name: str, scores: CalibrationScores) -> dict[str, str]:
    """A model's line of the table, as a person reads it."""
    return {
        "model": name,
        "debiased ECE": f"{percent(scores.debiased.value)} {interval(scores.debiased.interval)}",
        "ECE": percent(scores.ece),
        "ECE by chance alone": percent(scores.chance),
        "Brier score": f"{scores.brier:.3f} {_in_thousandths(scores.brier_interval)}",
        "NLL": f"{scores.nll:.3f} {_in_thousandths(scores.nll_interval)}",
    }


def _in_thousandths(bounds: Interval) -> str:
    return f"[{bounds.low:.3f},{NO_BREAK}{bounds.high:.3f}]"


def unsure_in_words(key: str, unsure: int, result: SelectiveAccuracy, accuracy: float) -> str:
    """What a model gains where it may say 'unsure' on so many percent of the images."""
    return (
        f"If {letter(key)} may say 'unsure' on {unsure} % of the images, it is right on "
        f"**{percent(result.accuracy)}** {interval(result.interval)} of the rest, instead "
        f"of {percent(accuracy)} of all. The rest: {count(round(result.answered))} images with a "
        f"confidence of {percent(result.threshold)} or more."
    )


@drawn_once
def risk_coverage_figure(
    models: dict[str, Calibration], chosen: dict[str, SelectiveAccuracy], unsure: float
) -> go.Figure:
    """Accuracy on the images answered, by the share left as 'unsure'; a ring where it is chosen."""
    figure = go.Figure()
    figure.add_vline(100 * unsure, line_dash="dot", line_color=REFERENCE_COLOUR, line_width=1)
    for key, model in models.items():
        table = _thinned(model.risk_coverage)
        figure.add_scatter(
            x=100 * (1 - table["coverage"]),
            y=100 * table["accuracy"],
            customdata=100 * table["threshold"],
            meta=in_csv("lowest confidence, %"),
            mode="lines",
            line={"color": MODEL_COLOURS[key], "width": 2},
            name=key,
            hovertemplate=f"{key}: unsure on %{{x:.1f}} %, right on %{{y:.1f}} % of the rest, "
            "confidence %{customdata:.1f} % or more<extra></extra>",
        )
        point = chosen[key]
        figure.add_scatter(
            x=[100 * (1 - point.answered / len(model.predictions))],
            y=[100 * point.accuracy],
            mode="markers",
            marker=ring(key),
            name=f"{key} chosen",
            showlegend=False,
            hoverinfo="skip",
        )
    figure.update_xaxes(title="images on which it says 'unsure'", range=[-1, 96], **_PERCENTS)
    figure.update_yaxes(title="right on the rest", **_PERCENTS)
    return styled(figure, "Accuracy on the rest, by the share left out (risk-coverage)", height=420)


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """As many points as a screen can show, the first and the last among them."""
    curve = curve[curve["coverage"] >= _LEAST_ANSWERED]
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, _CURVE_POINTS).round().astype(int))]
