"""What is explained in words is what scikit-learn counts, and what the figure beside it shows."""

import re

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from dashboard.base.navigation import page_path
from dashboard.base.selection import ANY
from dashboard.compare.figures import confusion_figure, curves_at
from dashboard.compare.lessons import calibration_lesson, cell_lesson, curve_lesson, taught_cell
from fercore.figures.curves import mean_decisions
from fercore.groups.group import group_of
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.scoring.calibration import reliability
from fercore.scoring.predictions import Predictions
from fercore.wording import percent
from tests.test_pages import open_page, said


@pytest.fixture
def answers(two_runs) -> Predictions:
    return two_runs[0].predictions()


@pytest.fixture
def counts(answers):
    return sk.confusion_matrix(answers.labels, answers.predicted, labels=range(len(CLASSES)))


@pytest.mark.parametrize("name", CLASSES)
def test_a_row_a_column_and_f1_are_those_of_sklearn(answers, counts, name):
    k = CLASSES.index(name)
    options = {"labels": [k], "average": "micro", "zero_division": 0}
    true, said_so = answers.labels, answers.predicted
    lesson = cell_lesson(counts, name, name)
    assert f"**{percent(sk.recall_score(true, said_so, **options))}**, the recall" in lesson
    assert f"{(true == k).sum()} images have this label" in lesson
    if (said_so == k).any():
        assert f"**{percent(sk.precision_score(true, said_so, **options))}**, the prec" in lesson
    f1 = sk.f1_score(true, said_so, **options)
    assert (f"= **{percent(f1)}**." in lesson) if f1 else ("is 0" in lesson)


def test_a_mistake_counts_in_its_row_and_its_column(counts):
    label, predicted = taught_cell(counts, ANY, ANY, ANY)
    wrong = counts - np.diag(np.diag(counts))
    n = counts[CLASSES.index(label), CLASSES.index(predicted)]
    assert n == wrong.max()
    assert f"cross** lie {n} images labelled {label} that are called {predicted}" in cell_lesson(
        counts, label, predicted
    )


def test_a_part_of_a_cell_is_taught_on_the_diagonal(counts):
    assert taught_cell(counts, "fear", ANY, ANY) == ("fear", "fear")
    assert taught_cell(counts, ANY, ANY, "sad") == ("sad", "sad")
    assert taught_cell(counts, "fear", ANY, "sad") == ("fear", "sad")


def test_an_empty_row_and_an_empty_column_are_said_to_be_empty():
    nothing = np.zeros((7, 7), int)
    lesson = cell_lesson(nothing, "fear", "fear")
    assert "Row fear** is empty" in lesson
    assert "Column fear** is empty" in lesson
    assert "nan" not in lesson


def test_the_frames_lie_around_what_is_explained(counts):
    figure = confusion_figure(counts, title="A", taught=("fear", "sad"))
    row, column = figure.layout.shapes
    assert (row.y0, row.y1) == (1.5, 2.5)
    assert (column.x0, column.x1) == (3.5, 4.5)
    told = " ".join(note.text for note in figure.layout.annotations)
    shares = counts[2, 2] / counts[2].sum(), counts[4, 4] / max(counts[:, 4].sum(), 1)
    assert told == f"recall<br>{percent(shares[0])} precision {percent(shares[1])}"


def test_a_point_of_a_curve_is_sklearn_s(two_runs, answers):
    table, k, threshold = group_of(two_runs[0]).predictions("private"), 3, 0.25
    positive, called = answers.labels == k, answers.probs[:, k] >= threshold
    at = mean_decisions(table, k, threshold)
    auc = sk.roc_auc_score(positive, answers.probs[:, k])
    lesson = curve_lesson("roc", at, "happy", threshold, auc)
    recall = sk.recall_score(positive, called)
    false_alarms = sk.recall_score(~positive, called)
    for share in (recall, false_alarms):
        assert f"**{percent(share)}**:" in lesson
    assert f"The area, {percent(auc)}**" in lesson
    precision = sk.precision_score(positive, called)
    assert f"**{percent(precision)}**: the prec" in curve_lesson("pr", at, "happy", threshold, auc)
    lines = [
        t
        for t in curves_at({"A": table}, "roc", threshold, "happy").data
        if t.name == "A explained"
    ]
    assert [(line.x[1], line.y[1]) for line in lines] == [(false_alarms, recall)]


def test_a_point_of_the_calibration_is_sklearn_s(answers):
    right, sure = calibration_curve(
        answers.correct, answers.confidence, n_bins=10, strategy="quantile"
    )
    table = reliability(answers, bins=10)  # of as many images each, as scikit-learn's
    lesson = calibration_lesson(table, 10)
    assert len(right) == len(table)
    assert f"**{percent(sure[-1])}** sure" in lesson
    assert f"right on **{percent(right[-1])}**" in lesson
    ece = sum(
        float(re.search(r"%: ([\d.]+)", breakable(calibration_lesson(table, k + 1)))[1])
        for k in range(len(table))
    )
    weights = table["n"] / table["n"].sum()
    assert ece == pytest.approx(100 * (weights * abs(right - sure)).sum(), abs=0.1)


def breakable(words: str) -> str:
    return words.replace("\u00a0", " ")


def test_what_is_explained_is_explained_on_every_page(two_runs):
    app = open_page("confusion", a="first")
    app.toggle(key="explain").set_value(True).run()
    assert "commonest mistake of A" in said(app)
    app.selectbox(key="true").select("sad").run()
    table = find_run("first").predictions()
    found = (table.predicted[table.labels == 4] == 4).sum()
    assert f"Row sad**: 50 images have this label. {found} of them" in said(app)
    for page in ("roc_and_pr", "calibration"):
        app.switch_page(page_path(page)).run()
        assert app.toggle(key="explain").value, page
        assert "**Up**" in said(app)
        assert not app.exception
