"""Figures hold the numbers they are given, and say what is what."""

import re
from html import unescape
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from plotly.colors import sample_colorscale
from sklearn.metrics import average_precision_score, roc_auc_score

from dashboard.base.parameters import NORMALISATIONS
from dashboard.compare.accuracy_svg import Score, accuracy_svg, in_words
from dashboard.compare.history_figure import history_figure
from dashboard.study.study_figures import contrasts_figure
from fercore import wording
from fercore.figures import classes, colours, confusion, parts
from fercore.figures import curves as roc_and_pr
from fercore.groups.group import group_of
from fercore.labels import CLASSES
from fercore.scoring.evaluation import class_differences, class_table
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.metrics import confusion_matrix
from fercore.scoring.statistics import Interval
from fercore.wording import count
from tests.test_grouped_calibration import drawn


def cells_of(figure) -> tuple[np.ndarray, np.ndarray]:
    """Values and texts of a matrix, which is drawn in two layers: black text and white."""
    black, white = figure.data[:2]
    assert (black.textfont.color, white.textfont.color) == ("#000000", "#ffffff")
    values = np.array([black.z, white.z], float)
    assert (np.isnan(values).sum(0) == 1).all()
    return np.nansum(values, 0), np.char.add(np.array(black.text), np.array(white.text))


def test_confusion_figure_holds_counts_and_row_shares(two_runs):
    table = two_runs[0].predictions()
    counts = confusion_matrix(table.labels, table.predicted)
    figure = confusion.confusion_figure(counts, title="A", selected=("sad", "neutral"))
    values, text = cells_of(figure)
    clicks = figure.data[2]
    np.testing.assert_allclose(values, 100 * counts / counts.sum(1, keepdims=True))
    assert text[4][6] == f"{counts[4, 6]}<br>{100 * counts[4, 6] / 50:.0f} %"
    assert (clicks.y[4 * 7 + 6], clicks.x[4 * 7 + 6]) == ("sad", "neutral")
    marked = figure.layout.shapes[0]
    assert (marked.x0, marked.y0) == (5.5, 3.5)


def test_difference_figure_is_centred_on_zero():
    a, b = np.diag([10] * 7), np.diag([10] * 7)
    b[0] = [5, 5, 0, 0, 0, 0, 0]
    figure = confusion.difference_figure(a, b, title="")
    values, text = cells_of(figure)
    assert values[0][0] == pytest.approx(50)
    assert values[0][1] == pytest.approx(-50)
    assert figure.data[0].zmin == -figure.data[0].zmax
    assert text[0][1] == "−5<br>−50.0"
    assert text[3][3] == "0<br>0.0"


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
    assert "Savitri et al., CNN, 63.25 %" in svg
    (height,) = re.findall(r'y="(\d+)"[^>]*>human 65 ± 5<', svg)
    (top,) = set(re.findall(r'd="M[\d.]+ (\d+)V', svg)) & set(
        re.findall(r'rect [^>]*y="(\d+)"', svg)
    )
    assert int(height) < int(top)  # above the lines: no line crosses its words
    assert "paper" not in accuracy_svg(scores, references=False)
    (numbers,) = re.findall("<metadata>(.*)</metadata>", svg, re.S)
    held = pd.read_csv(StringIO(unescape(numbers)), index_col="trace")
    assert list(held.loc["A"]) == [63.25, 61, 65]
    assert held.loc["Savitri et al., CNN-LSTM", "accuracy, %"] == 46.82
    assert list(held.loc["human"]) == [65, 60, 70]


