"""Scores against FER+'s labels and votes, and one's verdicts: against pandas and brute force."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, log_loss

from fercore.analysis import relabelling, review
from fercore.cli.votes import scores_by_part
from fercore.data.votes import CATEGORIES, TABLE, Votes, load_votes
from fercore.errors import ConfigError, RunError
from fercore.groups import tables
from fercore.labels import CLASSES
from fercore.runs.artifacts import Run
from fercore.runs.listing import find_run, list_runs
from fercore.scoring.labelling import by_votes, relabelled
from fercore.scoring.vote_scores import by_image, ceiling, probability_difference, vote_scores
from tests.conftest import ROOT, SHARED
from tests.test_cli import fails, run
from tests.test_votes_slices_audit import drawn_predictions, drawn_votes

SEEN = list(CATEGORIES[:7])  # FER+'s names of the seven classes, in their order
P = [f"p_{name}" for name in CLASSES]


@pytest.fixture
def shipped(monkeypatch) -> list[Run]:
    """Two shipped runs on FER2013."""
    monkeypatch.setenv("FERCORE_ARTIFACTS", str(ROOT / "artifacts"))
    return [run for run in list_runs() if run.shipped and run.dataset == "FER2013"][:2]


@pytest.fixture(params=["shipped", "original"])
def votes_frame(request) -> pd.DataFrame:
    """FER+'s table as pandas reads it: the shipped one, and the file it was made from."""
    if request.param == "shipped":
        return pd.read_parquet(TABLE)
    if not (SHARED / "fer2013new.csv").exists():
        pytest.skip("FER+'s file is not on this machine")
    return pd.read_csv(SHARED / "fer2013new.csv")[list(CATEGORIES)]


def private(run: Run) -> pd.DataFrame:
    stored = pd.read_parquet(run.folder / "predictions.parquet")
    return stored[stored["usage"] == "PrivateTest"].set_index("row")


def test_ferplus_scores_are_those_of_pandas(shipped, votes_frame):
    one, stored = shipped[0], private(shipped[0])
    counted = votes_frame.loc[stored.index]
    alone = counted.eq(counted.max(axis=1), axis=0).sum(axis=1) == 1
    top = counted.idxmax(axis=1)
    kept = {
        "ferplus": alone & top.isin(SEEN),
        "agreed": top.isin(SEEN) & (counted.max(axis=1) > counted.sum(axis=1) / 2),
    }
    said = stored[P].to_numpy().argmax(1)
    for name, keep in kept.items():
        of = relabelling.against(one, name)
        scores, labels = of.metrics()["private"], top[keep].map(SEEN.index)
        right = said[keep] == labels
        assert scores["n"] == keep.sum() == 3589 - of.left_out()
        assert scores["accuracy"] == pytest.approx(right.mean(), abs=1e-12)
        f1 = f1_score(labels, said[keep], average="macro")
        assert scores["macro_f1"] == pytest.approx(f1, abs=1e-12)


def test_scores_against_the_votes_are_those_of_pandas(shipped, votes_frame):
    stored = private(shipped[0])
    counted = votes_frame.loc[stored.index, SEEN]
    counted = counted[counted.sum(axis=1) >= 2]
    p = stored.loc[counted.index, P].astype(float).set_axis(SEEN, axis=1)
    q = counted.div(counted.sum(axis=1), axis=0)
    found = tables.against_votes(shipped[0]).iloc[0]
    assert (found["n"], found["left_out"]) == (len(counted), 3589 - len(counted))
    assert found["probability"] == pytest.approx((q * p).sum(axis=1).mean(), abs=1e-9)
    assert found["loss"] == pytest.approx(-(q * np.log(p)).sum(axis=1).mean(), abs=1e-9)
    # each vote a line of its own, weighted so that each image counts once
    each = counted.reset_index(drop=True).stack().rename("votes").reset_index()
    each = each.loc[each.index.repeat(each["votes"])]
    weights = 1 / each.groupby("level_0")["votes"].transform("size")
    probs = (p / 1).to_numpy()[each["level_0"]]
    codes = each["level_1"].map(SEEN.index)
    probs /= probs.sum(1, keepdims=True)  # float32's sums miss 1 a little
    assert found["loss"] == pytest.approx(log_loss(codes, probs, sample_weight=weights), abs=1e-7)


def test_a_rater_is_asked_in_the_models_place():
    predictions, votes = drawn_predictions(60), drawn_votes(60)
    found = by_image(predictions, votes)
    lines = []
    for image in np.flatnonzero(found.rated):
        people = np.repeat(np.arange(7), votes.counts[image, :7])
        same, foretold = [], []
        for rater, said in enumerate(people):
            others = np.delete(people, rater)
            same.append(np.mean(others == said))
            foretold.append(np.log((np.sum(others == said) + 1 / 7) / (len(others) + 1)))
        lines.append((np.mean(same), -np.mean(foretold)))
    raters = np.array(lines)
    np.testing.assert_allclose(found.rater_probability, raters[:, 0], atol=1e-12)
    np.testing.assert_allclose(found.rater_loss, raters[:, 1], atol=1e-12)
    assert (found.loss >= found.entropy - 1e-12).all()
    assert (votes.counts[:60, :7].sum(1) >= 2).sum() == len(raters) < 60


