"""Figures hold the numbers they are given, and say what is what."""

import re

import numpy as np
import pytest

from dashboard import figures, theme
from dashboard.accuracy_svg import Score, accuracy_svg, in_words
from fercore.evaluation import class_table
from fercore.labels import CLASSES
from fercore.metrics import confusion_matrix
from fercore.statistics import Interval


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
    assert heat.text[3][3] == "+0<br>+0"


def test_accuracy_figure_places_its_points_and_references():
    scores = [
        Score("A", 0.6325, Interval(0.61, 0.65)),
        Score("B", 0.5, Interval(0.48, 0.52)),
    ]
    svg = accuracy_svg(scores, references=True)
    assert in_words(scores).endswith("A 63.2 % [61.0, 65.0]; B 50.0 % [48.0, 52.0]")
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


def test_roc_figure_has_a_panel_per_class_and_one_for_their_mean(two_runs):
    figure = figures.roc_figure({"A": two_runs[0].predictions()})
    titles = [note.text for note in figure.layout.annotations]
    assert [title.split("<br>")[0] for title in titles] == [*CLASSES, "macro average"]
    curves = [trace for trace in figure.data if trace.name == "A"]
    assert len(curves) == 8
    for curve in curves[:7]:
        assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)


def test_history_figure_rings_the_chosen_epoch(two_runs):
    figure = figures.history_figure({"A": two_runs[0].history()}, {"A": 2})
    ring = next(trace for trace in figure.data if trace.name == "A chosen epoch")
    assert list(ring.x) == [2]


def test_models_keep_their_colours():
    figure = figures.probability_figure({"A": np.full(7, 1 / 7), "B": np.full(7, 1 / 7)})
    assert [bar.marker.color for bar in figure.data] == ["#0072B2", "#D55E00"]


def test_numbers_are_written_as_agreed():
    assert theme.percent(0.6325) == "63.2 %"
    assert theme.percent(float("nan")) == "–"
    assert theme.interval((0.616, 0.648)) == "[61.6, 64.8]"
    assert theme.points(0.014) == "+1.4 points"
    assert theme.points_interval((-0.002, 0.026)) == "[-0.2, +2.6]"
    assert theme.p_value(0.0031) == "p = 0.003"
    assert theme.p_value(1e-9) == "p < 0.001"
    assert theme.count(35887) == "35\u2009887"
