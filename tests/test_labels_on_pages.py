"""The label is a choice on every page: in the selection, the URL, the figures and the downloads."""

import re

import numpy as np
import pytest

from dashboard.base import loading
from fercore.analysis import relabelling, review
from fercore.data.votes import load_votes
from fercore.groups.group import group_of
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.scoring.grouped import votes as grouped
from fercore.scoring.grouped.predictions import grouped as as_group
from fercore.scoring.vote_scores import by_image
from fercore.wording import percent
from tests.conftest import ROOT
from tests.test_pages import open_page, said

A, B = "cnn-s0", "cnn_lstm-s0"


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))


def accuracies(words: str) -> list[str]:
    return re.findall(r"([\d.]+\u00a0%) :gray", words)


def test_the_overview_follows_the_labels(shipped):
    app = open_page("overview", a=A, b=B)
    plain = accuracies(" ".join(head.value for head in app.subheader))
    assert "errors remain where more than half of FER+'s raters agree" in said(app)
    assert "one rater alone agrees with 55.6 %" in said(app)
    app = open_page("overview", a=A, b=B, labels="ferplus")
    words = said(app)
    assert "239 images of this part have no such label and are left out" in words
    assert app.button(key="chip-labels").label == "Labels: FER+'s plurality"
    laid = [relabelling.against(find_run(name), "ferplus") for name in (A, B)]
    shown = accuracies(" ".join(head.value for head in app.subheader))
    assert shown == [percent(run.metrics()["private"]["accuracy"]) for run in laid] != plain
    assert "one more rater 67.2 %" in words
    assert "errors remain" not in words
    app.button(key="chip-labels").click().run()
    assert app.selectbox(key="labels").value == "dataset"
    assert accuracies(" ".join(head.value for head in app.subheader)) == plain


@pytest.mark.parametrize(
    "page", ["confusion", "per_class", "roc_and_pr", "calibration", "misclassified", "slices",
             "embedding", "robustness", "data_audit", "review", "training"],
)  # fmt: skip
def test_every_page_opens_with_other_labels(shipped, page):
    app = open_page(page, a=A, b=B, labels="agreed")
    words = said(app)
    of_the_dataset = "by the dataset's own labels" in words or page in ("review", "training")
    assert of_the_dataset or "869 images of this part have no such label" in words


def test_labels_that_a_model_has_not_are_told_and_the_page_goes_on(two_runs):
    words = said(open_page("overview", a="first", b="second", labels="ferplus"))
    assert "not these (synthetic)" in words
    assert "against the dataset's own labels" in words


def test_a_verdict_is_about_the_datasets_label(two_runs):
    table = two_runs[0].predictions()
    given, other = CLASSES[table.labels[0]], CLASSES[(table.labels[0] + 1) % 7]
    review.save(
        review.Verdict(int(table.pixels[0]), int(table.rows[0]), "synthetic", given, "wrong", other)
    )
    app = open_page("misclassified", a="first", b="none", labels="verdicts")
    app.session_state["which"] = "all"
    app.session_state["face"] = int(table.rows[0])
    app.run()
    assert f"Label: **{other}** (the dataset's: {given})" in said(app)
    review.remove(int(table.pixels[0]))
    app.run()
    assert f"Label: **{given}**" in said(app)


def test_a_group_is_scored_against_other_labels_and_the_votes(shipped):
    runs = [find_run(f"cnn-s{seed}") for seed in range(3)]
    group = as_group([run.predictions() for run in runs], [run.run_id for run in runs], [])
    found = grouped.vote_scores(group, load_votes())
    each = [by_image(run.predictions(), load_votes()) for run in runs]
    assert found.probability == pytest.approx(np.mean([of.probability.mean() for of in each]))
    assert found.loss == pytest.approx(np.mean([of.loss.mean() for of in each]))
    low, high = found.probability_interval
    assert low < found.probability < high
    ceiling = grouped.ceiling(group, load_votes())
    assert ceiling.errors == pytest.approx(
        np.mean([3589 - run.predictions().correct.sum() for run in runs])
    )
    one = group_of(runs[0])
    laid = one.labelled(loading.labelling(one, "ferplus"))
    assert len(laid.predictions()) == 3350
    assert laid.identity != one.identity == laid.labelled(None).identity