def test_who_foretells_the_votes_is_at_their_entropy():
    votes = drawn_votes()
    predictions = drawn_predictions()
    probs = np.nan_to_num(votes.shares(predictions.rows), nan=1 / 7).astype(np.float32)
    scores = vote_scores(replace(predictions, probs=probs), votes)
    assert scores.loss == pytest.approx(scores.entropy, abs=1e-6)
    low, high = scores.probability_interval
    assert low < scores.probability < high
    gap, interval = probability_difference(replace(predictions, probs=probs), predictions, votes)
    assert interval.low < gap < interval.high
    assert gap == pytest.approx(scores.probability - vote_scores(predictions, votes).probability)
    with pytest.raises(RunError, match="two of FER"):
        vote_scores(predictions, Votes(np.zeros_like(votes.counts)))


def test_the_ceiling_of_fer2013_is_one_raters(shipped):
    table = shipped[0].predictions()
    found = ceiling(table, load_votes())
    assert round(100 * found.rater_agreement, 1) == 55.6
    assert found.errors == (~table.correct).sum()
    agreed, wrong = load_votes().labels_of(table.rows, agreed=True), ~table.correct
    assert found.undisputed == (wrong & (agreed == table.labels)).sum() < found.errors / 2


def test_labels_laid_over_a_table_are_those_laid_over_a_run(shipped):
    one = shipped[0]
    laid = relabelling.against(one, "ferplus")
    found = relabelled(one.predictions("clean"), by_votes("ferplus", load_votes()))
    assert laid.predictions("clean").same_images(found.predictions)
    assert found.left_out == laid.left_out("clean") > 100
    stored = one.predictions("clean")
    kept = np.isin(stored.rows, found.predictions.rows)
    assert found.relabelled == (found.predictions.labels != stored.labels[kept]).sum() > 500
    assert one.left_out() == 0
    assert relabelling.against(laid, "dataset").metrics() == one.metrics()


def test_verdicts_are_labels_too(two_runs):
    table = two_runs[0].predictions()
    first, second = (int(pixels) for pixels in table.pixels[:2])
    name, other = CLASSES[table.labels[0]], CLASSES[(table.labels[0] + 1) % 7]
    review.save(review.Verdict(first, 1, "synthetic", name, "wrong", other))
    review.save(review.Verdict(second, 2, "synthetic", CLASSES[table.labels[1]], "ambiguous"))
    laid = relabelling.against(two_runs[0], "verdicts")
    assert laid.left_out() == 1
    assert laid.predictions().labels[0] == CLASSES.index(other)
    told = json.loads(run("compare", "first", "second", "--labels", "verdicts", "--json"))
    assert (told["n"], told["labels"], told["left_out"]) == (349, "verdicts", 1)


def test_labels_that_there_are_not_are_a_sentence(two_runs):
    assert "Choose one of: dataset, ferplus" in fails("evaluate", "first", "--labels", "votes")
    assert "not these (synthetic)" in fails("compare", "first", "second", "--labels", "agreed")
    with pytest.raises(ConfigError, match="no labels 'mine'"):
        tables.compare("first", "second", labels="mine")
    with pytest.raises(RunError, match="have not seen the images that first"):
        tables.against_votes("first")


def test_commands_and_tables_follow_the_labels(shipped):
    a, b = (one.run_id for one in shipped)
    words = run("compare", a, b, "--labels", "ferplus")
    assert "FER+'s plurality; 239 images have none and are left out" in words
    assert "one more rater 67.2 %" in words
    told = json.loads(run("evaluate", a, "--labels", "agreed", "--json"))
    assert told["private"]["n"] == 2720
    assert told["private"]["votes"]["n"] == 3571
    assert "Against FER+'s votes" in run("evaluate", a)
    accuracy = relabelling.against(find_run(a), "agreed").metrics()["private"]["accuracy"]
    assert tables.compare(a, b, labels="agreed")["a"][0] == accuracy
    assert tables.slices(a, labels="agreed")["n"].max() < 2720
    assert tables.bootstrap_interval(a, labels="agreed")["value"][0] == accuracy
    assert tables.reliability(a, labels="agreed")["n"].sum() == 2720


def test_labels_alone_say_nothing_of_the_votes(shipped):
    frame = shipped[0].stored_frame.copy()
    frame[P] = np.eye(7, dtype=np.float32)[frame[P].to_numpy().argmax(1)]
    assert scores_by_part(frame, load_votes()) == {}
    assert scores_by_part(shipped[0].stored_frame, load_votes())["private"].n == 3571