def test_class_figure_has_a_point_per_class_and_model(two_runs):
    tables = {key: class_table(run.predictions()) for key, run in zip("AB", two_runs, strict=True)}
    figure = classes.class_figure(tables, "recall")
    assert [trace.name for trace in figure.data] == ["A", "B"]
    np.testing.assert_allclose(figure.data[0].x, 100 * tables["A"]["recall"])
    assert tuple(figure.layout.yaxis.ticktext) == CLASSES


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_curves_have_a_panel_per_class_and_one_for_their_averages(two_runs, kind):
    tables = {"A": group_of(two_runs[0]).predictions()}
    figure = roc_and_pr.curves_figure(tables, kind)
    titles = [note.text for note in figure.layout.annotations]
    assert [title.split("<br>")[0] for title in titles] == [*CLASSES, "average"]
    curves = [trace for trace in figure.data if trace.name == "A"]
    assert len(curves) == 7
    for curve in curves:
        end = (1, 1) if kind == "roc" else (1, curve.y[-1])
        assert (curve.x[-1], curve.y[-1]) == end


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_a_groups_curve_is_a_mean_in_a_band(kind):
    table = drawn(3, 300, np.random.default_rng(1))
    figure = roc_and_pr.curves_figure({"A": table}, kind)
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    means = [trace for trace in figure.data if trace.name and trace.name.startswith("A")]
    assert len(bands) == len(means) == 8
    for band, mean in zip(bands, means):
        count = len(band.y) // 2
        high, low, height = band.y[:count], band.y[count:][::-1], mean.y[-count:]
        assert (low <= height + 1e-12).all()
        assert (height <= high + 1e-12).all()
    lines = roc_and_pr.curves_table({"A": table}, kind)
    y = lines.columns[3]
    assert list(lines.columns[4:]) == [f"{y}_low", f"{y}_high"]


def test_single_seeds_are_faint_marks(two_runs):
    table = class_table(two_runs[0].predictions())
    seeds = pd.concat([table, table.assign(recall=0.1)])
    faint, points = classes.class_figure({"A": table}, "recall", {"A": seeds}).data
    assert len(faint.x) == 14
    assert not faint.showlegend
    assert points.name == "A"
    scores = [Score("A", 0.6, Interval(0.5, 0.7), (0.55, 0.6, 0.65))]
    assert accuracy_svg(scores, references=False).count("<circle") == 4


def test_counts_of_a_group_have_a_decimal_where_they_are_small():
    counts = np.full((7, 7), 2.25)
    counts[0, 0] = 120.25
    _, text = cells_of(confusion.confusion_figure(counts, title="", normalise="none"))
    assert text[0, 0] == "120"
    assert text[1, 1] == "2.2"


def test_areas_of_the_averages_agree_with_scikit_learn(two_runs):
    table = two_runs[0].predictions()
    every, probs = table.labels[:, None] == np.arange(7), table.probs
    areas = {
        "roc": ("macro AUC", roc_auc_score(every, probs, average="macro")),
        "pr": ("micro average precision", average_precision_score(every, probs, average="micro")),
    }
    for kind, (name, area) in areas.items():
        *_, title = roc_and_pr.curves_figure({"A": grouped([table])}, kind).layout.annotations
        assert title.text == f"average<br><sup>{name} A {wording.percent(area)}</sup>"


@pytest.mark.parametrize("kind", ["roc", "pr"])
def test_points_at_a_threshold_lie_on_the_curves(two_runs, kind):
    tables = {"A": group_of(two_runs[0]).predictions()}
    figure = roc_and_pr.curves_figure(tables, kind)
    marked = roc_and_pr.marked_at(figure, tables, kind, 0.3).data[len(figure.data) :]
    assert len(marked) == 7
    curves = [trace for trace in figure.data if trace.name == "A"]
    for curve, point in zip(curves, marked, strict=True):
        corners = np.hypot(curve.x - point.x[0], curve.y - point.y[0])
        assert corners.min() < (1e-9 if kind == "pr" else 0.05)  # ROC leaves out straight stretches


def test_columns_of_a_normalised_matrix_are_shares_of_the_prediction(two_runs):
    table = two_runs[0].predictions()
    counts = confusion_matrix(table.labels, table.predicted)
    values, _ = cells_of(confusion.confusion_figure(counts, title="A", normalise="column"))
    np.testing.assert_allclose(values.sum(0), 100)
    _, text = cells_of(confusion.confusion_figure(counts, title="A", normalise="none"))
    assert text[2][3] == str(counts[2, 3])


