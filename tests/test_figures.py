"""Figures hold the numbers they are given, and say what is what."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from dashboard.base import figures, theme
from dashboard.compare import curve_figures
from dashboard.compare.accuracy_svg import Score, accuracy_svg, in_words
from fercore.labels import CLASSES
from fercore.scoring.evaluation import class_differences, class_table
from fercore.scoring.metrics import confusion_matrix
from fercore.scoring.statistics import Interval


def test_confusion_figure_holds_counts_and_row_shares(two_runs):
    table = two_runs[0].predictions()
    counts = confusion_matrix(table.labels, table.predicted)
    figure = figures.confusion_figure(counts, title="A", selected=("sad", "neutral"))
    heat, clicks = figure.data
    np.testing.assert_allclose(np.array(heat.z), 100 * counts / counts.sum(1, keepdims=True))
    assert heat.text[4][6] == f"{counts[4, 6]}<br>{100 * counts[4, 6] / 50:.0f} %"
    assert (clicks.y[4 * 7 + 6], clicks.x[4 * 7 + 6]) == ("sad", "neutral")
    marked = figure.layout.shapes[0]
    assert (marked.x0, marked.y0) == (5.5, 3.5)


def test_difference_figure_is_centred_on_zero():
    a, b = np.diag([10] * 7), np.diag([10] * 7)
    b[0] = [5, 5, 0, 0, 0, 0, 0]
    heat = figures.difference_figure(a, b, title="").data[0]
    assert heat.z[0][0] == pytest.approx(50)
    assert heat.z[0][1] == pytest.approx(-50)
    assert heat.zmin == -heat.zmax
    assert heat.text[3][3] == "0<br>0.0"


def test_accuracy_figure_places_its_points_and_references():
    scores = [
        Score("A", 0.6325, Interval(0.61, 0.65)),
        Score("B", 0.5, Interval(0.48, 0.52)),
    ]
    svg = accuracy_svg(scores, references=True)
    assert in_words(scores).endswith(
        "A 63.2\u00a0% [61.0,\u00a065.0]; B 50.0\u00a0% [48.0,\u00a052.0]"
    )
    centres = [float(place) for place in re.findall(r'circle cx="([\d.]+)"', svg)]
    assert centres[0] > centres[1]
    assert f"M{centres[0]} " in svg  # the paper's CNN stands where a model as good as it stands
    assert "paper CNN, 63.25 %" in svg
    assert "human 65 ± 5" in svg
    assert "paper" not in accuracy_svg(scores, references=False)


def test_class_figure_has_a_point_per_class_and_model(two_runs):
    tables = {key: class_table(run.predictions()) for key, run in zip("AB", two_runs, strict=True)}
    figure = figures.class_figure(tables, "recall")
    assert [trace.name for trace in figure.data] == ["A", "B"]
    np.testing.assert_allclose(figure.data[0].x, 100 * tables["A"]["recall"])
    assert tuple(figure.layout.yaxis.ticktext) == CLASSES


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_curves_have_a_panel_per_class_and_one_for_their_averages(two_runs, kind):
    tables = {"A": two_runs[0].predictions()}
    figure = curve_figures.curves_figure(tables, kind)
    titles = [note.text for note in figure.layout.annotations]
    assert [title.split("<br>")[0] for title in titles] == [*CLASSES, "average"]
    curves = [trace for trace in figure.data if trace.name == "A"]
    assert len(curves) == 7
    for curve in curves:
        end = (1, 1) if kind == "roc" else (1, curve.y[-1])
        assert (curve.x[-1], curve.y[-1]) == end


def test_areas_of_the_averages_agree_with_scikit_learn(two_runs):
    table = two_runs[0].predictions()
    every, probs = table.labels[:, None] == np.arange(7), table.probs
    areas = {
        "roc": ("macro AUC", roc_auc_score(every, probs, average="macro")),
        "pr": ("micro average precision", average_precision_score(every, probs, average="micro")),
    }
    for kind, (name, area) in areas.items():
        *_, title = curve_figures.curves_figure({"A": table}, kind).layout.annotations
        assert title.text == f"average<br><sup>{name} A {area:.3f}</sup>"


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_points_at_a_threshold_lie_on_the_curves(two_runs, kind):
    tables = {"A": two_runs[0].predictions()}
    figure = curve_figures.curves_figure(tables, kind)
    marked = curve_figures.with_threshold(figure, tables, kind, 0.3).data[len(figure.data) :]
    assert len(marked) == 7
    curves = [trace for trace in figure.data if trace.name == "A"]
    for curve, point in zip(curves, marked, strict=True):
        corners = np.hypot(curve.x - point.x[0], curve.y - point.y[0])
        assert corners.min() < (1e-9 if kind == "pr" else 0.05)  # ROC leaves out straight stretches


def test_columns_of_a_normalised_matrix_are_shares_of_the_prediction(two_runs):
    table = two_runs[0].predictions()
    counts = confusion_matrix(table.labels, table.predicted)
    heat = figures.confusion_figure(counts, title="A", normalise="column").data[0]
    np.testing.assert_allclose(np.array(heat.z).sum(0), 100)
    heat = figures.confusion_figure(counts, title="A", normalise="none").data[0]
    assert heat.text[2][3] == str(counts[2, 3])


def test_class_difference_is_filled_where_its_interval_leaves_out_zero(two_runs):
    a, b = (run.predictions() for run in two_runs)
    table = class_differences(a, b)
    table.loc[0, ["f1", "f1_low", "f1_high"]] = [0.1, 0.05, 0.15]
    table.loc[1, ["f1", "f1_low", "f1_high"]] = [0.1, -0.05, 0.25]
    points = figures.class_difference_figure(table, "f1").data[0]
    assert list(points.marker.symbol[:2]) == ["circle", "circle-open"]
    assert points.x[0] == pytest.approx(10)


def test_history_figure_rings_the_chosen_epoch(two_runs):
    figure = figures.history_figure({"A": two_runs[0].history()}, {"A": 2})
    ring = next(trace for trace in figure.data if trace.name == "A chosen epoch")
    assert list(ring.x) == [2]


def test_models_keep_their_colours():
    figure = figures.probability_figure({"A": np.full(7, 1 / 7), "B": np.full(7, 1 / 7)})
    assert [bar.marker.color for bar in figure.data] == ["#0072B2", "#D55E00"]


def test_numbers_are_written_as_agreed():
    assert theme.percent(0.6325) == "63.2\u00a0%"
    assert theme.percent(float("nan")) == "–"
    assert theme.interval((0.616, 0.648)) == "[61.6,\u00a064.8]"
    assert theme.points(0.014) == "+1.4\u00a0points"
    assert theme.points(-0.0004) == "0.0\u00a0points"
    assert theme.points_interval((-0.002, 0.026)) == "[−0.2,\u00a0+2.6]"
    assert theme.count(35887) == "35\u202f887"


def test_the_papers_lines_are_named_once():
    from dashboard.study.study_figures import cost_figure

    heads = pd.DataFrame(
        {
            "condition": ["", ""],
            "model": ["cnn", "cnn_lstm"],
            "title": ["CNN", "CNN-LSTM"],
            "accuracy": [0.63, 0.62],
            "accuracy_low": [0.62, 0.61],
            "accuracy_high": [0.64, 0.63],
            "parameters": [278463, 278591],
            "latency_ms": [0.9, 1.1],
        }
    )
    notes = [note.text for note in cost_figure(heads).layout.annotations]
    assert notes == ["paper CNN", "paper CNN-LSTM"]
