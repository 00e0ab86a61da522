"""One expression in depth agrees with scikit-learn and naive counting, and its page says so."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import fisher_exact
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from dashboard.compare.expression_view import Depth
from dashboard.compare.expression_words import Facts, what_one_could_do
from fercore.analysis.expression import (
    most_typical,
    neighbours,
    never_right,
    raters,
    taken_for,
    taken_from,
)
from fercore.analysis.from_weights import EMBEDDING
from fercore.data.votes import CATEGORIES, Votes
from fercore.errors import RunError
from fercore.groups.group import group_of
from fercore.labels import CLASSES
from fercore.runs.listing import find_run
from fercore.scoring.grouped.evaluation import class_table
from fercore.scoring.grouped.predictions import grouped
from fercore.scoring.grouped.samples import sample_table
from fercore.scoring.grouped.slices import slices
from fercore.scoring.predictions import Predictions
from fercore.wording import percent
from tests.test_imported_pages import theirs  # noqa: F401
from tests.test_pages import GROUPS, no_video, of_two_groups, open_page, said  # noqa: F401

SAD, FEAR = CLASSES.index("sad"), CLASSES.index("fear")


def drawn(seeds: int, n: int = 300, skill: float = 1.2):
    """A group of so many seeds on the same drawn images."""
    rng = np.random.default_rng(seeds)
    labels = rng.integers(0, 7, n)
    hard = rng.normal(size=(n, 7))
    tables = []
    for _ in range(seeds):
        logits = hard + rng.normal(size=(n, 7)) / 2
        logits[np.arange(n), labels] += skill
        probs = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
        rows = np.arange(n)
        tables.append(Predictions(rows, rows + 10**6, labels, probs))
    return grouped(tables)


@pytest.mark.parametrize("seeds", [1, 3])
def test_both_directions_are_scikit_learns_confusions(seeds):
    group = drawn(seeds)
    counts = np.array([confusion_matrix(group.labels, own) for own in group.predicted])
    away, here = (way(group, FEAR).set_index("class") for way in (taken_for, taken_from))
    assert set(away.index) == set(here.index) == set(CLASSES) - {"fear"}
    for name in away.index:
        k = CLASSES.index(name)
        assert away.loc[name, "count"] == pytest.approx(counts[:, FEAR, k].mean())
        assert away.loc[name, "share"] == pytest.approx(
            np.mean(counts[:, FEAR, k] / counts[:, FEAR].sum(1))
        )
        assert here.loc[name, "share"] == pytest.approx(
            np.mean(counts[:, k, FEAR] / counts[:, :, FEAR].sum(1))
        )
        for table in (away, here):
            line = table.loc[name]
            assert line["share_low"] < line["share"] < line["share_high"]
    assert away["count"].is_monotonic_decreasing
    precision, recall, *_ = zip(
        *(precision_recall_fscore_support(group.labels, own) for own in group.predicted)
    )
    assert away["share"].sum() == pytest.approx(1 - np.mean(recall, axis=0)[FEAR])
    assert here["share"].sum() == pytest.approx(1 - np.mean(precision, axis=0)[FEAR])
    recall_there = class_table(group).set_index("class").loc["fear", "recall"]
    assert recall_there == pytest.approx(1 - away["share"].sum())


def test_nothing_of_a_class_is_said_to_be_nothing():
    group = drawn(1).where(drawn(1).labels != FEAR)
    with pytest.raises(RunError, match="None of these images is labelled fear"):
        taken_for(group, FEAR)
    never = Predictions(
        np.arange(3), np.arange(3), np.full(3, FEAR), np.eye(7, dtype=np.float32)[[0, 0, 1]]
    )
    assert taken_from(grouped([never]), FEAR).empty


def test_raters_are_counted_one_by_one():
    rng = np.random.default_rng(0)
    votes = Votes(rng.multinomial(10, np.full(10, 0.1), size=50))
    labels, rows = rng.integers(0, 7, 40), rng.permutation(50)[:40]
    labels[:5] = SAD
    found = raters(votes, labels, rows, SAD)
    mine = [votes.counts[row] for row, label in zip(rows, labels) if label == SAD]
    assert found.n == len(mine)
    assert found.agreeing == np.mean([own[SAD] == max(own) for own in mine])
    assert found.majority == np.mean([own[SAD] > 5 for own in mine])
    assert found.votes[CATEGORIES[SAD]] == pytest.approx(np.sum(mine, 0)[SAD] / np.sum(mine))
    assert found.votes.sum() == pytest.approx(1)


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_slices_of_a_class_are_those_of_all_images(seeds):
    """A dark face of fear is one that is dark among all images, and not among those of fear."""
    group = drawn(seeds, 700)
    brightness = np.random.default_rng(5).normal(size=700) - (group.labels == FEAR)
    properties = pd.DataFrame({"label": np.array(CLASSES)[group.labels], "brightness": brightness})
    table = slices(group, properties, label=FEAR).set_index("slice")
    assert set(table["property"]) == {"brightness"}
    mine = group.labels == FEAR
    darkest = brightness <= np.quantile(brightness, 0.2)
    assert table.loc["darkest", "n"] == (mine & darkest).sum()
    right = group.correct[:, mine & darkest]
    assert table.loc["darkest", "accuracy"] == pytest.approx(right.mean())
    assert table.loc["darkest", "difference"] == pytest.approx(
        right.mean() - group.correct[:, mine].mean()
    )
    assert table["macro_f1"].isna().all()
    if seeds == 1:
        rest = group.correct[0, mine & ~darkest]
        counts = [[each.sum(), (~each).sum()] for each in (right[0], rest)]
        p_value = fisher_exact(np.array(counts)).pvalue
        assert table.loc["darkest", "p_value"] == pytest.approx(p_value)


def test_never_right_and_most_typical_hold_for_every_seed():
    a, b = drawn(3), drawn(3, skill=0.8)
    b = grouped([Predictions(a.rows, a.pixels, a.labels, own) for own in b.probs])
    samples = sample_table(a, b)
    never, typical = never_right(samples, "sad"), most_typical(samples, "sad")
    wrong = ~a.correct.any(0) & ~b.correct.any(0)
    right = a.correct.all(0) & b.correct.all(0)
    mine = a.labels == SAD
    assert 0 < len(never) < len(samples)
    assert sorted(never["row"]) == list(a.rows[wrong & mine])
    assert sorted(typical["row"]) == list(a.rows[right & mine])
    sure = typical[["a_confidence", "b_confidence"]].mean(axis=1)
    assert sure.is_monotonic_decreasing


def test_neighbours_are_those_of_all_distances():
    rng = np.random.default_rng(2)
    n = 80
    labels = rng.choice(CLASSES, n)
    samples = pd.DataFrame({"label": labels, "x": rng.normal(size=n), "y": rng.normal(size=n)})
    samples.loc[:14, ["x", "y"]] = 0.5  # more faces in one place than there are neighbours
    samples["a_correct"] = rng.random(n) < 0.5
    found = neighbours(samples.iloc[15:], "a", "sad", k=5).set_index("class")
    part = samples.iloc[15:].reset_index(drop=True)
    apart = cdist(part[["x", "y"]], part[["x", "y"]])
    np.fill_diagonal(apart, np.inf)
    mine = np.flatnonzero(part["label"] == "sad")
    around = part["label"].to_numpy()[apart[mine].argsort(1)[:, :5]]
    for name in CLASSES:
        share = (around == name).mean(1)
        assert found.loc[name, "share"] == pytest.approx(share.mean())
        missed = ~part["a_correct"].to_numpy()[mine]
        assert found.loc[name, "wrong"] == pytest.approx(share[missed].mean())
    together = neighbours(samples, "a", samples["label"][0], k=5)
    assert together["share"].sum() == pytest.approx(1)
    assert neighbours(samples.iloc[:1], "a", samples["label"][0]).empty


def scores(**values: float) -> dict[Hashable, float]:
    given = {"support": 500, "recall": 0.6, "precision": 0.6} | values
    bounds: dict[Hashable, float] = {
        f"{name}_{end}": given[name] + by
        for name in ("recall", "precision")
        for end, by in (("low", -0.04), ("high", 0.04))
    }
    return bounds | given


def sentences(**values: float) -> str:
    away = pd.DataFrame({"class": ["sad"], "share": [0.2]})
    none = slices(drawn(1), pd.DataFrame({"label": ["sad"] * 300}), label=FEAR)
    depth = Depth(scores(**values), away, away, none)
    training = [100, 100, int(values.get("training", 100)), 100, 100, 100, 100]
    difference: dict[Hashable, float] = {
        "recall": 0.01,
        "recall_low": -0.02,
        "recall_high": 0.04,
        "recall_p_holm": 0.8,
    }
    found = what_one_could_do(Facts("fear", depth, None, training, difference))
    assert 2 <= len(found) <= 4
    return " ".join(found).replace("\u00a0", " ")


def test_what_one_could_do_follows_from_the_numbers():
    plain = sentences()
    assert "50.0 % of what A misses is taken for sad" in plain
    assert "Not the choice between A and B" in plain
    assert "threshold" not in plain
    assert "too seldom" in sentences(recall=0.4)
    assert "too readily" in sentences(precision=0.4)
    assert "20 of 620 Training images" in sentences(training=20)
    assert "interval of its recall is 30 points wide" in sentences(recall_low=0.4, recall_high=0.7)


def test_the_page_follows_the_label_and_says_scikit_learns_numbers(two_runs):
    words = said(open_page("expression", a="first", b="second", true="sad"))
    table = find_run("first").predictions()
    precision, recall, *_ = precision_recall_fscore_support(table.labels, table.predicted)
    assert f"{100 * recall[SAD]:.1f} %" in words
    assert f"{100 * precision[SAD]:.1f} %" in words
    assert "faces labelled sad" in words
    assert "FER+'s votes are about FER2013's images only" in words
    assert "has not been analysed yet" in words
    assert "What one could do" in words


def test_the_page_without_images_has_a_way_to_them(two_runs, monkeypatch):
    monkeypatch.setattr("fercore.runs.artifacts.Run.dataset", property(lambda self: "FER2013"))
    app = open_page("expression", a="first", b="second")
    words = said(app)
    assert "FER2013's images are not on this machine" in words
    assert "are right with no seed of A or B" in words
    assert "known by the rows of the original fer2013.csv" in words
    assert not [button for button in app.button if str(button.key).startswith("face-")]


def test_the_page_with_votes(two_runs, monkeypatch):
    """Votes drawn for these images: as many of each label agree as are counted by hand."""
    table = find_run("first").predictions()
    counts = np.random.default_rng(1).multinomial(10, np.full(10, 0.1), size=10_000)
    votes = Votes(counts)
    monkeypatch.setattr("dashboard.faces.face_loading.votes_of", lambda run: votes)
    words = said(open_page("expression", a="first", b="second"))
    rows = table.rows[table.labels == FEAR]
    agreeing = np.mean([counts[row, FEAR] == counts[row].max() for row in rows])
    assert percent(agreeing).replace("\u00a0", " ") in words
    assert "no model can learn what people do not see" in words


def test_the_page_of_two_groups(of_two_groups):  # noqa: F811
    words = said(open_page("expression", expression="happy", **GROUPS))
    mean = np.mean(
        [
            precision_recall_fscore_support(table.labels, table.predicted)[1][3]
            for table in (find_run(f"cnn-{seed}").predictions() for seed in range(3))
        ]
    )
    assert percent(mean).replace("\u00a0", " ") in words


def test_the_page_of_an_imported_run(theirs):  # noqa: F811
    app = open_page("expression", a="theirs", b="second")
    assert not app.error
    assert "Training images are labelled" not in said(app)  # what it learned from is not known
    assert "'theirs' was imported: it has predictions, but no weights" in said(app)


def test_the_map_tells_who_is_around(two_runs):
    frame = find_run("first").prediction_frame
    table = frame[["usage", "row", "pixels", "label"]].copy()
    rng = np.random.default_rng(0)
    table[["x", "y"]] = rng.normal(size=(len(table), 2)).astype(np.float32)
    table.to_parquet(find_run("first").folder / EMBEDDING)
    words = said(open_page("expression", a="first", b="second"))
    assert "Of the nearest faces around one labelled fear" in words
    group = group_of(find_run("first"))
    placed = sample_table(group.predictions()).merge(table[["row", "x", "y"]], on="row")
    around = neighbours(placed, "a", "fear").set_index("class")["share"]
    assert percent(float(around["fear"])).replace("\u00a0", " ") in words