def wcag_contrast(one: str, other: str) -> float:
    """By the formula of WCAG 2.1, written down again."""

    def luminance(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [
            s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in (red, green, blue)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula_is_wcags():
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def worst_contrast(figure) -> float:
    """The lowest contrast of a text on its cell, as Plotly colours it."""
    worst = 21.0
    for layer in (trace for trace in figure.data if trace.type == "heatmap"):
        scale = [list(stop) for stop in layer.colorscale]
        for value in np.array(layer.z, float).ravel():
            if not np.isnan(value):
                share = (value - layer.zmin) / (layer.zmax - layer.zmin)
                (cell,) = sample_colorscale(scale, [min(max(share, 0), 1)])
                red, green, blue = map(int, re.findall(r"\d+", cell)[:3])
                cell = f"#{red:02x}{green:02x}{blue:02x}"
                worst = min(worst, wcag_contrast(layer.textfont.color, cell))
    return worst


@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_text_on_every_cell_is_read(normalise):
    counts = np.arange(49).reshape(7, 7) ** 2  # every step of the scale
    assert worst_contrast(confusion.confusion_figure(counts, title="", normalise=normalise)) >= 4.5


def test_text_on_every_difference_is_read():
    a, b = np.diag(np.arange(10, 80, 10)) + 5, np.arange(49).reshape(7, 7)
    assert worst_contrast(confusion.difference_figure(a, b, title="")) >= 4.5


def test_a_filled_point_is_one_whose_bar_leaves_zero_out():
    table = pd.DataFrame(
        {
            "title": ["a", "b", "c", "d"], "difference": [0.02, 0.02, -0.03, 0.01],
            "difference_low": [0.01, -0.01, -0.04, np.nan],
            "difference_high": [0.03, 0.05, -0.02, np.nan],
        }
    )  # fmt: skip
    (points,) = contrasts_figure(table, "", margin=True).data
    assert list(points.marker.symbol) == ["circle", "circle-open", "circle", "circle-open"]
    np.testing.assert_allclose(points.error_x.arrayminus[:3], [1, 3, 1])


def test_text_on_a_models_colour_is_read():
    for colour in (*colours.MODEL_COLOURS.values(), *colours.CLASS_COLOURS.values()):
        assert wcag_contrast(colours.text_on(colour), colour) >= 4.5


def test_class_difference_is_filled_where_its_corrected_p_is_small(two_runs):
    a, b = (run.predictions() for run in two_runs)
    table = class_differences(a, b)
    table.loc[0, ["f1", "f1_p_value", "f1_p_holm"]] = [0.1, 0.001, 0.007]
    table.loc[1, ["f1", "f1_p_value", "f1_p_holm"]] = [0.1, 0.02, 0.12]
    points = classes.class_difference_figure(table, "f1").data[0]
    assert list(points.marker.symbol[:2]) == ["circle", "circle-open"]
    assert points.x[0] == pytest.approx(10)


def test_history_figure_rings_the_chosen_epoch(two_runs):
    figure = history_figure({"A": two_runs[0].history()}, {"A": 2})
    ring = next(trace for trace in figure.data if trace.name == "A chosen epoch")
    assert list(ring.x) == [2]


def test_models_keep_their_colours():
    figure = parts.probability_figure({"A": np.full(7, 1 / 7), "B": np.full(7, 1 / 7)})
    assert [bar.marker.color for bar in figure.data] == ["#0072B2", "#D55E00"]


def test_numbers_are_written_as_agreed():
    assert wording.percent(0.6325) == "63.2\u00a0%"
    assert wording.percent(float("nan")) == "–"
    assert wording.interval((0.616, 0.648)) == "[61.6,\u00a064.8]"
    assert wording.percent(0.6325, 0) == "63\u00a0%"
    assert wording.in_percent(None) == wording.in_points(float("nan")) == "–"
    assert wording.breakable(wording.percent(0.6325)) == f"{wording.in_percent(0.6325)} %"
    assert wording.points(0.014) == "+1.4\u00a0points"
    assert wording.points(-0.0004) == "0.0\u00a0points"
    assert wording.points_interval((-0.002, 0.026)) == "[−0.2,\u00a0+2.6]"
    assert count(35887) == "35\u202f887"


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
    assert notes == ["Savitri et al., CNN", "Savitri et al., CNN-LSTM"]
